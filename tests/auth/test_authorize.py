"""The authorisation endpoint and the consent page, over HTTP: asked, shown, allowed, refused."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from auth import clients
from auth.authorize import LIFE
from auth.views import Choice, ConsentView, RefusalView, SignInView

ALAN = "0a1" + "1" * 29
URL = "https://portal.example"
CALLBACK = "https://app.example/signed-in"
STATE = "a-state/with=odd&signs+%20"


def sent_back(response):
    assert response.status_code == 303, response.text
    query = urlsplit(response.headers["location"]).query
    return {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}


def refused_by_page(portal, response, status=400):
    """No redirect, a page, nothing that was sent repeated in it."""
    assert response.status_code == status
    assert "location" not in response.headers
    assert isinstance(portal.view, RefusalView)
    assert portal.view.request_id == response.headers["x-request-id"]
    return True


def test_a_patient_allows_an_app_and_the_app_gets_a_token(portal_on_each_engine):
    portal = portal_on_each_engine
    portal.sign_in()
    answer = portal.redeem(portal.code())
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body == {
        "access_token": body["access_token"],
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "launch/patient offline_access patient/*.rs patient/Communication.c",
        "patient": ALAN,
        "refresh_token": body["refresh_token"],
    }
    assert portal.holds(body["access_token"])
    assert [entry[:5] for entry in portal.ledger() if entry[0] != "request"] == [
        ("sign-in", "0", "patient", "portal", ALAN),
        ("consent", "0", "patient", "portal", ALAN),
        ("grant", "0", "client", "app", ALAN),
    ]


def test_whoever_is_not_signed_in_signs_in_first_and_comes_back_to_the_question(portal):
    asked = portal.ask()
    assert asked.status_code == 200
    assert portal.view == SignInView(
        action="/sign-in",
        csrf=portal.view.csrf,
        next="/authorize?" + urlencode(portal.request()),
        client_name="Test App <b>",
    )
    form = {"login": "alan", "password": "correct horse", "csrf": portal.view.csrf}
    entered = portal.browser.post("/sign-in", data=form | {"next": portal.view.next})
    assert entered.status_code == 303
    assert portal.browser.get(entered.headers["location"]).status_code == 200
    assert isinstance(portal.view, ConsentView)
    assert sent_back(portal.decide()).keys() == {"code", "state", "iss"}


def test_the_consent_page_says_who_asks_whom_for_what(portal):
    portal.sign_in()
    portal.ask(
        scope="launch/patient offline_access patient/Observation.rs patient/Communication.cs"
    )
    assert portal.view == ConsentView(
        action="/authorize/decision",
        csrf=portal.view.csrf,
        request=portal.view.request,
        client_name="Test App <b>",
        signed_in_as="Alan Ash",
        subject="your own record",
        choices=(
            Choice("patient/Observation.rs", "Test results", "see"),
            Choice(
                "patient/Communication.cs",
                "Messages with the care team",
                "see and write messages in your name",
            ),
        ),
        offline=portal.view.offline,
        warnings=(),
        returns_to="app.example",
    )


def test_no_line_of_the_consent_page_says_what_another_says(portal):
    portal.sign_in()
    asked = "patient/*.rs patient/Communication.c user/*.rs user/Observation.rs"
    portal.ask(scope=asked)
    lines = [choice.text for choice in portal.view.choices]
    assert len(set(lines)) == len(lines)
    said = {choice.text: (choice.value, choice.detail) for choice in portal.view.choices}
    assert said["Messages with the care team"] == (
        "patient/Communication.rs user/Communication.rs",
        "see",
    )
    assert said["Messages to the care team"] == (
        "patient/Communication.c",
        "write messages in your name",
    )
    ticked = [said["Messages with the care team"][0], said["Test results"][0]]
    left = portal.redeem(portal.code(scope=asked, choices=ticked)).json()["scope"]
    assert set(left.split()) == {
        "patient/Communication.rs",
        "user/Communication.rs",
        "patient/Observation.rs",
        "user/Observation.rs",
    }


def test_o2_18_and_o2_19_everything_and_staying_connected_are_said_in_words(portal):
    portal.sign_in()
    portal.ask(scope="offline_access patient/*.rs")
    (warning,) = portal.view.warnings
    assert warning.startswith("This app asks for everything that you can see here")
    assert portal.view.offline == Choice(
        "offline_access",
        "Stay connected",
        "The app can go on looking when you are not using it, for up to three months, "
        "or until you end it.",
    )
    assert [choice.value for choice in portal.view.choices[:2]] == [
        "patient/Patient.rs",
        "patient/Observation.rs",
    ]


def test_case_103_a_token_has_only_what_was_left_ticked_and_says_so(portal):
    portal.sign_in()
    ticked = ["patient/Observation.rs", "patient/Communication.c"]
    answer = portal.redeem(portal.code(choices=ticked)).json()
    assert answer["scope"] == "launch/patient patient/Observation.rs patient/Communication.c"
    assert "refresh_token" not in answer


def test_a_tick_for_something_that_was_not_asked_gives_nothing(portal):
    portal.sign_in()
    asked = "patient/Observation.rs"
    code = portal.code(scope=asked, choices=[asked, "patient/*.cruds", "user/Patient.rs"])
    assert portal.redeem(code).json()["scope"] == asked


def test_whoever_unticks_everything_denies(portal):
    portal.sign_in()
    portal.ask()
    answer = sent_back(portal.decide(choices=["offline_access"]))
    assert answer["error"] == "access_denied"
    denied = ("consent", "4", "patient", "portal", ALAN, "access_denied")
    assert portal.ledger("consent") == [denied]


def test_whoever_says_no_sends_the_app_back_with_its_state_and_nothing_else(portal):
    portal.sign_in()
    portal.ask()
    answer = portal.decide(decision="deny")
    assert answer.headers["location"].startswith(CALLBACK + "?")
    back = sent_back(answer)
    del back["error_description"]
    assert back == {"error": "access_denied", "state": STATE, "iss": URL}


def test_o2_7_and_o2_8_state_comes_back_byte_for_byte_beside_the_issuer(portal):
    portal.sign_in()
    portal.ask()
    back = sent_back(portal.decide())
    assert (back["state"], back["iss"]) == (STATE, URL)
    assert back.keys() == {"code", "state", "iss"}


def test_o2_16_scopes_of_version_1_come_back_in_its_words(portal):
    portal.sign_in()
    asked = "launch/patient patient/Observation.read patient/Communication.*"
    assert portal.redeem(portal.code(scope=asked)).json()["scope"] == asked


def test_an_authorisation_request_may_be_posted(portal):
    portal.sign_in()
    posted = portal.browser.post("/authorize", data=portal.request())
    assert posted.status_code == 303
    assert portal.browser.get(posted.headers["location"]).status_code == 200
    assert sent_back(portal.decide())["state"] == STATE


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None},  # O2.1
        {"code_challenge_method": "plain"},  # O2.2
        {"code_challenge_method": None},  # O2.3
        {"code_challenge": "short"},
        {"aud": None},  # O2.4
        {"aud": "https://inferno.healthit.gov/invalid_aud"},
        {"state": None},  # case 90, and below
        {"state": "short"},
        {"response_mode": "web_message"},
        {"response_mode": "fragment"},
        {"launch": "abc"},
    ],
)
@pytest.mark.parametrize("client_id", ["app", "hospital"])
def test_case_90_what_is_missing_or_not_supported_goes_back_as_an_error(portal, changes, client_id):
    portal.sign_in()
    answer = portal.ask(client_id=client_id, **changes)
    assert answer.headers["location"].startswith(CALLBACK + "?")
    back = sent_back(answer)
    assert back["error"] == "invalid_request"
    assert back["iss"] == URL
    assert back.get("state") == portal.request(**changes).get("state")
    told = ("consent", "4", "patient", "portal", "", "invalid_request")
    assert portal.ledger("consent")[-1] == told


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'code "id_token'}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://evil.example/"}, "request_uri_not_supported"),
        ({"prompt": "none"}, "interaction_required"),  # case 120: consent is never skipped
        ({"scope": None}, "invalid_scope"),
        ({"scope": "patient/Observation.sr"}, "invalid_scope"),  # case 101
        ({"scope": "patient/Observation.rs?category:not=x"}, "invalid_scope"),
        ({"scope": "patient/*.rs system/*.rs"}, "invalid_scope"),  # case 102
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": "openid fhirUser"}, "invalid_scope"),
        ({"scope": "launch/patient offline_access"}, "invalid_scope"),
        ({"scope": "patient/Encounter.rs"}, "invalid_scope"),
        ({"scope": 'patient/"Observation.rs'}, "invalid_scope"),
    ],
)
def test_each_kind_of_refusal_has_its_own_error(portal, changes, error):
    portal.sign_in()
    assert sent_back(portal.ask(**changes))["error"] == error


@pytest.mark.parametrize(
    ("login", "scope", "status"),
    [
        ("dora", "patient/*.rs", "invalid_scope"),
        ("dora", "launch/patient user/*.rs", "invalid_scope"),
        ("vera", "user/Observation.rs", "invalid_scope"),
        ("oscar", "user/*.rs", "invalid_scope"),
        ("dora", "user/*.rs", ""),
        ("vera", "user/AuditEvent.rs", ""),
        ("alan", "user/*.rs", ""),
        ("alan", "patient/*.rs", ""),
    ],
)
def test_case_99_a_patients_scopes_need_a_patient_and_a_users_mean_that_user(
    portal, login, scope, status
):
    portal.sign_in(login)
    answer = portal.ask(scope=scope)
    if status:
        assert sent_back(answer)["error"] == status
    else:
        body = portal.redeem(sent_back(portal.decide())["code"]).json()
        assert body["scope"] == scope
        assert body.get("patient", "") == (ALAN if login == "alan" else "")


def test_an_app_gets_no_more_than_it_is_registered_for(portal):
    portal.sign_in()
    code = portal.code(client_id="other", scope="launch/patient offline_access patient/*.cruds")
    assert portal.redeem(code, client_id="other").json()["scope"] == "patient/*.rs"


@pytest.mark.parametrize(
    "address",
    [
        CALLBACK + "/",
        CALLBACK + "/more",
        CALLBACK + "?x=1",
        CALLBACK + "#x",
        CALLBACK.upper(),
        "https://app.example:8443/signed-in",
        "https://app.example@evil.example/signed-in",
        "https://app.example\\@evil.example/",
        "https://аpp.example/signed-in",  # noqa: RUF001 - a Cyrillic letter
        "https://app.example/x/../signed-in",
        'https://evil.example/"',
        "uk.example.app2:/signed-in",
        "javascript:alert(1)",
        "",
        None,
    ],
)
@pytest.mark.parametrize("response_type", ["code", "token", "x"])
def test_case_89_an_address_that_is_not_registered_gets_a_page_and_no_redirect(
    portal, address, response_type
):
    portal.sign_in()
    answer = portal.ask(redirect_uri=address, response_type=response_type)
    assert refused_by_page(portal, answer)


@pytest.mark.parametrize("client_id", ["nobody", "", None, 'x"', "app\x01", "APP"])
def test_an_application_that_is_not_registered_gets_a_page_and_no_redirect(portal, client_id):
    portal.sign_in()
    assert refused_by_page(portal, portal.ask(client_id=client_id))


def test_an_application_that_has_ended_can_ask_no_more(portal):
    portal.sign_in()
    portal.ask()
    access = portal.operator
    record = portal.services.record
    assert record.submit(access, lambda writer: clients.end(writer, "app")).result(5)
    assert refused_by_page(portal, portal.decide(), 403)
    assert refused_by_page(portal, portal.ask())


@pytest.mark.parametrize("name", ["state", "client_id", "redirect_uri", "scope", "code_challenge"])
def test_o2_6_a_repeated_parameter_is_refused(portal, name):
    portal.sign_in()
    query = urlencode([*portal.request().items(), (name, "x")])
    assert refused_by_page(portal, portal.browser.get(f"/authorize?{query}"))


def test_native_apps_are_answered_at_their_scheme_and_on_any_loopback_port(portal):
    portal.sign_in()
    for address, target in (
        ("uk.example.app:/signed-in", "uk.example.app:"),
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1:51004"),
    ):
        page = portal.ask(redirect_uri=address)
        policy = page.headers["content-security-policy"]
        assert policy.endswith(f"form-action 'self' {target}")
        answer = portal.decide()
        assert answer.headers["location"].startswith(f"{address}?code=")
        code = sent_back(answer)["code"]
        assert portal.redeem(code, redirect_uri=address).status_code == 200


def test_case_120_pages_cannot_be_framed_and_load_nothing_from_elsewhere(portal):
    pages = [portal.ask()]
    portal.sign_in()
    pages += [portal.ask(), portal.ask(client_id="nobody")]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'; style-src 'self'; script-src 'self'" in policy
        assert "frame-ancestors 'none'; form-action 'self'" in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("changes", [{"csrf": ""}, {"csrf": "0" * 64}, {"csrf": "é"}])
def test_case_120_an_approval_that_comes_from_another_site_is_refused(portal, changes):
    portal.sign_in()
    portal.ask()
    assert refused_by_page(portal, portal.decide(**changes), 403)
    assert sent_back(portal.decide())["state"] == STATE


def test_case_120_an_approval_is_answered_once(portal):
    portal.sign_in()
    portal.ask()
    first, second = portal.decide(), portal.decide()
    assert first.status_code == 303
    assert refused_by_page(portal, second, 403)
    assert len(portal.ledger("consent")) == 2
    assert [entry[1] for entry in portal.ledger("consent")] == ["0", "4"]


def test_case_120_nobody_approves_what_was_shown_to_another_session(portal):
    portal.sign_in()
    portal.ask()
    shown = portal.view
    attacker = portal.another_browser()
    portal.sign_in("dora", browser=attacker)
    portal.ask(browser=attacker, scope="user/*.rs")
    form = {"csrf": portal.view.csrf, "request": shown.request, "decision": "allow"}
    choices = [choice.value for choice in shown.choices]
    answer = attacker.post("/authorize/decision", data=form | {"choice": choices})
    assert refused_by_page(portal, answer, 403)


def test_an_approval_without_a_session_is_refused(portal):
    portal.sign_in()
    portal.ask()
    assert refused_by_page(portal, portal.decide(browser=portal.another_browser()), 403)


def test_a_question_that_waited_too_long_is_asked_again(portal):
    portal.sign_in()
    portal.ask()
    portal.clock.advance(LIFE / 1_000_000 + 1)
    assert refused_by_page(portal, portal.decide(), 403)


def test_a_decision_is_to_allow_or_to_deny(portal):
    portal.sign_in()
    portal.ask()
    for decision in ("", "ALLOW", "maybe"):
        assert refused_by_page(portal, portal.decide(decision=decision))


def test_consent_is_asked_each_time(portal):
    portal.tokens()
    assert portal.ask().status_code == 200
    assert isinstance(portal.view, ConsentView)


def test_a_page_longer_than_any_request_is_refused(portal):
    answer = portal.browser.get("/authorize?state=" + "x" * 20_000)
    assert refused_by_page(portal, answer, 413)
