"""One demonstration and one real browser for a module; each person has a window of their own.

A request to any other host than the demonstration fails the test, and so does whatever a page
complains of to its console.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from re import Pattern

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Route,
    sync_playwright,
)

from portal_api.demo.accounts import PASSWORD
from portal_api.pages.routes import STATIC
from tests import chromium
from tests.browser.demonstration import Demonstration, playing, words_of


@dataclass
class Visitor:
    """One person at a browser of their own."""

    page: Page
    address: str

    def opens(self, path: str) -> str:
        """Open a page and return its words."""
        self.page.goto(self.address + path)
        return self.reads()

    def follows(self, link: str | Pattern[str], exact: bool = False) -> str:
        """Follow the first link of this text and return the words of where it leads."""
        self.page.get_by_role("link", name=link, exact=exact).first.click()
        return self.reads()

    def presses(self, button: str) -> str:
        """Press the first button of this text and return the words of what follows."""
        self.page.get_by_role("button", name=button).first.click()
        return self.reads()

    def reads(self) -> str:
        """Return the words of the page's main part."""
        return words_of(self.page.locator("main").inner_text())

    def signs_in(self, login: str) -> str:
        """Sign in by name and password; return the words of the first page."""
        self.page.goto(f"{self.address}/sign-in")
        self.page.get_by_label("Your sign-in name").fill(login)
        self.page.get_by_label("Your password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        return self.reads()


@dataclass
class Visits:
    """Who visits, and what must not have happened while they did."""

    browser: Browser
    address: str
    contexts: ExitStack
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def __call__(self, login: str = "", **options: object) -> Visitor:
        """Give somebody a window, signed in as *login* where that is not empty."""
        context: BrowserContext = self.browser.new_context(**options)
        self.contexts.callback(context.close)
        context.set_default_timeout(15_000)
        context.route("**/*", self._let_through)
        context.on("console", self._heard)
        visitor = Visitor(context.new_page(), self.address)
        if login:
            visitor.signs_in(login)
        return visitor

    def _let_through(self, route: Route) -> None:
        url = route.request.url
        if any(url.startswith(f"{one}/") for one in (self.address, *self.allowed)):
            route.continue_()
        else:
            self.strangers.append(url)
            route.abort()

    def _heard(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """The demonstration of this module's tests."""
    assert (STATIC / "nhsuk" / "nhsuk-frontend.min.css").is_file(), "Run `make setup` first."
    with playing(tmp_path_factory.mktemp("demonstration")) as playing_now:
        yield playing_now


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    with sync_playwright() as playwright:
        program = chromium.executable()
        started = playwright.chromium.launch(
            executable_path=str(program) if program else None, args=chromium.ARGUMENTS
        )
        yield started
        started.close()


@pytest.fixture
def visits(browser: Browser, demonstration: Demonstration) -> Iterator[Visits]:
    """What gives people their windows."""
    with ExitStack() as contexts:
        visits = Visits(browser, demonstration.address, contexts)
        yield visits
        assert visits.strangers == []
        assert [one for one in visits.complaints if "status of 4" not in one] == []


@pytest.fixture
def visitor(visits: Visits) -> Callable[..., Visitor]:
    """Open a window for somebody: `visitor("alan")`."""
    return visits
