"""Who hears of it when a laboratory changes what somebody has read: the teams, and the patient."""

from typing import Any

import pytest

from adapters.intake.alerting import ALERT
from fhir_server.access import Access, Agent, CaredFor, Interaction
from fhir_server.earlier_values import changes
from fhir_server.errors import Forbidden, NotFound
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.notices import awaiting_release, notices
from fhir_server.record import Writer
from tests.adapters.intake.test_merges import OWN, local, merge, pid
from tests.adapters.intake.ward import EVERYTHING, OPERATOR, Ward, value_of

T1, T2, T3 = (f"202611240{hour}0000" for hour in range(5, 8))
Tree = dict[str, Any]
COMMUNICATION = {"Communication": frozenset({Interaction.READ, Interaction.SEARCH})}


@pytest.fixture
def nurse(ward: Ward) -> Access:
    """A nurse whose team cares for the patient, who is known already."""
    ward.psa(control_id="FIRST", filler="FIRST", issued=T1)
    practitioner, patient = new_id(), ward.patient()

    def piece(writer: Writer) -> None:
        team = {
            "resourceType": "CareTeam",
            "status": "active",
            "name": "Prostate nurses",
            "subject": {"reference": f"Patient/{patient}"},
            "participant": [{"member": {"reference": f"Practitioner/{practitioner}"}}],
        }
        id_ = new_id(bucket_of(patient))
        writer.file(team, id_=id_, patient=patient, release_at=writer.now)

    ward.record.submit(OPERATOR, piece, buckets=[bucket_of(patient)]).result(timeout=30)
    agent = Agent("clinician", user=f"Practitioner/{practitioner}")
    grants = EVERYTHING | COMMUNICATION
    return Access(agent, "nurse", CaredFor(practitioner), grants, bound_by_release=False)


def alerts(ward: Ward, nurse: Access) -> list[tuple[str, str, str]]:
    """Return priority, topic and text of each alert to the teams, oldest first."""
    found = ward.found(nurse, "Communication", ("category", ALERT), ("_sort", "sent"))
    patient = {"reference": f"Patient/{ward.patient()}"}
    assert all(one["subject"] == patient and one["status"] == "in-progress" for one in found)
    assert all(one["recipient"][0]["reference"].startswith("CareTeam/") for one in found)
    return [
        (one["priority"], one["topic"]["text"], one["payload"][0]["contentString"]) for one in found
    ]


def made(ward: Ward, kind: str) -> str:
    """Return the id of what the first message made, without anybody looking at it."""
    (found,) = [one for one in ward.row("A").made.split("\n") if one.startswith(f"{kind}/")]
    return str(found.split("/")[1])


def shown(ward: Ward) -> None:
    """Have the patient open the result."""
    ward.record.read(ward.as_patient(), "Observation", made(ward, "Observation")).result(timeout=30)


