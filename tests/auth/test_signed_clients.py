"""Backend services: an application signs for its token, and what is not proven gets none.

The numbers are those of the SMART checklist's section 6, and of attack case 92.
"""

import base64
import hmac
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import ECKey

from auth import clients
from auth.clients import Kind
from auth.scopes import PUSH
from fhir_server.errors import Invalid
from fhir_server.model import json
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from tests.auth.signing import BOTH, EC, OTHER, RSA, Signer, key_set, laboratory, member, signed

NEUTRAL = {
    "error": "invalid_client",
    "error_description": "The application could not be authenticated.",
}
P256 = ECKey.generate_key("P-256")


@pytest.fixture
def lab(portal):
    """The laboratory's system, registered with two keys."""
    register(portal, laboratory())
    return Signer(portal.clock)


def register(portal, client) -> None:
    record = portal.services.record
    record.submit(portal.operator, lambda writer: clients.register(writer, client)).result(10)


def post(portal, form, path="/token", **options):
    return portal.another_browser().post(path, data=form, **options)


def is_unproven(portal, answer, why) -> bool:
    """One answer for every reason; the ledger alone says which it was."""
    assert (answer.status_code, answer.json()) == (400, NEUTRAL)
    assert answer.headers["cache-control"] == "no-store"
    subtype, outcome, _, _, patient, reason = portal.ledger()[-1]
    assert (subtype, outcome, patient) == ("grant", "4", "")
    assert reason == f"invalid_client: {why}"
    return True


@pytest.mark.parametrize(
    ("algorithm", "kid", "key"), [("ES384", "ec-1", EC), ("RS384", "rsa-1", RSA)]
)
def test_o6_21_o6_22_who_signs_gets_a_token_of_five_minutes_and_nothing_to_refresh_it_with(
    portal, lab, algorithm, kid, key
):
    form = lab.form(lab.assertion({"alg": algorithm, "kid": kid}, key), scope=PUSH)
    answer = post(portal, form)
    assert answer.status_code == 200
    token = answer.json()
    assert token == {
        "access_token": token["access_token"],
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": PUSH,
    }
    assert portal.ledger("grant")[-1][1:] == ("0", "client", "lab", "", PUSH)
    portal.clock.advance(299)
    assert portal.holds(token["access_token"])
    portal.clock.advance(1)
    assert not portal.holds(token["access_token"])


def test_without_a_scope_and_with_its_client_id_it_is_the_same(portal, lab):
    assert post(portal, lab.form(client_id="lab")).json()["scope"] == PUSH


@pytest.mark.parametrize("scope", ["system/*.rs", "system/Patient.read", "patient/*.rs", "x"])
def test_o6_23_a_key_alone_opens_no_record(portal, scope):
    register(portal, laboratory("lab"))
    broad = laboratory("broad")
    register(portal, clients.Client(**_fields(broad) | {"scope": "system/*.cruds"}))
    for name in ("lab", "broad"):
        answer = post(portal, Signer(portal.clock, name).form(scope=scope))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
        assert portal.ledger("grant")[-1][1:4] == ("4", "client", name)


def _fields(client):
    return {name: getattr(client, name) for name in client.__slots__}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"iss": None}, "iss and sub have to be the client_id", id="o6_6_no_iss"),
        pytest.param({"iss": "hospital"}, "iss and sub have to be the client_id", id="o6_7"),
        pytest.param({"sub": None}, "it is no JWT with sub and kid", id="o6_6_no_sub"),
        pytest.param({"sub": ["lab"]}, "it is no JWT with sub and kid", id="sub_is_a_list"),
        pytest.param(
            {"iss": "nobody", "sub": "nobody"},
            "there is no such application that signs",
            id="o6_8_unknown",
        ),
        pytest.param({"aud": None}, "aud has to be the address of the token endpoint", id="no_aud"),
        pytest.param(
            {"aud": "https://portal.example"},
            "aud has to be the address of the token endpoint",
            id="o6_9",
        ),
        pytest.param(
            {"aud": ["https://portal.example/token", "https://evil.example/token"]},
            "aud has to be the address of the token endpoint",
            id="o6_9_among_others",
        ),
        pytest.param(
            {"aud": "https://portal.example/token/"},
            "aud has to be the address of the token endpoint",
            id="o6_9_slash",
        ),
        pytest.param({"exp": None}, "it has expired", id="o6_6_no_exp"),
        pytest.param({"exp": "1893456300"}, "exp is no whole number of seconds", id="exp_text"),
        pytest.param({"exp": True}, "exp is no whole number of seconds", id="exp_true"),
        pytest.param({"jti": None}, "jti has to be 1 to 256 characters", id="o6_6_no_jti"),
        pytest.param({"jti": ""}, "jti has to be 1 to 256 characters", id="o6_13"),
        pytest.param({"jti": 7}, "jti has to be 1 to 256 characters", id="jti_number"),
        pytest.param({"jti": "x" * 257}, "jti has to be 1 to 256 characters", id="jti_long"),
    ],
)
def test_case_92_claims_that_prove_nothing(portal, lab, changes, why):
    assert is_unproven(portal, post(portal, lab.form(lab.assertion(**changes))), why)


