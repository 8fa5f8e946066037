"""Every page, in a real browser without JavaScript: no barrier, no sideways scrolling, no stranger.

axe runs with JavaScript on, as it is JavaScript itself; the pages have none of their own.
WCAG 2.2, 1.4.10 (reflow at 320 CSS pixels) and 2.5.8 (targets of 24 pixels).
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from auth.answers import page as answered
from portal_api.pages.environment import make_environment, render
from portal_api.pages.routes import STATIC
from tests import chromium
from tests.portal_api.pages.every_page import every_page

PAGES = {name: (template, shell, view) for name, template, shell, view in every_page()}
TYPES = {".css": "text/css", ".svg": "image/svg+xml"}
SMALL_TARGETS = """() => [...document.querySelectorAll('main button, select, nav a, main h3 a')]
    .filter(one => one.offsetParent && one.getBoundingClientRect().height < 24)
    .map(one => one.textContent.trim())"""


class Handler(BaseHTTPRequestHandler):
    """Serves the sample pages with the headers of the portal, and its styles."""

    environment = make_environment()

    def do_GET(self) -> None:
        name = self.path.split("?")[0].strip("/")
        if name in PAGES:
            made = answered(render(self.environment, *PAGES[name]).encode())
            headers, body = dict(made.headers), bytes(made.body)
        else:
            file = STATIC / name.removeprefix("static/")
            if not file.is_file():
                self.send_error(404)
                return
            headers = {"content-type": TYPES.get(file.suffix, "application/octet-stream")}
            body = file.read_bytes()
        self.send_response(200)
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a server of the sample pages."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser; without the NHS.UK frontend there is nothing to look at."""
    assert (STATIC / "nhsuk" / "nhsuk-frontend.min.css").is_file(), "Run `make setup` first."
    with sync_playwright() as playwright:
        program = chromium.executable()
        started = playwright.chromium.launch(
            executable_path=str(program) if program else None, args=chromium.ARGUMENTS
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def wide(browser) -> Iterator[Page]:
    """A wide window, with JavaScript: axe is JavaScript itself."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    yield page
    page.close()


@pytest.fixture(scope="module")
def narrow(browser) -> Iterator[Page]:
    """A narrow window, without JavaScript."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 800})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_barrier_that_a_machine_can_find(site, wide, name):
    wide.goto(site + name)
    found = Axe().run(wide).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_narrow_screen_and_asks_no_other_host(site, narrow, name):
    asked, said = [], []
    listeners = {
        "request": lambda request: asked.append(request.url),
        "console": lambda message: said.append(message.text),
    }
    for event, listener in listeners.items():
        narrow.on(event, listener)
    narrow.goto(site + name)
    for event, listener in listeners.items():
        narrow.remove_listener(event, listener)
    assert narrow.evaluate("document.documentElement.scrollWidth") == 320
    assert narrow.evaluate(SMALL_TARGETS) == []
    assert [url for url in asked if not url.startswith(site)] == []
    assert f"{site}{name}" in asked
    assert said == []
