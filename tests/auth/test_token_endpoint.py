"""Tokens over HTTP: given once, bound to their application, replaced, ended, told about."""

import logging
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest

from auth import clients, consent
from auth.clients import Client, Kind
from auth.credentials import digest
from auth.login import local
from auth.scopes import PUSH
from auth.tables import code as code_table
from auth.tables import token as token_table
from auth.tokens import FAMILY_LIFE

ALAN = "0a1" + "1" * 29
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
UNTIL = FAMILY_LIFE // 1_000_000


def basic(name, secret):
    return {"authorization": "Basic " + b64encode(f"{name}:{secret}".encode()).decode()}


def is_refused(answer, error, status=400):
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"
    return True


def test_rfc_7636_appendix_b_the_known_verifier_fits_the_known_challenge(portal):
    portal.sign_in()
    code = portal.code(code_challenge=CHALLENGE)
    assert portal.redeem(code, code_verifier=VERIFIER).status_code == 200


def test_a_token_answer_is_never_kept_in_a_cache(portal):
    portal.sign_in()
    answer = portal.redeem(portal.code())
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["content-type"] == "application/json"


def test_case_87_a_code_used_twice_ends_what_it_gave(portal):
    portal.sign_in()
    code = portal.code()
    first = portal.redeem(code).json()
    assert portal.holds(first["access_token"])
    assert is_refused(portal.redeem(code), "invalid_grant")
    assert not portal.holds(first["access_token"])
    assert is_refused(portal.refresh(first["refresh_token"]), "invalid_grant")
    assert ("revoke", "0", "client", "app", "", "an authorisation code was used twice") in (
        portal.ledger()
    )


def test_case_87_of_eight_at_once_one_gets_a_token_and_it_dies_with_the_others(
    portal_on_each_engine,
):
    portal = portal_on_each_engine
    portal.sign_in()
    code = portal.code()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: portal.redeem(code), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert not portal.holds(won["access_token"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "other"}, "invalid_grant"),
        ({"redirect_uri": "uk.example.app:/signed-in"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),  # as if the method were plain
        ({"code": "BAD_CODE"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"grant_type": "not_a_grant_type"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"client_id": "nobody"}, "invalid_client"),
    ],
)
def test_case_88_a_code_is_good_for_its_own_app_address_and_verifier(portal, changes, error):
    portal.sign_in()
    assert is_refused(portal.redeem(portal.code(), **changes), error)
    assert portal.ledger("grant")[-1][1] == "4"


def test_case_88_a_code_lives_for_a_minute(portal):
    portal.sign_in()
    fresh, stale = portal.code(), portal.code()
    portal.clock.advance(59)
    assert portal.redeem(fresh).status_code == 200
    portal.clock.advance(1)
    assert is_refused(portal.redeem(stale), "invalid_grant")


def test_a_wrong_verifier_burns_the_code(portal):
    portal.sign_in()
    code = portal.code()
    assert is_refused(portal.redeem(code, code_verifier="x" * 43), "invalid_grant")
    assert is_refused(portal.redeem(code), "invalid_grant")


def test_another_app_cannot_burn_a_code(portal):
    portal.sign_in()
    code = portal.code()
    assert is_refused(portal.redeem(code, client_id="other"), "invalid_grant")
    assert portal.redeem(code).status_code == 200


def test_a_confidential_app_proves_itself_by_its_secret_in_one_of_two_ways(portal):
    portal.sign_in()
    by_post = portal.redeem(portal.code(client_id="hospital"), **portal.basic_form())
    assert by_post.status_code == 200
    form = {
        "grant_type": "authorization_code",
        "code": portal.code(client_id="hospital"),
        "redirect_uri": "https://app.example/signed-in",
        "code_verifier": VERIFIER,
    }
    by_header = portal.browser.post("/token", data=form, headers=basic("hospital", portal.secret))
    assert by_header.status_code == 200


