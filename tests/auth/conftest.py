"""A whole authorisation server over a real record: applications, people, and a clock to turn."""

import asyncio
import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import select

from auth import bearer, clients
from auth.clients import Client, Kind
from auth.endpoints import discovery, router
from auth.login import local
from auth.login.local import Login
from auth.principal import Role
from auth.services import AuthServices
from auth.throttle import Throttle
from auth.views import ConsentView, DemoAccount
from fhir_server.access import Access, Agent, WholeStore
from fhir_server.errors import Unauthenticated
from fhir_server.model import json
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from fhir_server.store.tables import audit_entry

URL = "https://portal.example"
FHIR = f"{URL}/fhir"
CALLBACK = "https://app.example/signed-in"
NATIVE = "uk.example.app:/signed-in"
LOOPBACK = "http://127.0.0.1/cb"
ALAN = "0a1" + "1" * 29
DOCTOR = "0b2" + "2" * 29
PASSWORD = "correct horse"
STATE = "a-state/with=odd&signs+%20"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SCOPE = "launch/patient offline_access patient/*.rs patient/Communication.c"


@dataclass
class Hands:
    """A clock that a test turns."""

    instant: datetime = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@dataclass
class Pages:
    """Renders views as the barest pages, and remembers the last of each."""

    views: list[object] = field(default_factory=list)

    def render(self, view: object) -> bytes:
        self.views.append(view)
        return f"<html><body>{html.escape(type(view).__name__)}</body></html>".encode()


class Browser:
    """A client with a cookie jar, which speaks HTTP with the application in this process."""

    def __init__(self, app, url) -> None:
        self._app, self._url, self.cookies = app, url, httpx.Cookies()

    def get(self, path, **options) -> httpx.Response:
        return self.send("GET", path, **options)

    def post(self, path, **options) -> httpx.Response:
        return self.send("POST", path, **options)

    def send(self, method, path, **options) -> httpx.Response:
        async def sending() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url=self._url, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(sending())