def test_a_correction_of_what_the_patient_had_read_is_told_to_the_teams(
    ward: Ward, nurse: Access
) -> None:
    ward.psa(control_id="A", value="27.0", issued=T1)
    shown(ward)
    ward.psa(control_id="B", value="2.7", status="C", issued=T2)
    text = "The laboratory corrected PSA. It had been read by the patient."
    assert alerts(ward, nurse) == [("urgent", "Result corrected: PSA", text)]
    assert [one for one in ward.row("B").made.split("\n") if one.startswith("Communication/")]
    both = EVERYTHING | COMMUNICATION
    own = Access(ward.as_patient().agent, "p", ward.as_patient().reach, both)
    assert ward.found(own, "Communication") == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_patient_whose_records_were_joined_has_read_it_as_the_patient(
    ward: Ward, nurse: Access
) -> None:
    ward.psa(control_id="A", pid=pid(local("A7")), value="27.0", issued=T1)
    assert merge(ward, pid(OWN), local("A7")).code == "AA"
    shown(ward)
    ward.psa(control_id="B", pid=pid(local("A7")), value="2.7", status="C", issued=T2)
    text = "The laboratory corrected PSA. It had been read by the patient."
    assert alerts(ward, nurse) == [("urgent", "Result corrected: PSA", text)]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_correction_of_what_nobody_had_read_is_told_to_nobody(ward: Ward, nurse: Access) -> None:
    ward.psa(control_id="A", value="27.0", issued=T1)
    ward.psa(control_id="B", value="2.7", status="C", issued=T2)
    assert alerts(ward, nurse) == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_an_early_result_that_became_final_is_no_correction(ward: Ward, nurse: Access) -> None:
    ward.psa(control_id="A", value="7.1", status="P", issued=T1)
    ward.record.read(nurse, "DiagnosticReport", made(ward, "DiagnosticReport")).result(timeout=30)
    ward.psa(control_id="B", value="7.3", issued=T2)
    assert alerts(ward, nurse) == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_correction_sent_twice_is_told_once_and_one_of_the_same_value_not(
    ward: Ward, nurse: Access
) -> None:
    ward.psa(control_id="A", value="27.0", issued=T1)
    shown(ward)
    ward.psa(control_id="B", value="27.0", status="C", issued=T2)
    assert alerts(ward, nurse) == []
    ward.psa(control_id="C", value="2.7", status="C", issued=T3)
    ward.psa(control_id="D", value="2.7", status="C", issued=T3)
    assert len(alerts(ward, nurse)) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("taken_back", ["W", "D"])
@pytest.mark.parametrize("read", [True, False])
def test_a_withdrawal_is_told_to_the_teams_and_to_the_patient_whoever_had_read_it(
    ward: Ward, nurse: Access, taken_back: str, read: bool
) -> None:
    ward.psa(control_id="A", issued=T1)
    if read:
        shown(ward)
        ward.record.read(nurse, "DiagnosticReport", made(ward, "DiagnosticReport")).result(
            timeout=30
        )
    for control_id in ("B", "C"):
        ward.psa(control_id=control_id, status="C", obx_status=taken_back, issued=T2)
    who = "It had been read by the patient and 1 other." if read else "Nobody had read it."
    text = f"The laboratory took back PSA. {who}"
    priority = "urgent" if read else "routine"
    assert alerts(ward, nurse) == [(priority, "Result taken back: PSA", text)]
    (notice,) = notices(ward.record, ward.as_patient(), ward.patient()).result(timeout=30)
    assert (notice.title, notice.category, notice.opens) == ("PSA", "withdrawn", None)
    assert awaiting_release(ward.record, nurse).result(timeout=30) == ()


def test_what_changed_and_who_had_read_what_was_there_before(ward: Ward, nurse: Access) -> None:
    ward.psa(control_id="A", value="27.0", status="P", issued=T1)
    report = made(ward, "DiagnosticReport")
    # Early, and held: the patient finds nothing, the nurse reads it.
    ward.seen()
    ward.record.read(nurse, "DiagnosticReport", report).result(timeout=30)
    ward.psa(control_id="B", value="27.0", issued=T2)
    ward.seen()
    shown(ward)
    ward.psa(control_id="C", value="2.7", status="C", issued=T3)
    ward.seen()
    found = changes(ward.record, nurse, report).result(timeout=30)
    (value,) = found.values
    assert (value_of(value.tree), value_of(value.after)) == ("27.0", "2.7")
    assert value.opened is not None
    assert value.since < value.opened < value.until
    own, staff = f"Patient/{ward.patient()}", nurse.agent.user
    looked = [(one.agent, one.opened) for one in found.looks]
    assert looked == [(own, True), (own, False), (staff, True)]
    with pytest.raises(Forbidden):
        changes(ward.record, ward.as_patient(), report).result(timeout=30)
    stranger = Access(nurse.agent, "s", CaredFor(new_id()), EVERYTHING, bound_by_release=False)
    with pytest.raises(NotFound):
        changes(ward.record, stranger, report).result(timeout=30)