@pytest.mark.parametrize(
    ("form", "header", "status"),
    [
        ({"client_id": "hospital"}, None, 401),
        ({"client_id": "hospital", "client_secret": "wrong"}, None, 401),
        ({"client_id": "app", "client_secret": "public apps have none"}, None, 401),
        ({}, ("hospital", "wrong"), 401),
        ({}, ("nobody", "wrong"), 401),
        ({}, ("app", ""), 401),
        ({}, None, 401),
    ],
)
def test_an_app_that_does_not_prove_itself_is_refused_with_one_text(portal, form, header, status):
    portal.sign_in()
    code = portal.code(client_id="hospital")
    headers = basic(*header) if header else {}
    sent = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER} | form
    answer = portal.another_browser().post("/token", data=sent, headers=headers)
    assert is_refused(answer, "invalid_client", status)
    assert answer.headers["www-authenticate"] == 'Basic realm="portal"'
    assert answer.json()["error_description"] == "The application could not be authenticated."


def test_a_basic_header_that_cannot_be_read_is_refused(portal):
    for header in (
        "Basic ###",
        "Basic " + b64encode(b"app\x00:x").decode(),
        "Basic JTAwOng=",
        "Basic " + b64encode(b"\xff\xfe:x").decode(),
        "basic",
    ):
        answer = portal.browser.post(
            "/token", data={"grant_type": "x"}, headers={"authorization": header}
        )
        assert answer.status_code in {400, 401}
        assert answer.json()["error"] in {"invalid_client", "unsupported_grant_type"}


def test_an_app_proves_itself_in_one_way_only(portal):
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_secret": portal.secret}
    answer = portal.browser.post("/token", data=form, headers=basic("hospital", portal.secret))
    assert is_refused(answer, "invalid_request")


@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect"])
def test_a_request_that_could_be_read_in_two_ways_is_refused(portal, path):
    form = "application/x-www-form-urlencoded"
    for options, status in (
        ({"params": {"token": "x"}}, 400),  # case 94: nothing secret in an address
        ({"json": {"grant_type": "authorization_code"}}, 400),
        ({"content": b"token=x&token=y", "headers": {"content-type": form}}, 400),
        ({"content": b"token=%ff", "headers": {"content-type": form}}, 400),
        ({"content": b"token=%00", "headers": {"content-type": form}}, 400),
        ({"content": "token=é".encode(), "headers": {"content-type": form}}, 400),
        ({"content": b"token", "headers": {"content-type": form}}, 400),
        ({"content": b"a=" + b"x" * 16_384, "headers": {"content-type": form}}, 413),
    ):
        assert is_refused(portal.browser.post(path, **options), "invalid_request", status)


def test_o2_13_lifetimes_are_an_hour_and_the_families(portal):
    answer = portal.tokens()
    assert answer["expires_in"] == 3600
    portal.clock.advance(3599)
    assert portal.holds(answer["access_token"])
    portal.clock.advance(1)
    assert not portal.holds(answer["access_token"])


def test_without_offline_access_there_is_no_refresh_token(portal):
    assert "refresh_token" not in portal.tokens(scope="patient/*.rs")


def test_a_public_apps_refresh_token_is_replaced_with_each_use(portal_on_each_engine):
    portal = portal_on_each_engine
    first = portal.tokens()
    second = portal.refresh(first["refresh_token"]).json()
    assert second == {
        "access_token": second["access_token"],
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": first["scope"],
        "patient": ALAN,
        "refresh_token": second["refresh_token"],
    }
    assert len({first["access_token"], second["access_token"]}) == 2
    assert first["refresh_token"] != second["refresh_token"]
    assert portal.holds(first["access_token"])
    assert portal.holds(second["access_token"])


def test_case_91_the_same_request_within_ten_seconds_gets_the_same_answer(portal):
    first = portal.tokens()
    second = portal.refresh(first["refresh_token"]).json()
    portal.clock.advance(10)
    again = portal.refresh(first["refresh_token"]).json()
    assert again == second | {"expires_in": 3590}
    assert portal.holds(second["access_token"])


def test_case_91_a_replaced_refresh_token_used_later_ends_the_family(portal):
    first = portal.tokens()
    second = portal.refresh(first["refresh_token"]).json()
    portal.clock.advance(10.1)
    assert is_refused(portal.refresh(first["refresh_token"]), "invalid_grant")
    assert is_refused(portal.refresh(second["refresh_token"]), "invalid_grant")
    assert not portal.holds(first["access_token"])
    assert not portal.holds(second["access_token"])
    assert portal.ledger("revoke")[-1] == (
        "revoke",
        "0",
        "client",
        "app",
        "",
        "a replaced refresh token was used again",
    )


