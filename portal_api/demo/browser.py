"""A person at a browser without JavaScript: pages are opened, forms filled in and sent.

For setting the demonstration up and for checking it, over HTTP like anybody else.
"""

from dataclasses import dataclass
from html.parser import HTMLParser
from types import TracebackType
from typing import Self

import httpx

_SECONDS = 30.0


class PageWrong(Exception):
    """A page is not what was expected; the text says which and what it is."""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a page, with what it would send as it stands, and its buttons."""

    action: str
    method: str
    fields: tuple[tuple[str, str], ...]


class Browser:
    """One person's browser, with its cookies, at the portal at *address*."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, follow_redirects=True, timeout=_SECONDS)

    def __enter__(self) -> Self:
        """Open the browser."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close the browser."""
        self._client.close()

    def open(self, path: str, expected: int = 200) -> httpx.Response:
        """Return the page at *path*. Raises PageWrong unless its status is the *expected* one."""
        return _judged(self._client.get(path), expected)

    def send(
        self, page: httpx.Response, action: str, fields: dict[str, str], expected: int = 200
    ) -> httpx.Response:
        """Send the form of *page* whose action ends in *action*, with *fields* filled in."""
        for form in forms(page.text):
            if form.method == "post" and form.action.endswith(action):
                sent = [pair for pair in form.fields if pair[0] not in fields]
                return self._post(form.action, [*sent, *fields.items()], expected)
        raise PageWrong(f"{page.url.path} has no form that leads to {action}.")

    def sign_in(self, login: str, password: str) -> httpx.Response:
        """Sign in, and return the first page of this kind of user."""
        page = self.open("/sign-in")
        return self.send(page, "/sign-in", {"login": login, "password": password})

    def redirected(self, page: httpx.Response, action: str, fields: dict[str, str]) -> str:
        """Send a form whose answer leads elsewhere; return the address, which is not followed."""
        self._client.follow_redirects = False
        try:
            answer = self.send(page, action, fields, expected=303)
        finally:
            self._client.follow_redirects = True
        return answer.headers["location"]

    def _post(self, action: str, pairs: list[tuple[str, str]], expected: int) -> httpx.Response:
        sent: dict[str, list[str]] = {}
        for name, value in pairs:
            sent.setdefault(name, []).append(value)
        return _judged(self._client.post(action, data=sent), expected)


def forms(page: str) -> tuple[Form, ...]:
    """Return the forms of an HTML page, in their order."""
    reader = _Forms()
    reader.feed(page)
    return tuple(Form(action, method, tuple(fields)) for action, method, fields in reader.found)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, list[tuple[str, str]]]] = []
        self._inside = False
        self._writing: list[str] | None = None
        self._name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = True
            self.found.append((given.get("action", ""), given.get("method", "get").lower(), []))
        elif tag == "textarea" and self._inside:
            self._writing, self._name = [], given.get("name", "")
        elif tag == "input" and self._inside and given.get("name"):
            ticked = given.get("type") not in {"checkbox", "radio"} or "checked" in given
            if ticked:
                self.found[-1][2].append((given["name"], given.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._writing is not None:
            self._writing.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._writing is not None:
            self.found[-1][2].append((self._name, "".join(self._writing).lstrip("\n")))
            self._writing = None


def _judged(page: httpx.Response, expected: int) -> httpx.Response:
    if page.status_code != expected:
        raise PageWrong(
            f"{page.request.method} {page.url.path} was answered with {page.status_code}, "
            f"not {expected}."
        )
    return page
