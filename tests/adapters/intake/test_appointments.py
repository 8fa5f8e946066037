"""Appointments: booked, moved, cancelled; the latest message says when and where."""

import pytest

from tests.adapters.intake.ward import ALAN, BRIAN, Ward

# What is tested here is the rules; that both engines file alike is tested with results.
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

T1, T2, T3 = "20261124050000", "20261124060000", "20261124070000"
TEN, ELEVEN = "20261201100000", "20261201110000"


def siu(
    event: str = "S12",
    *,
    control_id: str = "A1",
    sent: str = T1,
    placer: str = "P1",
    filler: str = "F1",
    at: str = TEN,
    place: str = "Room 4",
    label: str = "",
    nhs_number: str = ALAN,
) -> str:
    born, name = ("19550301", "Example^Alan") if nhs_number == ALAN else ("19600101", "Other^Bo")
    labels = 14 * "|" + label if label else ""
    return "\r".join(
        [
            f"MSH|^~\\&|PAS|RXX|PORTAL|CMCA|{sent}||SIU^{event}|{control_id}|P|2.5.1{labels}",
            f"SCH|{placer}|{filler}|||||WHY^?cancer^L||30|min|^^^{at}"
            if at
            else f"SCH|{placer}|{filler}",
            f"PID|1||{nhs_number}^^^NHS^NH||{name}||{born}|M",
            "AIS|1||URO^Urology clinic^L",
            f"AIL|1||^{place}",
        ]
    )


def booked(ward: Ward, nhs_number: str = ALAN) -> list[tuple[str, str]]:
    """Status and start of what the patient finds."""
    found = ward.seen("Appointment", nhs_number)
    return sorted((one["status"], one.get("start", "")) for one in found)


def test_an_appointment_is_the_patient_s_to_see_at_once(ward: Ward) -> None:
    assert ward.send(siu()).code == "AA"
    (found,) = ward.seen("Appointment")
    assert (found["start"], found["end"]) == (
        *("2026-12-01T10:00:00+00:00", "2026-12-01T10:30:00+00:00"),
    )
    (told,) = ward.seen("Provenance")
    assert told["target"] == [{"reference": f"Appointment/{found['id']}"}]
    assert "cancer" not in str((found, told))


def test_it_is_moved_changed_and_cancelled(ward: Ward) -> None:
    ward.send(siu())
    (first,) = ward.seen("Appointment")
    ward.send(siu("S13", control_id="A2", sent=T2, at=ELEVEN))
    assert booked(ward) == [("booked", "2026-12-01T11:00:00+00:00")]
    ward.send(siu("S15", control_id="A3", sent=T3, at=""))
    (last,) = ward.seen("Appointment")
    assert (last["id"], last["status"]) == (first["id"], "cancelled")
    assert last["start"] == "2026-12-01T11:00:00+00:00"
    assert [one["status"] for one in last["participant"]] == ["declined", "declined"]
    assert len(ward.versions(ward.as_patient(), last)) == 3


@pytest.mark.parametrize(("event", "status"), [("S17", "entered-in-error"), ("S26", "noshow")])
def test_what_was_deleted_or_missed_keeps_its_time(ward: Ward, event: str, status: str) -> None:
    ward.send(siu())
    ward.send(siu(event, control_id="A2", sent=T2, at=""))
    assert booked(ward) == [(status, "2026-12-01T10:00:00+00:00")]


def test_an_older_message_is_not_applied(ward: Ward) -> None:
    ward.send(siu("S15", control_id="A2", sent=T2))
    assert ward.send(siu("S14", control_id="A1", sent=T1, at=ELEVEN)).code == "AA"
    assert booked(ward) == [("cancelled", "2026-12-01T10:00:00+00:00")]
    assert ward.flags("A1") == ["version-older MSH.7"]
    ward.send(siu(control_id="A3", sent=T3, at=ELEVEN))
    assert booked(ward) == [("booked", "2026-12-01T11:00:00+00:00")]


def test_the_same_appointment_again_changes_nothing(ward: Ward) -> None:
    ward.send(siu())
    before = ward.seen("Appointment")
    ward.send(siu())
    ward.send(siu(control_id="A2"))
    assert ward.seen("Appointment") == before


def test_it_is_one_under_either_number(ward: Ward) -> None:
    ward.send(siu(filler=""))
    ward.send(siu("S14", control_id="A2", sent=T2, place="Room 5"))
    (found,) = ward.seen("Appointment")
    assert sorted(one["value"] for one in found["identifier"]) == ["F1", "P1"]
    assert found["participant"][1]["actor"]["display"] == "Room 5"


def test_a_labelled_message_waits(ward: Ward) -> None:
    assert ward.send(siu(label="R")).code == "AA"
    assert (booked(ward), ward.seen("Provenance")) == ([], [])
    assert len(ward.known("Appointment")) == 1


@pytest.mark.parametrize("other", [{"filler": ""}, {"placer": "P9"}])
def test_a_number_of_another_patient_waits_for_a_person(ward: Ward, other: dict[str, str]) -> None:
    ward.send(siu())
    answer = ward.send(siu(control_id="A2", nhs_number=BRIAN, **other))
    assert (answer.code, answer.hl7, answer.name) == ("AE", "205", "appointment-other-patient")
    assert ward.fate("A2")[0] == "quarantined"
    assert booked(ward, BRIAN) == []


def test_the_numbers_of_orders_and_appointments_live_apart(ward: Ward) -> None:
    ward.psa(control_id="R", filler="F1")
    assert ward.send(siu(nhs_number=BRIAN)).code == "AA"
    assert len(booked(ward, BRIAN)) == 1
