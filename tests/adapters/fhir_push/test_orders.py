"""A Bundle that asks for tests: the patient sees how far they are, not what is suspected."""

from copy import deepcopy
from typing import Any

import pytest

from adapters.fhir_push.reading import Came, read
from adapters.hl7v2.conversion import Link
from adapters.hl7v2.orders import Orders
from adapters.intake.reading import Verdict
from fhir_server.model import json
from tests.adapters.fhir_push.bundles import SNOMED, changed, message, ref, resources, transaction
from tests.adapters.fhir_push.hospital import MERSEY, Hospital, said
from tests.adapters.fhir_push.test_hostile import NOW

Tree = dict[str, Any]

REQUEST = "entry.5.resource"


def asked(filler: str = "REP-1", **changes: Any) -> dict[str, Tree]:
    """The resources of an order that a report under *filler* answers."""
    parts = resources(filler=filler)
    del parts["report"], parts["psa"]
    parts["request"] |= {
        "reasonCode": [{"text": "?metastases"}],
        "note": [{"text": "Very worried."}],
        "reasonReference": [{"display": "?metastases"}],
    } | changes
    parts["specimen"] |= {"request": [ref("request")], "note": [{"text": "Haemolysed?"}]}
    parts["specimen"]["receivedTime"] = "2026-11-24T09:00:00+00:00"
    return parts


def test_an_order_is_open_to_the_patient_without_what_is_suspected(hospital: Hospital) -> None:
    answer = hospital.transact(transaction_of(asked()))
    responses = [one["response"] for one in answer.json()["entry"]]
    assert [one["status"] for one in responses[4:]] == ["201 Created"] * 2
    (request,) = hospital.seen("ServiceRequest")
    assert (request["status"], request["code"]["coding"][0]["code"]) == ("active", "63476009")
    assert not {"reasonCode", "reasonReference", "note"} & request.keys()
    (specimen,) = hospital.seen("Specimen")
    assert request["specimen"] == [{"reference": f"Specimen/{specimen['id']}"}]
    assert "note" not in specimen
    assert hospital.seen("DiagnosticReport") == []


def test_the_result_answers_the_order_and_no_order_opens_it_again(hospital: Hospital) -> None:
    hospital.post(message(asked()))
    (request,) = hospital.seen("ServiceRequest")
    hospital.post(message(number="M2"))
    (answered,) = hospital.seen("ServiceRequest")
    assert (answered["id"], answered["status"]) == (request["id"], "completed")
    late = changed(message(asked(), "M3"), "timestamp", "2026-11-24T10:00:00+00:00")
    assert said(hospital.post(late))[1] == "ok"
    (still,) = hospital.seen("ServiceRequest")
    assert still["status"] == "completed"
    assert hospital.flags("M3") == ["order-answered Bundle.entry[5].resource.status"]


def test_an_older_message_about_an_order_changes_nothing(hospital: Hospital) -> None:
    hospital.post(message(asked(status="revoked")))
    early = changed(message(asked(), "M2"), "timestamp", "2026-11-24T08:00:00+00:00")
    hospital.post(early)
    assert [one["status"] for one in hospital.seen("ServiceRequest")] == ["revoked"]
    assert hospital.flags("M2") == ["version-older Bundle.timestamp"]


def test_a_request_that_names_no_patient_or_another_is_refused() -> None:
    parts = asked()
    parts["request"]["subject"] = {"reference": "Patient/1"}
    assert refused(message(parts)) == (
        "patients-several",
        "Bundle.entry[5].resource.subject.reference",
    )


@pytest.mark.parametrize(
    ("path", "code", "where"),
    [
        (f"{REQUEST}.identifier", "order-number-missing", "Bundle.entry[5].resource.identifier"),
        ("timestamp", "date-missing", "Bundle.timestamp"),
    ],
)
def test_an_order_needs_a_number_and_a_time(path: str, code: str, where: str) -> None:
    assert refused(changed(message(asked()), path, None)) == (code, where)


def test_two_requests_under_one_number_are_refused() -> None:
    parts = asked()
    parts["second"] = deepcopy(parts["request"])
    assert refused(message(parts)) == ("result-shared", "Bundle.entry[7].resource.identifier")
    parts["second"]["code"] = {"coding": [{"system": SNOMED, "code": "1"}]}
    orders = became(message(parts))
    assert len(orders.groups) == 2
    assert [len(group.specimens) for group in orders.groups] == [1, 0]


def test_an_order_with_a_label_waits_for_a_clinician() -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    (group,) = became(message(asked(meta={"security": [label]}))).groups
    assert group.holds == ("security-label",)
    assert group.service_request.tree["meta"] == {"security": [label]}
    assert group.placer_number == "O-REP-1"
    assert group.service_request.tree["specimen"] == [{"reference": Link(group.specimens[0].key)}]


def transaction_of(parts: dict[str, Tree]) -> Tree:
    return transaction(parts) | {"timestamp": "2026-11-24T09:16:00+00:00"}


def became(tree: Tree) -> Orders:
    found = read((MERSEY,), Came(json.encode(tree), tree["type"], "10.0.0.1", NOW)).content
    assert isinstance(found, Orders), found
    return found


def refused(tree: Tree) -> tuple[str, str]:
    found = read((MERSEY,), Came(json.encode(tree), tree["type"], "10.0.0.1", NOW)).content
    assert isinstance(found, Verdict)
    return found.why.code, found.why.field
