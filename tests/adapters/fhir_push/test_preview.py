"""What a Bundle would become can be seen before any is pushed."""

from typing import Any

import pytest

from adapters.fhir_push.preview import preview
from adapters.intake.preview import Preview
from fhir_server.model import json
from fhir_server.model.validate import judge
from tests.adapters.fhir_push.bundles import changed, document, message, resources, transaction
from tests.adapters.fhir_push.hospital import MERSEY

BASE = "https://portal.example/fhir"
REPORT = "Bundle.entry[6].resource"


def shown(tree: Any) -> Preview:
    raw = tree if isinstance(tree, bytes) else json.encode(tree)
    return preview(raw, MERSEY, BASE)


@pytest.mark.parametrize("tree", [message(), document(), transaction()])
def test_a_bundle_is_shown_with_every_entry_and_what_it_becomes(tree: Any) -> None:
    found = shown(tree)
    assert (found.ack, found.faults, found.flags) == ("AA", (), ())
    assert found.control_id == tree["identifier"]["value"]
    assert len(found.accounted) == len(tree["entry"])
    assert found.accounted[-1] == f"Bundle.entry[{len(tree['entry']) - 1}] filed as Observation"
    assert found.bundle is not None
    kinds = [one["resource"]["resourceType"] for one in judge(found.bundle)["entry"]]
    assert kinds[0] == "Patient"
    assert {"DiagnosticReport", "Observation", "Specimen", "ServiceRequest"} < set(kinds)


def test_all_that_is_wrong_is_told_at_once_each_with_its_place() -> None:
    wrong = changed(message(), "entry.6.resource.status", "done")
    found = shown(changed(wrong, "entry.8.resource.status", "F"))
    assert (found.ack, found.bundle) == ("AE", None)
    assert [(one.code, one.field) for one in found.faults] == [
        ("resource-invalid", f"{REPORT}.status"),
        ("resource-invalid", "Bundle.entry[8].resource.status"),
    ]


def test_what_can_not_be_filed_says_why() -> None:
    found = shown(message(resources(issued="2031-11-24T09:15:00+00:00")))
    assert [(one.code, one.field) for one in found.faults] == [("date-bad", f"{REPORT}.issued")]


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        (b"{", "json-bad", "Bundle"),
        (b"{}", "type-unsupported", "Bundle"),
        (b'{"resourceType": "Bundle", "type": "searchset"}', "type-unsupported", "Bundle.type"),
    ],
)
def test_what_is_no_bundle_to_push_is_refused(raw: bytes, code: str, field: str) -> None:
    found = shown(raw)
    assert (found.ack, [(one.code, one.field) for one in found.faults]) == ("AR", [(code, field)])