@pytest.mark.parametrize(
    ("name", "seconds", "why"),
    [
        ("exp", 331, "exp is more than 300 seconds ahead"),
        ("exp", 3600 * 24 * 3650, "exp is more than 300 seconds ahead"),
        ("exp", -30, "it has expired"),
        ("exp", -3600, "it has expired"),
        ("nbf", 31, "it is not good yet: the clocks differ"),
        ("iat", 31, "it is not good yet: the clocks differ"),
    ],
)
def test_o6_10_o6_11_o6_12_moments_that_prove_nothing(portal, lab, name, seconds, why):
    moment = int(portal.clock().timestamp()) + seconds
    assert is_unproven(portal, post(portal, lab.form(lab.assertion(**{name: moment}))), why)


@pytest.mark.parametrize(
    ("name", "seconds"), [("exp", 330), ("exp", -29), ("nbf", 30), ("iat", 30)]
)
def test_a_clock_may_differ_by_half_a_minute(portal, lab, name, seconds):
    moment = int(portal.clock().timestamp()) + seconds
    assert post(portal, lab.form(lab.assertion(**{name: moment}))).status_code == 200


@pytest.mark.parametrize(
    ("header", "why"),
    [
        pytest.param(
            {"kid": "ec-2"}, "kid names none of the application's keys, or two of them", id="o6_2"
        ),
        pytest.param({"typ": "at+jwt"}, "the header has to be alg, kid and typ JWT", id="typ"),
        pytest.param(
            {"jku": "https://evil.example/keys"}, "jku is not the registered address", id="o6_15"
        ),
        pytest.param(
            {"jwk": member(OTHER, "ec-1")},
            "the header has to be alg, kid and typ JWT",
            id="o6_19_jwk",
        ),
        pytest.param(
            {"x5u": "https://evil.example/c"},
            "the header has to be alg, kid and typ JWT",
            id="o6_19_x5u",
        ),
        pytest.param(
            {"x5c": ["AA=="]}, "the header has to be alg, kid and typ JWT", id="o6_19_x5c"
        ),
        pytest.param({"crit": ["typ"]}, "the header has to be alg, kid and typ JWT", id="crit"),
    ],
)
def test_case_92_headers_that_prove_nothing(portal, lab, header, why):
    assert is_unproven(portal, post(portal, lab.form(lab.assertion(header))), why)


@pytest.mark.parametrize("name", ["kid", "typ"])
def test_o6_6_a_header_that_lacks_something(portal, lab, name):
    header = {key: value for key, value in lab.header.items() if key != name}
    answer = post(portal, lab.form(signed(json.encode(lab.claims()), header)))
    assert (answer.status_code, answer.json()) == (400, NEUTRAL)


def test_o6_1_a_signature_by_another_key(portal, lab):
    answer = post(portal, lab.form(lab.assertion(key=OTHER)))
    assert is_unproven(portal, answer, "the signature is not by that key")
    head, body, signature = lab.assertion().split(".")
    changed = base64.urlsafe_b64encode(json.encode(lab.claims(jti="other"))).decode().rstrip("=")
    for forged in (f"{head}.{changed}.{signature}", f"{head}.{body}.", f"{head}.{body}.AAAA"):
        assert post(portal, lab.form(forged)).json() == NEUTRAL


