"""A result over time: what patient and clinician see after each message about it."""

from typing import Any

import pytest

from tests.adapters.intake.ward import BRIAN, Ward, value_of

T1, T2, T3 = (f"202611240{hour}0000" for hour in range(5, 8))
OTHER = "OBX|2|NM|1234-5^Other^LN||{}|ug/L|||||{}\r"


def status(ward: Ward) -> tuple[str, str]:
    """Return the status of the one report and of the one result, as a clinician finds them."""
    (report,), (result,) = ward.known("DiagnosticReport"), ward.known()
    return report["status"], result["status"]


def test_a_result_goes_from_preliminary_to_final_to_corrected(ward: Ward) -> None:
    ward.psa(control_id="A", status="P", value="7.1", issued=T1)
    assert (ward.values(), ward.values(clinician=True)) == ([], ["7.1"])
    ward.psa(control_id="B", status="F", value="7.3", issued=T2)
    assert (ward.values(), status(ward)) == (["7.3"], ("final", "final"))
    ward.psa(control_id="C", status="C", value="7.2", issued=T3)
    (seen,) = ward.seen()
    assert (value_of(seen), seen["status"]) == ("7.2", "corrected")
    assert [value_of(one) for one in ward.versions(ward.as_patient(), seen)] == ["7.2", "7.3"]
    everything = [value_of(one) for one in ward.versions(ward.as_clinician(), seen)]
    assert everything == ["7.2", "7.3", "7.1"]


def test_an_older_version_that_comes_late_is_kept_and_not_applied(ward: Ward) -> None:
    ward.psa(control_id="B", value="7.3", issued=T2)
    assert ward.psa(control_id="A", value="7.1", issued=T1).code == "AA"
    assert (ward.values(), ward.flags("A")) == (["7.3"], ["version-older OBR.22"])
    assert "Observation" not in ward.row("A").made


@pytest.mark.parametrize("later", ["P", "R", "A"])
def test_a_final_result_stays_when_a_preliminary_one_follows(ward: Ward, later: str) -> None:
    ward.psa(control_id="A", issued=T1)
    answer = ward.psa(control_id="B", status=later, obx_status="P", value="9", issued=T2)
    assert answer.code == "AA"
    assert (ward.values(), status(ward)) == (["7.3"], ("final", "final"))
    assert ward.flags("B") == ["status-backwards OBR.25"]


def test_one_final_line_stays_when_it_comes_back_as_preliminary(ward: Ward) -> None:
    ward.psa(control_id="A", issued=T1, more=OTHER.format("5", "F"))
    ward.psa(
        control_id="B",
        issued=T2,
        status="C",
        obx_status="P",
        value="9",
        more=OTHER.format("6", "C"),
    )
    assert ward.values() == ["6", "7.3"]
    assert "status-backwards OBX.11" in ward.flags("B")


def test_a_correction_that_is_the_first_to_come_is_filed_as_corrected(ward: Ward) -> None:
    assert ward.psa(status="C").code == "AA"
    assert (status(ward), ward.flags()) == (
        ("corrected", "corrected"),
        ["correction-first OBR.25"],
    )


def test_a_final_result_of_the_same_moment_does_not_undo_its_correction(ward: Ward) -> None:
    ward.psa(control_id="C", status="C", value="7.2", issued=T1)
    ward.psa(control_id="F", status="F", value="7.3", issued=T1)
    assert (ward.values(), ward.flags("F")) == (["7.2"], ["status-backwards OBR.25"])


@pytest.mark.parametrize("taken_back", ["W", "D"])
def test_a_withdrawal_hides_the_value_and_every_earlier_version_at_once(
    ward: Ward, taken_back: str
) -> None:
    ward.psa(control_id="A", issued=T1)
    (seen,) = ward.seen()
    ward.record.read(ward.as_patient(), "Observation", seen["id"]).result(timeout=30)
    answer = ward.psa(control_id="B", status="C", obx_status=taken_back, issued=T2)
    assert answer.code == "AA"
    assert (ward.seen(), ward.seen("DiagnosticReport")) == ([], [])
    assert ward.versions(ward.as_patient(), seen) == []
    (known,) = ward.known()
    assert (known["status"], value_of(known)) == ("entered-in-error", "-")
    readers = {
        agent["who"]["reference"]
        for entry in ward.ledger()
        if entry["subtype"][0]["code"] == "read"
        and any(seen["id"] in str(one.get("what", {})) for one in entry["entity"])
        for agent in entry["agent"]
        if agent.get("requestor") and "reference" in agent["who"]
    }
    assert readers == {f"Patient/{ward.patient()}"}


def test_one_line_taken_back_leaves_the_others_and_the_report(ward: Ward) -> None:
    ward.psa(control_id="A", issued=T1, more=OTHER.format("5", "F"))
    ward.psa(control_id="B", issued=T2, status="C", obx_status="W")
    assert (ward.values(), ward.values(clinician=True)) == (["5"], ["-", "5"])
    (report,) = ward.seen("DiagnosticReport")
    assert report["status"] == "corrected"


def test_what_was_taken_back_and_never_seen_is_filed_and_shown_to_nobody(ward: Ward) -> None:
    ward.psa(control_id="A", issued=T1)
    ward.psa(control_id="B", issued=T2, more=OTHER.format("", "D"))
    assert (ward.values(), ward.flags("B")) == (["7.3"], ["delete-unseen OBX.11"])
    (report,) = ward.seen("DiagnosticReport")
    assert len(report["result"]) == 1


