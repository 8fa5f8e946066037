"""Signing in and out, over HTTP."""

import asyncio
import threading
import time

import httpx
import pytest

from auth import sessions
from auth.login import local
from auth.login.local import Verdict
from auth.services import HASHES_AT_ONCE
from auth.views import SignInView

ALAN = "0a1" + "1" * 29
COOKIE = "__Host-portal-session"


def who(portal, browser=None):
    """Who is signed in, as the portal's pages would ask."""
    cookies = dict((browser or portal.browser).cookies)
    session = sessions.current(portal.services, cookies)
    return session and session.login.login


def test_signing_in_begins_a_session_and_leads_on(portal_on_each_engine):
    portal = portal_on_each_engine
    answer = portal.sign_in(following="/results?page=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/results?page=2"
    assert who(portal) == "alan"
    assert portal.ledger("sign-in") == [("sign-in", "0", "patient", "portal", ALAN, "")]


def test_the_page_shows_what_it_needs_and_no_more(portal):
    portal.browser.get("/sign-in")
    assert portal.view == SignInView("/sign-in", portal.view.csrf, "/")
    assert len(portal.view.csrf) == 64


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(portal):
    answer = portal.sign_in()
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"path=/", "secure", "httponly", "samesite=lax"}


def test_case_98_the_session_is_a_new_one_after_signing_in(portal):
    portal.browser.get("/sign-in")
    before = portal.browser.cookies[COOKIE]
    portal.sign_in()
    first = portal.browser.cookies[COOKIE]
    portal.sign_in()
    assert len({before, first, portal.browser.cookies[COOKIE]}) == 3
    assert sessions.current(portal.services, {COOKIE: before}) is None
    assert sessions.current(portal.services, {COOKIE: first}) is None
    assert who(portal) == "alan"


@pytest.mark.parametrize(
    ("login", "password"),
    [("alan", "wrong"), ("nobody", "correct horse"), ("ALAN", "correct horse"), ("", ""),
     ("alan", "correct horse" + "x" * 300)],
)  # fmt: skip
def test_a_wrong_password_and_an_unknown_name_get_the_same_words(portal, login, password):
    answer = portal.sign_in(login, password)
    assert answer.status_code == 403
    assert portal.view == SignInView(
        "/sign-in",
        portal.view.csrf,
        "/",
        login=login,
        error="That name and password do not fit together. Check both and try again.",
    )
    assert who(portal) is None
    assert portal.ledger("sign-in")[-1][1:] == (
        "4",
        "unknown",
        "",
        "",
        "wrong name or password",
    )


def test_after_five_failures_a_login_waits_longer_each_time(portal):
    for _ in range(5):
        portal.sign_in("alan", "wrong")
    assert portal.sign_in().status_code == 403
    assert portal.view.error.startswith("There were too many attempts for this name")
    portal.clock.advance(1)
    assert portal.sign_in("alan", "wrong").status_code == 403
    portal.clock.advance(1)
    assert portal.sign_in().status_code == 403
    portal.clock.advance(1)
    assert portal.sign_in().status_code == 303
    assert portal.sign_in("dora").status_code == 303
    reasons = [entry[5] for entry in portal.ledger("sign-in")]
    assert reasons.count("too many failures") == 2
    assert reasons.count("wrong name or password") == 6


def test_a_name_that_nobody_has_waits_as_a_known_one_does(portal):
    told = {}
    for name in ("alan", "nobody"):
        told[name] = []
        for _ in range(12):
            answer = portal.sign_in(name, "wrong")
            told[name].append((answer.status_code, portal.view.error))
            portal.clock.advance(1.5)
    assert told["alan"] == told["nobody"]
    assert any("too many attempts" in error for _, error in told["nobody"])
    entities = [one[3] for one in portal.ledger("sign-in")]
    assert "nobody" not in str(portal.ledger())
    assert len(entities) == 24


def test_passwords_are_looked_at_a_few_at_a_time(portal, monkeypatch):
    at_once, most = 0, 0
    lock = threading.Lock()

    def counted(*_):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.01)
        with lock:
            at_once -= 1
        return Verdict(None, known=False)

    monkeypatch.setattr(local, "judge", counted)
    portal.browser.get("/sign-in")
    form = {"login": "x", "password": "y", "csrf": portal.view.csrf}

    async def all_at_once():
        transport = httpx.ASGITransport(portal.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="https://portal.example", cookies=portal.browser.cookies
        ) as client:
            tries = (client.post("/sign-in", data=form) for _ in range(20))
            return await asyncio.gather(*tries)

    assert {one.status_code for one in asyncio.run(all_at_once())} == {403}
    assert most == HASHES_AT_ONCE


