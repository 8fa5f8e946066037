"""A Provenance says what its message made, revised or took back, and names the earlier version."""

from typing import Any

from fhir_server.model import json
from tests.adapters.intake.ward import Ward, value_of

OPERATIONS = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
T1, T2, T3 = (f"202611240{hour}0000" for hour in range(5, 8))
OTHER = "OBX|2|NM|1234-5^Other^LN||{}|ug/L|||||{}\r"

Told = tuple[str, list[tuple[str, str]]]


def told(ward: Ward) -> dict[str, Told]:
    """Return what each message's Provenance says: the operation, and which versions it was on."""
    found: dict[str, Told] = {}
    for tree in ward.known("Provenance"):
        codings = tree["activity"]["coding"]
        operation = "".join(one["code"] for one in codings if one["system"] == OPERATIONS)
        source, *earlier = tree["entity"]
        on = [(one["role"], one["what"]["reference"]) for one in earlier]
        found[source["what"]["identifier"]["value"]] = operation, on
    return found


def version(ward: Ward, role: str, reference: str) -> tuple[str, Any]:
    """Return a role, and what stands under the version that is named."""
    kind, id_, _, number = reference.split("/")
    read = ward.record.vread(ward.as_clinician(), kind, id_, int(number)).result(timeout=30)
    tree = json.decode(read.body)
    return role, tree["status"] if kind == "DiagnosticReport" else value_of(tree)


def test_a_correction_names_the_value_that_it_corrects(ward: Ward) -> None:
    ward.psa(control_id="A", value="7.3", issued=T1, more=OTHER.format("5", "F"))
    ward.psa(control_id="B", status="C", value="7.2", issued=T2, more=OTHER.format("5", "F"))
    assert told(ward)["A"] == ("CREATE", [])
    operation, on = told(ward)["B"]
    assert operation == "UPDATE"
    assert [version(ward, *one) for one in on] == [("revision", "final"), ("revision", "7.3")]


def test_a_second_correction_names_the_first_one(ward: Ward) -> None:
    for number, (status, value) in enumerate((("F", "7.3"), ("C", "7.2"), ("C", "7.1"))):
        when = (T1, T2, T3)[number]
        ward.psa(control_id="ABC"[number], status=status, value=value, issued=when)
    operation, on = told(ward)["C"]
    assert operation == "UPDATE"
    assert ("revision", "7.2") in [version(ward, *one) for one in on]


def test_what_is_completed_is_a_revision_of_the_report(ward: Ward) -> None:
    ward.psa(control_id="A", status="P", issued=T1)
    ward.psa(control_id="B", status="F", issued=T2)
    operation, on = told(ward)["B"]
    assert (operation, [version(ward, *one) for one in on]) == (
        "UPDATE",
        [("revision", "preliminary")],
    )


def test_a_report_that_is_taken_back_was_nullified(ward: Ward) -> None:
    ward.psa(control_id="A", issued=T1)
    ward.psa(control_id="B", status="C", obx_status="W", issued=T2)
    operation, on = told(ward)["B"]
    assert operation == "NULLIFY"
    assert [version(ward, *one) for one in on] == [("removal", "final"), ("removal", "7.3")]
    assert [one["entity"][0]["role"] for one in ward.seen("Provenance")] == ["source"]


def test_one_result_that_is_taken_back_is_a_removal_in_a_revision(ward: Ward) -> None:
    ward.psa(control_id="A", issued=T1, more=OTHER.format("5", "F"))
    ward.psa(control_id="B", status="C", issued=T2, more=OTHER.format("", "D"))
    operation, on = told(ward)["B"]
    assert operation == "UPDATE"
    assert ("removal", "5") in [version(ward, *one) for one in on]


def test_what_is_sent_again_unchanged_did_nothing_to_what_stands(ward: Ward) -> None:
    ward.psa(control_id="A", issued=T1)
    ward.psa(control_id="B", issued=T1)
    assert told(ward) == {"A": ("CREATE", []), "B": ("", [])}
