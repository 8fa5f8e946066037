"""The browser of the tests: Debian's Chromium, or Playwright's own.

`python -m tests.chromium` exits 0 where there is one.
"""

import sys
from pathlib import Path

DEBIAN = Path("/usr/bin/chromium")

ARGUMENTS = [
    "--no-sandbox",  # the sandbox refuses root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def executable() -> Path | None:
    """Return the browser's program, None where there is none."""
    # Ubuntu's program of this name is a stub for a snap, which no test can drive.
    if DEBIAN.exists() and not Path("/snap/bin/chromium").exists():
        return DEBIAN
    # Imported here, since it takes half a second and is seldom needed.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


if __name__ == "__main__":
    sys.exit(executable() is None)
