"""What applications find out before they are known is true: SMART configuration and metadata."""

from typing import Any
from urllib.parse import urlsplit

from auth.policy import ROLES, TABLE
from auth.scopes import parse
from fhir_server.model.validate import judge
from fhir_server.rest.interactions import INTERACTIONS

SMART = "/.well-known/smart-configuration"


def test_the_smart_configuration_is_json_for_anybody_whatever_they_accept(world: Any) -> None:
    for address in (f"{world.base}/fhir{SMART}", f"{world.base}{SMART}"):
        for accept in ("application/json", "text/html", "application/fhir+xml", "*/*"):
            response = world.client.get(address, headers={"Accept": accept})
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("application/json")
            assert isinstance(response.json()["capabilities"], list)


def test_every_address_in_it_is_absolute_and_answers(world: Any) -> None:
    found = world.client.get(f"{world.base}/fhir{SMART}").json()
    addresses = {name: one for name, one in found.items() if name.endswith("_endpoint")}
    assert addresses.keys() == {
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
    }
    for address in addresses.values():
        assert urlsplit(address).netloc == urlsplit(world.base).netloc
        response = world.client.post(address, data={})
        assert response.status_code in {400, 401, 405}
    assert "S256" in found["code_challenge_methods_supported"]
    assert "plain" not in found["code_challenge_methods_supported"]
    assert "authorization_code" in found["grant_types_supported"]
    assert {"issuer", "jwks_uri"}.isdisjoint(found) or "sso-openid-connect" in found["capabilities"]
    for scope in found["scopes_supported"]:
        parse(scope)


def test_metadata_and_smart_configuration_name_the_same_addresses(world: Any) -> None:
    response = world.client.get(f"{world.base}/fhir/metadata")
    tree = judge(response.content, "CapabilityStatement")
    (oauth,) = tree["rest"][0]["security"]["extension"]
    named = {one["url"]: one["valueUri"] for one in oauth["extension"]}
    smart = world.client.get(f"{world.base}/fhir{SMART}").json()
    assert named == {
        "authorize": smart["authorization_endpoint"],
        "token": smart["token_endpoint"],
        "revoke": smart["revocation_endpoint"],
        "introspect": smart["introspection_endpoint"],
    }
    assert tree["implementation"]["url"] == f"{world.base}/fhir"


def test_metadata_claims_what_some_role_may_do_and_nothing_more(world: Any) -> None:
    tree = world.client.get(f"{world.base}/fhir/metadata").json()
    claimed = {
        one["type"]: {each["code"] for each in one["interaction"]}
        for one in tree["rest"][0]["resource"]
    }
    # A hospital's own application hands Bundles in; nobody's role gives that.
    assert claimed.pop("Bundle") == {"create"}
    allowed = {
        kind: {str(one) for role in ROLES for one in TABLE[role].get(kind, ())} for kind in claimed
    }
    assert claimed == allowed
    assert claimed == {kind: set(map(str, done)) for kind, done in INTERACTIONS.items()}


def test_discovery_may_be_read_by_a_page_of_any_origin(world: Any) -> None:
    for path in (f"/fhir{SMART}", "/fhir/metadata"):
        response = world.client.get(
            f"{world.base}{path}", headers={"Origin": "https://app.example"}
        )
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers
    response = world.client.get(
        f"{world.base}/fhir/Patient", headers={"Origin": "https://evil.example"}
    )
    assert "access-control-allow-origin" not in response.headers
