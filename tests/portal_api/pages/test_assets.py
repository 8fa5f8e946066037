"""The page assets are whole and ask no other host for anything."""

import re
from pathlib import Path

import pytest

from portal_api.pages import assets

STATIC = Path(assets.__file__).parent / "static"
TEMPLATES = Path(assets.__file__).parent / "templates"


def test_what_is_served_is_the_style_sheet_the_script_and_its_icons(tmp_path) -> None:
    made = assets.build(served=tmp_path / "nhsuk")
    names = sorted(path.relative_to(tmp_path / "nhsuk").as_posix() for path in made)
    assert names == [
        "images/nhsuk-icon-arrow-down.svg",
        "images/nhsuk-icon-arrow-up-down.svg",
        "images/nhsuk-icon-arrow-up.svg",
        "images/nhsuk-icon-cross.svg",
        "nhsuk-frontend.min.css",
        "nhsuk-frontend.min.js",
    ]
    assert sorted((tmp_path / "nhsuk").rglob("*.*")) == sorted(made)


def test_every_image_of_the_style_sheet_stands_beside_it(tmp_path) -> None:
    served = tmp_path / "nhsuk"
    assets.build(served=served)
    style = (served / "nhsuk-frontend.min.css").read_text()
    addresses = set(re.findall(r"url\(([^)]*)\)", style))
    assert addresses
    assert [address for address in addresses if not (served / address).is_file()] == []
    assert "@font-face" not in style
    assert "sourceMappingURL" not in style
    assert ".nhsuk-button" in style


def test_nothing_that_is_served_refers_to_another_host() -> None:
    served = [path for path in STATIC.rglob("*") if path.suffix in {".css", ".js", ".svg", ".html"}]
    assert STATIC / "nhsuk" / "nhsuk-frontend.min.css" in served
    found = {path.name: assets.other_hosts(path.read_text()) for path in served}
    assert {name: hosts for name, hosts in found.items() if hosts} == {}


def test_no_template_loads_anything_from_another_host() -> None:
    loads = re.compile(
        r"""<(?:link|script|img|iframe|source|object|form)\b[^>]*["'](?:https?:)?//"""
    )
    templates = list(TEMPLATES.rglob("*.jinja"))
    assert templates
    assert [path.name for path in templates if loads.search(path.read_text())] == []


@pytest.mark.parametrize(
    "planted",
    [
        "@font-face { src: url(https://fonts.example/a.woff2) }",
        "a { background: url(//images.example/a.png) }",
        'a { background: url("//images.example/a.png") }',
        '@import "//styles.example/a.css";',
        'import "https://scripts.example/a.js";',
        'import x from "//scripts.example/a.js";',
        'fetch("https://telemetry.example/")',
        '<image src="//images.example/a.png"/>',
    ],
)
def test_a_reference_to_another_host_is_found(planted: str) -> None:
    [address] = assets.other_hosts(f"b{{color:red}} {planted} c{{color:blue}}")
    assert ".example/" in address


def test_a_package_that_asks_another_host_is_refused_and_what_was_served_stays(tmp_path) -> None:
    package, served = tmp_path / "package", tmp_path / "served"
    package.mkdir()
    served.mkdir()
    (served / "kept").touch()
    (package / "nhsuk-frontend.min.css").write_text("a{background:url(https://x.example/a.png)}")
    (package / "nhsuk-frontend.min.js").write_text("")
    with pytest.raises(assets.AssetWrong, match=r"would ask https://x\.example"):
        assets.build(package, served)
    assert list(served.iterdir()) == [served / "kept"]


def test_a_missing_package_names_the_command(tmp_path) -> None:
    with pytest.raises(assets.AssetWrong, match="is missing: run make setup"):
        assets.build(tmp_path, tmp_path / "served")
