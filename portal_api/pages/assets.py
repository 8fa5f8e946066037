"""The style sheet, script and icons of the NHS.UK frontend, made fit to be served from here.

`python -m portal_api.pages.assets` fills `static/nhsuk/` from the npm package in `frontend/`. Git
keeps neither; a wheel carries the result. Nothing in it refers to another host: a page that loads
a font from elsewhere tells elsewhere who reads their results. The logo and the NHS icons stay
out, as they belong to NHS services alone.
"""

import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE / "frontend" / "node_modules" / "nhsuk-frontend" / "dist" / "nhsuk"
SERVED = HERE / "static" / "nhsuk"

_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_SOURCE_MAP = re.compile(r"(/\*|//)# sourceMappingURL=\S+(\s*\*/)?\s*\Z")
_IMAGE = re.compile(r"""url\(["']?/assets/images/([a-z0-9.-]+)["']?\)""")
_HOST = re.compile(
    r"""(?:https?:|url\(["']?|@import\s*["']|(?:src|from|import)\s*[(=]?\s*["'])//[^\s"')]+"""
)
# Names of kinds of markup, which no browser ever asks for.
_NAMESPACE = re.compile(r"http://www\.w3\.org/(?:2000/svg|1999/xlink|1999/xhtml)")


class AssetWrong(Exception):
    """The package is not there, or not as it is known to be; the text says what to do."""


def build(package: Path = PACKAGE, served: Path = SERVED) -> list[Path]:
    """Replace what stands in *served* with the assets from *package*; return the files made.

    Raises AssetWrong, with *served* as it was, where a file is missing or would make a browser
    ask another host.
    """
    style = style_sheet(_text(package / "nhsuk-frontend.min.css"))
    script = _SOURCE_MAP.sub("", _text(package / "nhsuk-frontend.min.js")) + "\n"
    files = {"nhsuk-frontend.min.css": style, "nhsuk-frontend.min.js": script}
    for name in sorted(set(re.findall(r"url\(images/([a-z0-9.-]+)\)", style))):
        files[f"images/{name}"] = _text(package / "assets" / "images" / name)
    for name, text in files.items():
        elsewhere = other_hosts(text)
        if elsewhere:
            raise AssetWrong(f"{name} of nhsuk-frontend would ask {elsewhere[0]}.")
    shutil.rmtree(served, ignore_errors=True)
    (served / "images").mkdir(parents=True)
    for name, text in files.items():
        (served / name).write_text(text, encoding="utf-8")
    return [served / name for name in files]


def style_sheet(text: str) -> str:
    """Return the style sheet without fonts from elsewhere, its images beside it."""
    return _IMAGE.sub(r"url(images/\1)", _SOURCE_MAP.sub("", _FONT_FACE.sub("", text))) + "\n"


def other_hosts(text: str) -> list[str]:
    """Return the addresses on other hosts that a browser would ask on reading *text*."""
    return _HOST.findall(_NAMESPACE.sub("", text))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise AssetWrong(f"{path} is missing: run make setup.") from error


if __name__ == "__main__":
    try:
        build()
    except AssetWrong as wrong:
        sys.exit(str(wrong))