def test_status_u_moves_the_status_and_leaves_the_value(ward: Ward) -> None:
    ward.psa(control_id="A", status="P", value="7.3", issued=T1)
    assert ward.values() == []
    assert ward.psa(control_id="B", obx_status="U", value="", issued=T2).code == "AA"
    assert (ward.values(), status(ward)) == (["7.3"], ("final", "final"))


def test_status_u_without_a_value_stored_is_set_aside(ward: Ward) -> None:
    answer = ward.psa(obx_status="U", value="")
    assert answer.fault == ("AE", "204", "value-missing", "OBX.11")
    assert (ward.fate(), ward.known("Patient")) == (("quarantined", "value-missing", "OBX.11"), [])


def test_status_u_brings_back_nothing_that_was_taken_back(ward: Ward) -> None:
    ward.psa(control_id="A", issued=T1)
    ward.psa(control_id="B", status="C", obx_status="W", issued=T2)
    answer = ward.psa(control_id="C", obx_status="U", value="", issued=T3)
    assert (answer.name, ward.seen()) == ("value-missing", [])


def test_status_u_opens_no_result_that_nobody_can_name(ward: Ward) -> None:
    ward.psa(control_id="A", status="P", code="HE4X^HE4^L", issued=T1)
    ward.psa(control_id="B", code="HE4X^HE4^L", obx_status="U", value="", issued=T2)
    assert (ward.values(), ward.values(clinician=True)) == ([], ["7.3"])


def test_a_test_that_could_not_be_done_is_cancelled(ward: Ward) -> None:
    ward.psa(control_id="A", status="P", issued=T1)
    ward.psa(control_id="B", status="F", obx_status="X", value="", issued=T2)
    (seen,) = ward.seen()
    assert (seen["status"], value_of(seen)) == ("cancelled", "-")
    assert seen["dataAbsentReason"]["coding"][0]["code"] == "not-performed"


def test_a_final_report_with_a_preliminary_line_is_released_as_preliminary(ward: Ward) -> None:
    ward.psa(status="F", obx_status="P")
    assert (ward.seen(), status(ward)) == ([], ("final", "preliminary"))
    assert ward.flags() == ["status-differs OBR[1].25"]


def test_a_line_that_a_final_report_leaves_out_stays_and_is_flagged(ward: Ward) -> None:
    ward.psa(control_id="A", status="P", issued=T1, more=OTHER.format("5", "F"))
    ward.psa(control_id="B", status="F", issued=T2)
    assert ward.values(clinician=True) == ["5", "7.3"]
    (report,) = ward.seen("DiagnosticReport")
    assert (len(report["result"]), ward.flags("B")) == (2, ["result-lost OBR.25"])


def test_a_line_left_out_is_held_for_as_long_as_its_report(ward: Ward) -> None:
    ward.psa(control_id="A", issued=T1, more=OTHER.format("5", "F"))
    assert ward.values() == ["5", "7.3"]
    ward.psa(control_id="B", issued=T2, status="C", code="HE4X^HE4^L")
    ward.psa(control_id="C", issued=T3, status="C", more="OBX|2|NM|HE4X^HE4^L||1|u|||||F\r")
    assert (ward.seen("DiagnosticReport"), ward.values()) == ([], [])
    assert "5" in ward.values(clinician=True)


def test_a_document_left_out_stays_with_its_report(ward: Ward) -> None:
    encoded = "JVBERi0xLjQKJSVFT0YK"
    letter = f"OBX|2|ED|LETTER^Letter^L||^AP^PDF^Base64^{encoded}||||||F\r"
    ward.psa(control_id="A", issued=T1, more=letter)
    ward.psa(control_id="B", issued=T2, status="C", value="7.2")
    (report,) = ward.seen("DiagnosticReport")
    assert report["presentedForm"][0]["data"] == encoded


def test_a_document_taken_back_is_shown_to_nobody_bound_by_release(ward: Ward) -> None:
    encoded = "JVBERi0xLjQKJSVFT0YK"
    letter = "OBX|2|ED|LETTER^Letter^L||^AP^PDF^Base64^{}||||||{}\r"
    ward.psa(control_id="A", issued=T1, more=letter.format(encoded, "F"))
    (report,) = ward.seen("DiagnosticReport")
    ward.psa(control_id="B", issued=T2, status="C", more=letter.format(encoded, "W"))
    assert ward.versions(ward.as_patient(), report) == []
    (known,) = ward.known("DiagnosticReport")
    assert "presentedForm" not in known


@pytest.mark.parametrize("number", ["filler", "placer"])
def test_an_order_of_somebody_else_never_moves(ward: Ward, number: str) -> None:
    def sent(**changes: Any) -> str:
        text = ward.message(**changes)
        return text if number == "filler" else text.replace("LAB1", "")

    assert ward.send(sent(control_id="A")).code == "AA"
    answer = ward.send(sent(control_id="B", nhs_number=BRIAN, name="Other^Brian"))
    field = "OBR.3" if number == "filler" else "OBR.2"
    assert answer.fault == ("AE", "205", "order-other-patient", field)
    assert (ward.values(), ward.seen(nhs_number=BRIAN)) == (["7.3"], [])
    assert ward.known("Patient")[0]["id"] == ward.patient()