def test_o6_4_a_key_of_the_other_kind(portal, lab):
    answer = post(portal, lab.form(lab.assertion({"kid": "rsa-1"})))
    assert is_unproven(portal, answer, "alg is not that of the key")


def test_o6_5_algorithms_that_are_not_on_the_list(portal, lab):
    claims, header = json.encode(lab.claims()), {"kid": "rsa-1", "typ": "JWT"}
    head = base64.urlsafe_b64encode(json.encode(header | {"alg": "none"})).decode().rstrip("=")
    body = base64.urlsafe_b64encode(claims).decode().rstrip("=")
    shaped = base64.urlsafe_b64encode(json.encode(header | {"alg": "HS384"})).decode().rstrip("=")
    public = RSA.as_pem(private=False)
    by_public = hmac.digest(public, f"{shaped}.{body}".encode(), "sha384")
    hashed = f"{shaped}.{body}.{base64.urlsafe_b64encode(by_public).decode().rstrip('=')}"
    others = [
        signed(claims, header | {"alg": name}, RSA, [name]) for name in ("RS256", "RS512", "PS384")
    ]
    p256 = signed(claims, header | {"alg": "ES256", "kid": "ec-1"}, P256, ["ES256"])
    for assertion in (f"{head}.{body}.", hashed, *others, p256):
        answer = post(portal, lab.form(assertion))
        assert is_unproven(portal, answer, "alg is not RS384 or ES384")


@pytest.mark.parametrize(
    "assertion",
    ["x", "a.b.c", "..", "e30.e30.", "a.b.c.d.e", "é.é.é", "W10.W10.W10", "x" * 12_000],
)
def test_what_is_no_jwt_proves_nothing(portal, lab, assertion):
    answer = post(portal, lab.form(assertion))
    assert (answer.status_code, answer.json()) == (400, NEUTRAL)


def test_claims_that_could_be_read_in_two_ways_prove_nothing(portal, lab):
    twice = json.encode(lab.claims())[:-1] + b',"sub":"hospital"}'
    assert post(portal, lab.form(signed(twice, lab.header))).json() == NEUTRAL
    endless = json.encode(lab.claims(exp=None))[:-1] + b',"exp":NaN}'
    assert post(portal, lab.form(signed(endless, lab.header))).json() == NEUTRAL


def test_o6_14_an_assertion_is_good_once(portal, lab):
    assertion = lab.assertion()
    assert post(portal, lab.form(assertion)).status_code == 200
    assert is_unproven(portal, post(portal, lab.form(assertion)), "jti was used before")
    portal.clock.advance(329)
    assert is_unproven(portal, post(portal, lab.form(assertion)), "jti was used before")
    portal.clock.advance(1)
    assert is_unproven(portal, post(portal, lab.form(assertion)), "it has expired")


def test_o6_14_of_eight_at_once_one_gets_a_token(portal_on_each_engine):
    portal = portal_on_each_engine
    register(portal, laboratory())
    form = Signer(portal.clock).form()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(portal, form).status_code, range(8)))
    assert sorted(answers) == [200] + [400] * 7


def test_o6_14_an_assertion_that_was_used_before_a_restart_stays_used(portal, lab, sqlite_url):
    assertion = lab.assertion()
    assert post(portal, lab.form(assertion)).status_code == 200
    again = Record(open_engines(sqlite_url), portal.clock)
    object.__setattr__(portal.services, "record", again)
    assert post(portal, lab.form(assertion)).json() == NEUTRAL
    again.close()


def test_an_assertion_is_used_up_even_where_what_it_asks_for_is_refused(portal, lab):
    assertion = lab.assertion()
    refused = post(portal, lab.form(assertion, scope="system/*.rs"))
    assert refused.json()["error"] == "invalid_scope"
    assert post(portal, lab.form(assertion)).json() == NEUTRAL
    told = post(portal, lab.form(lab.assertion(), token="x"), "/introspect")
    assert (told.status_code, told.json()) == (200, {"active": False})


