"""What a message would become, without a database."""

from decimal import Decimal

from adapters.hl7v2.dialect import STANDARD
from adapters.intake.preview import preview
from tests.adapters.intake.ward import Ward

BASE = "http://x/fhir"


def test_a_good_message_is_shown_with_every_segment_and_resource(ward: Ward) -> None:
    shown = preview(ward.message(more="ZPI|1\r").encode(), STANDARD, BASE)
    assert (shown.control_id, shown.ack, shown.faults) == ("MSG1", "AA", ())
    assert [line.split()[0] for line in shown.accounted] == [
        *("MSH[1]", "PID[1]", "ORC[1]", "OBR[1]", "OBX[1]", "ZPI[1]")
    ]
    assert shown.bundle is not None
    resources = [entry["resource"] for entry in shown.bundle["entry"]]
    assert [one["resourceType"] for one in resources] == [
        *("Patient", "Organization", "DiagnosticReport", "Observation"),
        *("ServiceRequest", "Provenance"),
    ]
    assert resources[3]["valueQuantity"]["value"] == Decimal("7.3")
    own = {f"{one['resourceType']}/{one['id']}" for one in resources}
    assert resources[3]["subject"]["reference"] in own
    assert {entry["fullUrl"] for entry in shown.bundle["entry"]} == {f"{BASE}/{one}" for one in own}


def test_a_bad_message_is_shown_with_the_answer_that_it_would_get(ward: Ward) -> None:
    for changes in (
        {"birth_date": "10660101"},
        {"control_id": ""},
        {"control_id": "B", "status": "?"},
    ):
        shown = preview(ward.message(**changes).encode(), STANDARD, BASE)
        told = ward.psa(**changes)
        (fault,) = shown.faults
        assert (shown.ack, str(fault.hl7_code), fault.code) == (told.code, told.hl7, told.name)
        assert shown.bundle is None


def test_what_is_no_message_is_shown_as_refused() -> None:
    shown = preview(b"hello", STANDARD, BASE)
    assert (shown.ack, shown.control_id) == ("AR", "")
    assert shown.faults[0].code == "header-missing"