def test_case_91_within_the_grace_too_once_the_successor_was_used(portal):
    first = portal.tokens()
    second = portal.refresh(first["refresh_token"]).json()
    third = portal.refresh(second["refresh_token"]).json()
    assert is_refused(portal.refresh(first["refresh_token"]), "invalid_grant")
    assert not portal.holds(third["access_token"])


def test_case_91_another_apps_refresh_token_is_no_grant_and_stays_unharmed(portal):
    first = portal.tokens()
    answer = portal.refresh(first["refresh_token"], client_id="other")
    assert is_refused(answer, "invalid_grant")
    assert portal.refresh(first["refresh_token"]).status_code == 200


def test_case_91_a_refresh_never_widens_a_scope(portal):
    portal.sign_in()
    answer = portal.redeem(portal.code(scope="offline_access patient/Observation.rs")).json()
    for scope in ("patient/*.rs", "patient/Observation.crs", "user/Observation.rs", "nonsense"):
        assert is_refused(portal.refresh(answer["refresh_token"], scope=scope), "invalid_scope")
    assert portal.refresh(answer["refresh_token"]).status_code == 200


def test_a_refresh_may_narrow_the_access_token_and_leaves_the_authorisation_whole(portal):
    first = portal.tokens()
    narrow = portal.refresh(first["refresh_token"], scope="patient/Observation.r").json()
    assert narrow["scope"] == "patient/Observation.r"
    assert portal.refresh(narrow["refresh_token"]).json()["scope"] == first["scope"]


def test_a_repeated_refresh_that_asks_for_something_else_is_no_repetition(portal):
    first = portal.tokens()
    portal.refresh(first["refresh_token"], scope="patient/Observation.r")
    assert is_refused(portal.refresh(first["refresh_token"]), "invalid_grant")


def test_refreshing_eight_times_at_once_gives_one_answer(portal_on_each_engine):
    portal = portal_on_each_engine
    first = portal.tokens()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: portal.refresh(first["refresh_token"]), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert len({answer.json()["access_token"] for answer in answers}) == 1


def test_a_confidential_app_keeps_its_refresh_token(portal):
    first = portal.confidential_tokens()
    for _ in range(2):
        answer = portal.refresh(first["refresh_token"], **portal.basic_form())
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
        portal.clock.advance(60)


def test_o5_5_an_authorisation_ends_after_three_months_however_often_it_is_refreshed(portal):
    text = portal.tokens()["refresh_token"]
    for _ in range(3):
        portal.clock.advance(UNTIL / 4)
        text = portal.refresh(text).json()["refresh_token"]
    portal.clock.advance(UNTIL / 4 - 60)
    last = portal.refresh(text).json()
    assert last["expires_in"] <= 60
    portal.clock.advance(60)
    assert is_refused(portal.refresh(last["refresh_token"]), "invalid_grant")
    assert not portal.holds(last["access_token"])


def test_case_95_a_revoked_access_token_works_no_more(portal):
    answer = portal.tokens()
    form = {"token": answer["access_token"], "client_id": "app"}
    revoked = portal.browser.post("/revoke", data=form)
    assert (revoked.status_code, revoked.json()) == (200, {})
    assert not portal.holds(answer["access_token"])
    assert portal.refresh(answer["refresh_token"]).status_code == 200
    assert portal.ledger("revoke")[-1][1:5] == ("0", "client", "app", ALAN)


def test_o5_6_revoking_the_refresh_token_ends_its_access_tokens_at_once(portal):
    answer = portal.confidential_tokens()
    form = {"token": answer["refresh_token"]} | portal.basic_form()
    assert portal.browser.post("/revoke", data=form).status_code == 200
    assert not portal.holds(answer["access_token"])
    refreshed = portal.refresh(answer["refresh_token"], **portal.basic_form())
    assert is_refused(refreshed, "invalid_grant")