def test_the_same_name_may_be_used_by_two_applications(portal, lab):
    register(portal, laboratory("other-lab"))
    other = Signer(portal.clock, "other-lab")
    for one in (lab, other):
        assert post(portal, one.form(one.assertion(jti="1"))).status_code == 200


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"client_assertion_type": "not_an_assertion_type"}, "client_assertion_type is not"),
        ({"client_assertion_type": None}, "client_assertion_type is not"),
        ({"client_assertion": None}, "it is no JWT with sub and kid"),
        ({"client_id": "app"}, "client_id and sub differ"),
        ({"client_id": "hospital"}, "client_id and sub differ"),
    ],
)
def test_a_request_that_does_not_fit_its_assertion(portal, lab, changes, why):
    answer = post(portal, lab.form(**changes))
    assert (answer.status_code, answer.json()) == (400, NEUTRAL)
    assert portal.ledger()[-1][-1].startswith(f"invalid_client: {why}")


def test_an_app_that_signs_proves_itself_in_one_way(portal, lab):
    for form, options in (
        (lab.form(client_secret="x"), {}),
        (lab.form(), {"headers": {"authorization": "Basic bGFiOng="}}),
    ):
        assert post(portal, form, **options).json()["error"] == "invalid_request"


def test_o6_24_an_app_that_signs_has_no_secret_and_one_with_a_secret_does_not_sign(portal):
    register(portal, laboratory())
    for secret in ("", "x", BOTH):
        form = {"grant_type": "client_credentials", "client_id": "lab", "client_secret": secret}
        assert post(portal, form).json()["error"] == "invalid_client"
    for name in ("hospital", "app"):
        answer = post(portal, Signer(portal.clock, name).form())
        assert is_unproven(portal, answer, "there is no such application that signs")
    assert post(portal, {"grant_type": "client_credentials", "client_id": "lab"}).status_code == 401


def test_an_app_that_has_ended_signs_for_nothing(portal, lab):
    token = post(portal, lab.form()).json()["access_token"]
    record = portal.services.record
    assert record.submit(portal.operator, lambda writer: clients.end(writer, "lab")).result(10)
    assert not portal.holds(token)
    answer = post(portal, lab.form())
    assert is_unproven(portal, answer, "there is no such application that signs")


def test_o6_18_keys_are_changed_from_one_request_to_the_next(portal, lab):
    def change(keys):
        record = portal.services.record
        piece = lambda writer: clients.change_keys(writer, "lab", jwks=keys)  # noqa: E731
        return record.submit(portal.operator, piece).result(10)

    assert change(key_set(member(EC, "ec-1"), member(OTHER, "ec-2")))
    new = lab.assertion({"kid": "ec-2"}, OTHER)
    assert post(portal, lab.form(new)).status_code == 200
    assert post(portal, lab.form()).status_code == 200
    assert change(key_set(member(OTHER, "ec-2")))
    assert post(portal, lab.form()).json() == NEUTRAL
    assert portal.ledger("request")[-1][-1] == "keys changed"


def test_an_app_that_signs_may_ask_in_a_persons_name_and_keeps_its_refresh_token(portal):
    client = laboratory("signing-app")
    scope = "launch/patient offline_access patient/*.rs"
    callback = ("https://app.example/signed-in",)
    register(
        portal, clients.Client(**_fields(client) | {"scope": scope, "redirect_uris": callback})
    )
    signer = Signer(portal.clock, "signing-app")
    portal.sign_in()
    code = portal.code(client_id="signing-app", scope=scope)
    proof = {name: text for name, text in signer.form().items() if name != "grant_type"}
    first = portal.redeem(code, client_id=None, **proof).json()
    proof = {name: text for name, text in signer.form().items() if name != "grant_type"}
    again = portal.refresh(first["refresh_token"], client_id="signing-app", **proof).json()
    assert portal.holds(again["access_token"])
    assert "refresh_token" not in again
    for form in (signer.form(token=again["access_token"]), signer.form(token="unknown")):
        assert post(portal, form, "/revoke").status_code == 200
    assert not portal.holds(again["access_token"])


@pytest.mark.parametrize(
    "keys",
    [
        {"jwks": ""},
        {"jwks": BOTH, "jwks_url": "https://lab.example/keys"},
    ],
)
def test_an_app_that_signs_is_known_by_its_keys_or_by_where_they_stand(portal, keys):
    client = laboratory(**keys)
    with pytest.raises(Invalid, match="known by its keys"):
        register(portal, client)
    public = clients.Client("p", "P", Kind.PUBLIC, (), PUSH, jwks=BOTH)
    with pytest.raises(Invalid, match="known by its keys"):
        register(portal, public)