def test_success_forgets_failures(portal):
    for _ in range(4):
        portal.sign_in("alan", "wrong")
    assert portal.sign_in().status_code == 303
    for _ in range(4):
        portal.sign_in("alan", "wrong")
    assert portal.sign_in().status_code == 303


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é"])
def test_case_98_a_form_from_another_site_signs_nobody_in(portal, csrf):
    portal.browser.get("/sign-in")
    form = {"login": "alan", "password": "correct horse", "csrf": csrf, "next": "/"}
    assert portal.browser.post("/sign-in", data=form).status_code == 403
    assert who(portal) is None
    assert portal.ledger("sign-in")[-1][5] == "the form did not come from this browser"


def test_a_form_from_another_browser_signs_nobody_in(portal):
    portal.browser.get("/sign-in")
    form = {"login": "alan", "password": "correct horse", "csrf": portal.view.csrf, "next": "/"}
    victim = portal.another_browser()
    assert victim.post("/sign-in", data=form).status_code == 403
    assert who(portal, victim) is None


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\/evil.example",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "/ x",
        "/é",
        "",
        "/" + "x" * 20_000,
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(portal, following):
    portal.browser.get("/sign-in", params={"next": following[:8000]})
    assert portal.view.next in {"/", following[:8000]}
    form = {
        "login": "alan",
        "password": "correct horse",
        "csrf": portal.view.csrf,
        "next": following[:8000],
    }
    answer = portal.browser.post("/sign-in", data=form)
    assert answer.headers["location"] == ("/" + "x" * 7999 if "xxx" in following else "/")


def test_a_session_ends_after_half_an_hour_without_a_request(portal):
    portal.sign_in()
    for _ in range(3):
        portal.clock.advance(29 * 60)
        assert who(portal) == "alan"
        portal.services.record.note(portal.operator, "request").result(5)
    portal.clock.advance(30 * 60)
    assert who(portal) is None


def test_a_session_ends_after_twelve_hours_in_any_case(portal):
    portal.sign_in()
    for _ in range(12 * 60 // 20 - 1):
        portal.clock.advance(20 * 60)
        assert who(portal) == "alan"
        portal.services.record.note(portal.operator, "request").result(5)
    portal.clock.advance(20 * 60)
    assert who(portal) is None


def test_signing_out_ends_the_session_for_whoever_has_its_cookie(portal):
    portal.sign_in()
    cookies = dict(portal.browser.cookies)
    csrf = sessions.current(portal.services, cookies).csrf
    assert portal.browser.post("/sign-out", data={"csrf": "0"}).status_code == 303
    assert who(portal) == "alan"
    answer = portal.browser.post("/sign-out", data={"csrf": csrf})
    assert answer.headers["location"] == "/sign-in?left=1"
    portal.browser.get(answer.headers["location"])
    assert portal.view.notice == "You are signed out."
    assert sessions.current(portal.services, cookies) is None
    assert who(portal) is None
    assert portal.ledger("sign-out") == [("sign-out", "0", "patient", "portal", ALAN, "")]


def test_a_session_dies_with_its_login(portal):
    portal.sign_in()
    portal.services.record.submit(portal.operator, lambda w: local.end(w, "alan")).result(5)
    assert who(portal) is None
    assert portal.sign_in().status_code == 403


def test_the_session_says_who_asks_on_the_portals_own_pages(portal):
    portal.sign_in("dora")
    session = sessions.current(portal.services, dict(portal.browser.cookies))
    principal = sessions.principal(session)
    assert (principal.role, principal.user, principal.name, principal.organization) == (
        "clinician",
        "Practitioner/0b2" + "2" * 29,
        "Dr Dora",
        "RX1",
    )
    assert (principal.client_id, principal.scopes, principal.patient) == ("portal", None, "")
    assert principal.token_id == f"session:{session.hash[:16]}"


def test_on_a_loopback_demonstration_without_tls_the_cookie_has_no_prefix(portal_without_tls):
    portal = portal_without_tls
    cookie = portal.sign_in().headers["set-cookie"]
    assert cookie.startswith("portal-session=")
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"path=/", "httponly", "samesite=lax"}


def test_demonstration_accounts_are_shown_where_there_are_any(portal_without_tls):
    portal = portal_without_tls
    portal.browser.get("/sign-in")
    assert [account.login for account in portal.view.demo_accounts] == ["alan"]


def test_requests_without_end_are_told_to_wait(portal_with_patience):
    portal = portal_with_patience
    for _ in range(5):
        portal.sign_in("alan", "wrong")
    answer = portal.sign_in()
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60


def test_whose_time_ran_out_is_told_so_and_nobody_else_is(portal):
    portal.sign_in()
    portal.browser.get("/sign-in")
    assert portal.view.notice == ""
    portal.clock.advance(31 * 60)
    portal.browser.get("/sign-in", params={"next": "/results"})
    assert portal.view.notice == (
        "You were signed out, because you did nothing here for 30 minutes. Sign in to go on."
    )
    portal.another_browser().get("/sign-in")
    assert portal.view.notice == ""


def test_a_sign_out_that_another_site_asks_for_does_not_claim_to_have_happened(portal):
    portal.sign_in()
    answer = portal.browser.post("/sign-out", data={"csrf": "0"})
    assert answer.headers["location"] == "/sign-in"
    assert who(portal) == "alan"