def test_revocation_is_for_the_apps_own_tokens(portal):
    answer = portal.tokens()
    post = portal.browser.post
    text = answer["access_token"]
    assert is_refused(post("/revoke", data={"token": text, "client_id": "other"}), "invalid_grant")
    assert is_refused(post("/revoke", data={"token": text}), "invalid_client", 401)
    assert is_refused(post("/revoke", data={"client_id": "app"}), "invalid_request")
    assert post("/revoke", data={"token": "unknown", "client_id": "app"}).status_code == 200
    assert portal.holds(text)


def test_every_revocation_is_on_the_ledger_even_of_a_token_that_never_was(portal):
    before = len(portal.ledger())
    portal.browser.post("/revoke", data={"token": "unknown", "client_id": "app"})
    assert portal.ledger()[before:] == [
        ("revoke", "0", "client", "app", "", "a token that held no more, or never")
    ]


def test_case_66_withdrawn_consent_ends_that_apps_tokens_and_no_others(portal):
    mine = portal.tokens()
    portal.clock.advance(1)
    theirs = portal.confidential_tokens()
    record = portal.services.record
    assert [one.client_id for one in consent.standing(record.select, "alan")] == ["hospital", "app"]

    def piece(writer):
        return consent.withdraw(writer, login="alan", client_id="app", patient=ALAN)

    assert record.submit(portal.operator, piece).result(5)
    assert not record.submit(portal.operator, piece).result(5)
    assert not portal.holds(mine["access_token"])
    assert is_refused(portal.refresh(mine["refresh_token"]), "invalid_grant")
    assert portal.holds(theirs["access_token"])
    assert [one.client_id for one in consent.standing(record.select, "alan")] == ["hospital"]
    assert portal.ledger("consent")[-1][1:] == ("0", "operator", "", ALAN, "withdrawn")


@pytest.mark.parametrize("end", [lambda w: local.end(w, "alan"), lambda w: clients.end(w, "app")])
def test_tokens_die_with_the_login_and_with_the_application(portal, end):
    answer = portal.tokens()
    code = portal.code()
    assert portal.services.record.submit(portal.operator, end).result(5)
    assert not portal.holds(answer["access_token"])
    assert portal.refresh(answer["refresh_token"]).status_code in {400, 401}
    assert portal.redeem(code).status_code in {400, 401}


def test_introspection_tells_an_app_about_its_own_token(portal):
    answer = portal.confidential_tokens()
    now = int(portal.clock().timestamp())
    for kind in ("access_token", "refresh_token"):
        form = {"token": answer[kind]} | portal.basic_form()
        told = portal.browser.post("/introspect", data=form)
        assert told.status_code == 200
        body = told.json()
        life = 3600 if kind == "access_token" else UNTIL
        assert body == {
            "active": True,
            "scope": answer["scope"],
            "client_id": "hospital",
            "exp": now + life,
            "iat": now,
            "jti": body["jti"],
            "patient": ALAN,
        } | ({"token_type": "Bearer"} if kind == "access_token" else {})
        assert body["jti"] not in answer[kind]


def test_o4_1_an_app_may_prove_itself_by_its_access_token(portal):
    answer = portal.tokens()
    headers = {"authorization": f"Bearer {answer['access_token']}"}
    form = {"token": answer["refresh_token"]}
    told = portal.browser.post("/introspect", data=form, headers=headers)
    assert told.json()["active"] is True
    bad = portal.browser.post("/introspect", data=form, headers={"authorization": "Bearer x"})
    assert is_refused(bad, "invalid_token", 401)
    assert bad.headers["www-authenticate"] == 'Bearer realm="portal", error="invalid_token"'


def test_case_96_of_other_tokens_it_says_that_they_are_not_active_and_nothing_else(portal):
    theirs, mine = portal.tokens(), portal.confidential_tokens()
    dead = [theirs["access_token"], "unknown", "x" * 43]
    portal.browser.post("/revoke", data={"token": mine["access_token"]} | portal.basic_form())
    dead.append(mine["access_token"])
    for text in dead:
        told = portal.browser.post("/introspect", data={"token": text} | portal.basic_form())
        assert (told.status_code, told.content) == (200, b'{"active":false}')
    for form in ({"client_id": "app"}, {"client_id": "hospital"}, {}, {"client_id": "nobody"}):
        answer = portal.browser.post("/introspect", data={"token": "x"} | form)
        assert is_refused(answer, "invalid_client", 401)
    missing = portal.browser.post("/introspect", data=portal.basic_form())
    assert is_refused(missing, "invalid_request")


