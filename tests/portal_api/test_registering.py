"""A portal without a demonstration gets its people, its applications and who cares for whom."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from adapters.intake.feeds import LOOPBACK
from adapters.intake.reception import receive
from auth import clients
from auth.login import local
from auth.login.strangers import Strangers
from auth.principal import Role
from fhir_server.access import CaredFor
from fhir_server.errors import Conflict, FhirError, Invalid, NotFound
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id
from fhir_server.record import Writer
from fhir_server.store.tables import audit_entry
from portal_api.commands import commands
from portal_api.operating import operator_access
from portal_api.portal import Portal
from tests.auth.signing import BOTH, EC
from tests.security.conftest import psa

PASSWORD = "tides turn twice a day"


def told(portal: Portal, command: str, **request: Any) -> Any:
    return asyncio.run(commands(portal)[command](request, "root"))  # type: ignore[arg-type]


def account(portal: Portal, login: str, role: str, **more: str) -> Any:
    request = {"nhs_number": "", "organization": "X1A", "password": PASSWORD} | more
    return told(portal, "account-add", login=login, role=role, name=f"Ms {login}", **request)


@pytest.fixture
def alan(portal: Portal) -> str:
    receive(portal.record, (LOOPBACK,), psa("9990000018", "L1"), "127.0.0.1").result(timeout=30)
    return derived_id(portal.record.id_key, "Patient", NHS_NUMBER, "9990000018")


def test_a_patient_who_is_known_gets_an_account(portal: Portal, alan: str) -> None:
    answer = account(portal, "alan", "patient", nhs_number="999 000 0018")
    assert answer == {"login": "alan", "person": f"Patient/{alan}"}
    verdict = local.judge(portal.record.select, "alan", PASSWORD, 0, Strangers())
    assert verdict.login is not None
    assert (verdict.login.role, verdict.login.patient) == (Role.PATIENT, alan)


@pytest.mark.parametrize(
    ("role", "more", "error"),
    [
        ("patient", {"nhs_number": "9990000026"}, NotFound),
        ("patient", {"nhs_number": "12"}, Invalid),
        ("nurse", {}, Invalid),
        ("auditor", {"password": "short"}, Invalid),
    ],
)
def test_an_account_that_can_not_be_is_refused(
    portal: Portal, role: str, more: dict[str, str], error: type[FhirError]
) -> None:
    with pytest.raises(error):
        account(portal, "somebody", role, **more)
    assert local.find(portal.record.select, "somebody") is None


def test_a_login_is_given_out_once_and_ends(portal: Portal) -> None:
    account(portal, "morag", "auditor")
    with pytest.raises(Conflict):
        account(portal, "morag", "auditor")
    assert told(portal, "account-end", login="morag") is True
    assert told(portal, "account-end", login="morag") is False
    assert local.find(portal.record.select, "morag") is None


def test_a_clinician_cares_for_a_patient_from_then_on(portal: Portal, alan: str) -> None:
    person = account(portal, "jo", "clinician")["person"]
    team = told(portal, "care", login="jo", nhs_number="9990000018", team="Prostate nurses")
    with pytest.raises(Conflict):
        told(portal, "care", login="jo", nhs_number="9990000018", team="Prostate nurses")
    reach = CaredFor(person.removeprefix("Practitioner/"))
    access = operator_access("root")
    seen = access.__class__(access.agent, "r", reach, {"CareTeam": frozenset({"read"})})  # type: ignore[arg-type]
    stored = portal.record.read(seen, "CareTeam", team).result(timeout=10)
    assert stored.patient == alan


@pytest.mark.usefixtures("alan")
def test_only_a_clinician_cares(portal: Portal) -> None:
    account(portal, "morag", "auditor")
    with pytest.raises(NotFound):
        told(portal, "care", login="morag", nhs_number="9990000018", team="Prostate nurses")


def test_an_application_is_registered_with_a_secret_only_where_it_can_keep_one(
    portal: Portal,
) -> None:
    request: dict[str, Any] = {
        "name": "An app",
        "scope": "patient/*.rs",
        "redirects": ["https://app.example/callback"],
        "origins": [],
    }
    public = told(portal, "client-add", client_id="app", confidential=False, **request)
    assert public == {"client_id": "app", "secret": ""}
    secret = told(portal, "client-add", client_id="server", confidential=True, **request)["secret"]
    client = clients.find(portal.record.select, "server")
    assert client is not None
    assert client.knows(secret)
    assert told(portal, "client-end", client_id="app") is True
    assert clients.find(portal.record.select, "app") is None


def signs(portal: Portal, command: str, **known: str) -> Any:
    request = {"name": "Lab", "scope": "system/hl7v2.write", "redirects": [], "origins": []}
    return told(portal, command, client_id="lab", confidential=False, **request, **known)


def test_an_application_that_signs_is_registered_by_its_keys_and_has_no_secret(
    portal: Portal,
) -> None:
    pem = EC.as_pem(private=False).decode()
    assert signs(portal, "client-add", keys=pem) == {"client_id": "lab", "secret": ""}
    client = clients.find(portal.record.select, "lab")
    assert client is not None
    assert (client.kind, client.jwks_url) == ("signing", "")
    assert EC.thumbprint() in client.jwks
    published = "https://lab.example/keys"
    assert signs(portal, "client-keys", jwks_url=published) is True
    client = clients.find(portal.record.select, "lab")
    assert client is not None
    assert (client.jwks, client.jwks_url) == ("", published)
    assert told(portal, "client-keys", client_id="nobody", jwks_url=published) is False


def test_keys_that_cant_be_used_are_refused(portal: Portal) -> None:
    for known in (
        {"keys": EC.as_pem(private=True).decode()},
        {"keys": "no keys"},
        {"keys": BOTH, "jwks_url": "https://lab.example/keys"},
        {"jwks_url": "http://lab.example/keys"},
        {"jwks_url": "http://127.0.0.1/keys"},
    ):
        for command in ("client-add", "client-keys"):
            with pytest.raises(Invalid):
                signs(portal, command, **known)
    assert clients.find(portal.record.select, "lab") is None


def test_an_application_has_a_secret_or_keys(portal: Portal) -> None:
    request = {"name": "Lab", "scope": "system/hl7v2.write", "redirects": [], "origins": []}
    with pytest.raises(Invalid, match="not both"):
        told(portal, "client-add", client_id="lab", confidential=True, keys=BOTH, **request)
    with pytest.raises(Invalid, match="Give the keys"):
        told(portal, "client-keys", client_id="lab")


def test_every_change_is_on_the_ledger(portal: Portal) -> None:
    def count(writer: Writer) -> int:
        return int(writer.select(select(func.count()).select_from(audit_entry))[0][0])

    before = portal.record.submit(operator_access("root"), count).result(timeout=10)
    account(portal, "morag", "auditor")
    with pytest.raises(Conflict):
        account(portal, "morag", "auditor")
    after = portal.record.submit(operator_access("root"), count).result(timeout=10)
    assert after == before + 2
