"""Discovery, and which origins may read what."""

import pytest

from auth import granting
from auth.clients import origin_is_registered
from auth.cors import Cors
from auth.principal import Role
from auth.scopes import PUSH
from auth.smart import CAPABILITIES, SCOPES

URL = "https://portal.example"
REGISTERED = "https://app.example"
FOREIGN = "https://evil.example"
EVERYTHING = "launch/patient offline_access patient/*.cruds user/*.cruds"


@pytest.fixture
def outside(portal):
    """The portal as browsers of other sites reach it."""

    def registered(origin):
        return origin_is_registered(portal.services.record.select, origin)

    return portal.reached_through(Cors(portal.app, registered))


@pytest.mark.parametrize("base", ["", "/fhir"])
@pytest.mark.parametrize("accept", ["application/json", "text/html", "application/fhir+xml"])
def test_o1_1_o1_2_o1_7_the_configuration_is_there_for_anybody_as_json(portal, base, accept):
    answer = portal.browser.get(
        f"{base}/.well-known/smart-configuration", headers={"accept": accept}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "authorization_endpoint": f"{URL}/authorize",
        "token_endpoint": f"{URL}/token",
        "revocation_endpoint": f"{URL}/revoke",
        "introspection_endpoint": f"{URL}/introspect",
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            "none",
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "scopes_supported": list(SCOPES),
        "capabilities": list(CAPABILITIES),
    }


def test_o1_6_nothing_is_claimed_that_is_not_done():
    assert set(CAPABILITIES) == {
        "launch-standalone",
        "client-public",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "context-standalone-patient",
        "permission-offline",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
        "authorize-post",
    }


def test_o1_3_every_scope_that_is_named_can_be_granted():
    assert str(granting.by_itself(PUSH, PUSH)) == PUSH
    for scope in set(SCOPES) - {PUSH}:
        asked = granting.requested(f"patient/Patient.r {scope}", EVERYTHING)
        granted = granting.by_person(asked, Role.PATIENT, "0a1" + "1" * 29)
        ticked = {str(one) for one in granting.choices(granted, Role.PATIENT)} | {"offline_access"}
        assert scope in str(granting.ticked(granted, Role.PATIENT, ticked)).split()


def test_rfc_8414_and_9207_the_issuer_is_named_to_those_who_compare_it(portal):
    answer = portal.browser.get("/.well-known/oauth-authorization-server").json()
    assert answer["issuer"] == URL
    assert answer["authorization_response_iss_parameter_supported"] is True
    assert "capabilities" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/smart-configuration",
        "/fhir/.well-known/smart-configuration",
        "/.well-known/oauth-authorization-server",
        "/fhir/metadata",
    ],
)
def test_o1_8_discovery_is_for_any_origin(outside, path):
    answer = outside.get(path, headers={"origin": FOREIGN})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect", "/fhir/Patient", "/fhir"])
def test_o1_8_o1_9_o1_10_the_rest_is_for_registered_origins_and_never_with_credentials(
    outside, path
):
    for origin, allowed in (
        (REGISTERED, REGISTERED),
        (FOREIGN, None),
        ("null", None),
        (REGISTERED + ".evil.example", None),
        (REGISTERED + "/", None),
        (REGISTERED.upper(), None),
        ("http://app.example", None),
        ("", None),
    ):
        answer = outside.post(path, headers={"origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
        if allowed:
            assert answer.headers["access-control-expose-headers"].startswith("ETag, Location")


def test_o1_11_a_preflight_is_answered(outside):
    asked = {
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
    }
    answer = outside.send("OPTIONS", "/fhir/Patient", headers=asked | {"origin": REGISTERED})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == REGISTERED
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT"
    assert answer.headers["vary"] == "Origin"
    refused = outside.send("OPTIONS", "/fhir/Patient", headers=asked | {"origin": FOREIGN})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


def test_sign_in_and_consent_are_for_no_other_origin(outside):
    for path in ("/sign-in", "/authorize", "/authorize/decision", "/fhirx"):
        answer = outside.get(path, headers={"origin": REGISTERED})
        assert "access-control-allow-origin" not in answer.headers