def test_o4_4_who_asks_too_often_is_told_when_to_come_back(portal_with_patience):
    portal = portal_with_patience
    for _ in range(5):
        portal.browser.post("/introspect", data={"token": "x"})
    for path in ("/introspect",):
        answer = portal.browser.post(path, data={"token": "x"})
        assert is_refused(answer, "temporarily_unavailable", 429)
        assert 0 < int(answer.headers["retry-after"]) <= 60
    assert portal.browser.post("/revoke", data={"token": "x"}).status_code == 401


def test_no_token_is_given_out_when_the_ledger_cannot_be_written(portal):
    portal.sign_in()
    code = portal.code()
    portal.services.record.close()
    for answer in (portal.redeem(code), portal.refresh("x"), portal.browser.post("/revoke")):
        assert answer.status_code == 503
        assert answer.json()["error"] == "temporarily_unavailable"
        assert answer.headers["retry-after"] == "5"
    assert portal.ask().status_code == 503


def test_what_is_stored_opens_nothing(portal):
    portal.sign_in()
    code = portal.code()
    answer = portal.redeem(code).json()
    select = portal.services.record.select
    stored = repr([*select(token_table.select()), *select(code_table.select())])
    for secret in (code, answer["access_token"], answer["refresh_token"]):
        assert len(secret) == 43
        assert secret not in stored
        assert digest(secret) in stored


def test_no_secret_is_ever_logged(portal, caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("authlib").setLevel(logging.INFO)  # what the router did before caplog
        answer = portal.tokens()
        again = portal.refresh(answer["refresh_token"]).json()
    texts = [answer["access_token"], answer["refresh_token"], again["refresh_token"]]
    assert not [text for text in texts if text in caplog.text]


@pytest.fixture
def mersey(portal):
    """An application that is registered for pushing messages, and its secret."""
    client = Client("mersey", "Mersey", Kind.CONFIDENTIAL, (), f"{PUSH} system/*.rs")
    registered = portal.services.record.submit(
        portal.operator, lambda writer: clients.register(writer, client)
    )
    return "mersey", registered.result(10)


def by_itself(portal, credentials, **form):
    sent = {"grant_type": "client_credentials"} | form
    return portal.another_browser().post("/token", data=sent, headers=basic(*credentials))


@pytest.mark.parametrize("scope", [{}, {"scope": PUSH}, {"scope": f"system/*.rs {PUSH}"}])
def test_an_app_by_itself_gets_a_token_for_pushing_messages_and_for_nothing_else(
    portal, mersey, scope
):
    answer = by_itself(portal, mersey, **scope).json()
    assert (answer["scope"], answer["token_type"], answer["expires_in"]) == (PUSH, "Bearer", 3600)
    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert portal.holds(answer["access_token"])
    portal.clock.advance(3600)
    assert not portal.holds(answer["access_token"])


def test_a_secret_alone_opens_no_record(portal, mersey):
    assert is_refused(by_itself(portal, mersey, scope="system/*.rs"), "invalid_scope")
    assert is_refused(by_itself(portal, mersey, scope="nonsense"), "invalid_scope")
    hospital = "hospital", portal.secret
    assert is_refused(by_itself(portal, hospital, scope="system/*.rs"), "invalid_scope")
    assert is_refused(by_itself(portal, hospital, scope=PUSH), "invalid_scope")
    assert is_refused(by_itself(portal, ("mersey", "wrong")), "invalid_client", 401)
    public = {"grant_type": "client_credentials", "client_id": "app"}
    assert is_refused(portal.another_browser().post("/token", data=public), "invalid_client", 401)
    assert portal.ledger("grant")[-1][1] == "4"


def test_the_token_of_an_app_that_has_ended_holds_no_more(portal, mersey):
    token = by_itself(portal, mersey).json()["access_token"]
    ended = portal.services.record.submit(
        portal.operator, lambda writer: clients.end(writer, "mersey")
    )
    assert ended.result(10)
    assert not portal.holds(token)
    assert is_refused(by_itself(portal, mersey), "invalid_client", 401)