@dataclass
class Portal:
    """The server, as an application, a browser and an auditor meet it."""

    services: AuthServices
    clock: Hands
    pages: Pages
    app: FastAPI
    secret: str
    browser: Browser

    @property
    def view(self):
        return self.pages.views[-1]

    def reached_through(self, middleware) -> Browser:
        return Browser(middleware, self.services.public_url)

    def another_browser(self) -> Browser:
        return Browser(self.app, self.services.public_url)

    def sign_in(self, login="alan", password=PASSWORD, *, browser=None, following="/"):
        browser = browser or self.browser
        browser.get("/sign-in", params={"next": following})
        form = {
            "login": login,
            "password": password,
            "csrf": self.view.csrf,
            "next": self.view.next,
        }
        return browser.post("/sign-in", data=form)

    def request(self, **changes):
        asked = {
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": CALLBACK,
            "scope": SCOPE,
            "state": STATE,
            "aud": FHIR,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        return {name: value for name, value in asked.items() if value is not None}

    def ask(self, *, browser=None, **changes):
        return (browser or self.browser).get("/authorize", params=self.request(**changes))

    @property
    def operator(self) -> Access:
        return operator()

    def decide(self, *, browser=None, decision="allow", choices=None, **changes):
        """Send the form of the last consent page, everything ticked unless *choices* says what."""
        view = next(view for view in reversed(self.pages.views) if isinstance(view, ConsentView))
        if choices is None:
            choices = [one.value for one in (*view.choices, view.offline) if one]
        form = {
            "csrf": view.csrf,
            "request": view.request,
            "decision": decision,
            "choice": choices,
        } | changes
        return (browser or self.browser).post("/authorize/decision", data=form)

    def code(self, *, browser=None, choices=None, **changes) -> str:
        """Ask, allow, and return the code that the application gets."""
        asked = self.ask(browser=browser, **changes)
        assert asked.status_code == 200, asked.headers.get("location")
        return answered(self.decide(browser=browser, choices=choices))["code"]

    def redeem(self, issued, **changes):
        form = {
            "grant_type": "authorization_code",
            "code": issued,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "client_id": "app",
        } | changes
        form = {name: value for name, value in form.items() if value is not None}
        return self.another_browser().post("/token", data=form)

    def refresh(self, text, **changes):
        form = {"grant_type": "refresh_token", "refresh_token": text, "client_id": "app"}
        return self.another_browser().post("/token", data=form | changes)

    def tokens(self, **changes):
        """Sign in, ask, allow, redeem: the answer of the token endpoint."""
        self.sign_in()
        return self.redeem(self.code(**changes)).json()

    def confidential_tokens(self, scope=SCOPE):
        self.sign_in()
        code = self.code(client_id="hospital", scope=scope)
        return self.redeem(code, **self.basic_form()).json()

    def holds(self, text) -> bool:
        """Whether *text* opens anything, as an access token, at this moment."""
        try:
            bearer.authenticate(self.services.record.select, f"Bearer {text}", self.services.now)
        except Unauthenticated:
            return False
        return True

    def basic_form(self):
        return {"client_id": "hospital", "client_secret": self.secret}

    def ledger(self, subtype=None):
        """The entries as (subtype, outcome, role, client, patient, reason)."""
        with self.services.record.engines.reader.connect() as connection:
            rows = connection.execute(
                select(audit_entry.c.body, audit_entry.c.patient, audit_entry.c.client).order_by(
                    audit_entry.c.seq
                )
            ).all()
        entries = [(json.decode(bytes(row.body)), row) for row in rows]
        return [
            (
                tree["subtype"][0]["code"],
                tree["outcome"],
                next(r["coding"][0]["code"] for a in tree["agent"] for r in a.get("role", ())),
                row.client,
                row.patient,
                tree.get("outcomeDesc", ""),
            )
            for tree, row in entries
            if subtype is None or tree["subtype"][0]["code"] == subtype
        ]


def answered(response) -> dict[str, str]:
    """The parameters with which the browser was sent back to the application."""
    assert response.status_code == 303, response.text
    query = urlsplit(response.headers["location"]).query
    return {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}


def operator() -> Access:
    agent = Agent("operator", user="login:root", behind="root")
    return Access(agent, "setup", WholeStore(), {})


def furnish(writer) -> str:
    """Register the applications and people that the tests know; return hospital's secret."""
    public = Client(
        "app",
        "Test App <b>",
        Kind.PUBLIC,
        (CALLBACK, NATIVE, LOOPBACK),
        "launch/patient offline_access patient/*.cruds user/*.cruds",
        ("https://app.example",),
    )
    clients.register(writer, public)
    other = Client("other", "Other App", Kind.PUBLIC, (CALLBACK,), "patient/*.rs")
    clients.register(writer, other)
    hospital = Client(
        "hospital",
        "Hospital App",
        Kind.CONFIDENTIAL,
        (CALLBACK,),
        "launch/patient offline_access patient/*.rs user/*.rs system/*.rs",
    )
    secret = clients.register(writer, hospital)
    known = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    for login in (
        Login("alan", Role.PATIENT, "Alan Ash", f"Patient/{ALAN}", demo=True),
        Login("dora", Role.CLINICIAN, "Dr Dora", f"Practitioner/{DOCTOR}", "RX1"),
        Login("vera", Role.AUDITOR, "Vera Vale"),
        Login("oscar", Role.OPERATOR, "Oscar Oak"),
    ):
        local.register(writer, login, known)
    return secret


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def record(sqlite_url, clock) -> Iterator[Record]:
    opened = Record(open_engines(sqlite_url), clock)
    yield opened
    opened.close()


@pytest.fixture
def record_on_each_engine(database_url, clock) -> Iterator[Record]:
    opened = Record(open_engines(database_url), clock)
    yield opened
    opened.close()


def built(record, clock, *, url=URL, limit=1000, demo_accounts=()) -> Portal:
    secret = record.submit(operator(), furnish).result(timeout=5)
    pages = Pages()
    services = AuthServices(
        record,
        url,
        pages.render,
        pages.render,
        pages.render,
        attempts=Throttle(limit=limit, seconds=60),
        exchanges=Throttle(limit=limit, seconds=60),
        demo_accounts=demo_accounts,
    )
    app = FastAPI(openapi_url=None)
    app.include_router(discovery(services))
    app.include_router(router(services))
    browser = Browser(app, url)
    return Portal(services, clock, pages, app, secret, browser)


@pytest.fixture
def portal(record, clock) -> Portal:
    return built(record, clock)


@pytest.fixture
def portal_on_each_engine(record_on_each_engine, clock) -> Portal:
    return built(record_on_each_engine, clock)


@pytest.fixture
def portal_with_patience(record, clock) -> Portal:
    """It allows five requests a minute to each endpoint."""
    return built(record, clock, limit=5)


@pytest.fixture
def portal_without_tls(record, clock) -> Portal:
    """A demonstration on this machine."""
    account = DemoAccount("alan", PASSWORD, "Alan Ash", "patient", "Watches his PSA")
    return built(record, clock, url="http://127.0.0.1:8000", demo_accounts=(account,))
