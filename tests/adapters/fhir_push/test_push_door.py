"""Who may post a Bundle, what HTTP answers, and what the ledger and the log keep of it."""

from typing import Any

import pytest

from auth.principal import Role
from fhir_server.model import json
from fhir_server.model.validate import judge
from tests.adapters.fhir_push.bundles import (
    ALAN,
    AT,
    changed,
    document,
    message,
    organization,
    ref,
    resources,
    transaction,
)
from tests.adapters.fhir_push.hospital import FHIR, PUSH, Hospital, said

Tree = dict[str, Any]

RESULT = f"entry.{AT['psa']}.resource"


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("", transaction()),
        ("/", transaction()),
        ("/$process-message", message()),
        ("/Bundle", document()),
    ],
)
def test_only_an_application_that_a_feed_names_may_post(
    hospital: Hospital, path: str, sent: Tree
) -> None:
    alan = hospital.patient()
    for token in (
        hospital.token("system/*.cruds"),
        hospital.token(PUSH, "another"),
        hospital.token("patient/*.cruds", "app", Role.PATIENT, alan),
        hospital.token("user/*.cruds", "app", Role.CLINICIAN, alan),
    ):
        answer = hospital.post(sent, path, token)
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden")
    assert hospital.post(sent, path, "x" * 43).status_code == 401
    assert hospital.rows() == []
    assert {entry[:2] for entry in hospital.ledger()} == {("message-refused", "4")}
    assert len(hospital.ledger()) == 5


def test_the_ledger_says_who_posted_and_what_became_of_it(hospital: Hospital) -> None:
    hospital.post(message())
    hospital.post(changed(message(number="M2"), f"{RESULT}.status", "done"))
    hospital.transact(changed(transaction(), "entry.0.request.method", "DELETE"))
    (report,) = hospital.known("DiagnosticReport")
    entries = [entry for entry in hospital.ledger() if entry[0] != "search-type"]
    assert entries == [
        ("request", "0", "feed:mersey", "mersey-push"),
        ("message-filed", "0", f"DiagnosticReport/{report['id']}/_history/1", ""),
        ("request", "0", "feed:mersey", "mersey-push"),
        ("message-quarantined", "4", "feed:mersey", ""),
        ("request", "0", "feed:mersey", "mersey-push"),
        ("message-refused", "4", "feed:mersey", ""),
    ]


@pytest.mark.parametrize(
    ("body", "headers", "path", "status"),
    [
        (b"{}", {"Content-Type": "application/hl7-v2"}, "", 415),
        (b"{}", {"Content-Type": "application/fhir+xml"}, "", 415),
        (b"{}", FHIR | {"Content-Encoding": "gzip"}, "", 415),
        (b"{}", FHIR | {"Accept": "application/fhir+xml"}, "", 406),
        (b"{}", FHIR, "/$process-message?async=true", 400),
        (b" ", FHIR, "", 400),
        (b"[" + b"1," * 8_400_000 + b"1]", FHIR, "", 413),
    ],
    ids=["hl7", "xml", "gzip", "accept", "async", "empty", "large"],
)
def test_what_can_not_be_a_bundle_of_this_feed_is_refused_as_http(
    hospital: Hospital, body: bytes, headers: dict[str, str], path: str, status: int
) -> None:
    answer = hospital.post(body, path, headers=headers)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")
    assert hospital.rows() == []


def test_nothing_of_a_bundle_is_in_the_log(
    hospital: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    hospital.post(changed(message(), f"{RESULT}.status", "done"))
    hospital.post(b'{"resourceType": "Bundle", "value": "' + ALAN.encode())
    assert ALAN not in caplog.text
    assert hospital.rows()[1][3:5] == ("refused", "json-bad")


def test_the_capability_statement_tells_of_each_way(hospital: Hospital) -> None:
    answer = hospital.client.get(f"{hospital.base}/metadata")
    (rest,) = judge(answer.content, "CapabilityStatement")["rest"]
    assert rest["interaction"] == [{"code": "transaction"}]
    assert rest["resource"][-1] == {"type": "Bundle", "interaction": [{"code": "create"}]}
    assert rest["operation"] == [
        {
            "name": "process-message",
            "definition": "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message",
        }
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("PUT", ""), ("GET", "/"), ("GET", "/$process-message"), ("GET", "/Bundle")],
)
def test_nothing_but_a_post_is_taken(hospital: Hospital, method: str, path: str) -> None:
    bearer = {"Authorization": f"Bearer {hospital.token()}"}
    answer = hospital.client.request(method, f"{hospital.base}{path}", headers=bearer)
    assert (answer.status_code, answer.json()["resourceType"]) == (404, "OperationOutcome")


def test_a_laboratory_that_names_another_sender_is_not_this_feed(hospital: Hospital) -> None:
    parts = resources() | {"lab": organization("RYY", "Another")}
    answer = hospital.post(message(parts))
    assert said(answer) == (200, "fatal-error", "not-for-us", "Bundle.entry[0].resource.sender")
    nameless = changed(message(resources(filler="R2"), "M2"), "entry.0.resource.sender", None)
    assert said(hospital.post(nameless))[1] == "ok"
    assert ref("lab") == message()["entry"][0]["resource"]["sender"]


def test_everything_served_of_a_bundle_is_valid(hospital: Hospital) -> None:
    hospital.post(message())
    for kind in ("Observation", "DiagnosticReport", "ServiceRequest", "Specimen", "Provenance"):
        (tree,) = hospital.seen(kind)
        assert judge(json.encode(tree), kind) == tree
