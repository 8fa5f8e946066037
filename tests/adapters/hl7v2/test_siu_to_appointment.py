"""An appointment message: when, where, with whom; never why; nothing lost."""

from typing import Any

import pytest

from adapters.hl7v2.appointment import Booking
from adapters.hl7v2.conversion import PATIENT, Flag, resolve
from adapters.hl7v2.dialect import STANDARD
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.siu_to_appointment import convert
from fhir_server.model.ids import derived_id
from fhir_server.model.validate import judge
from tests.adapters.hl7v2.oru_messages import PID, field_of, oru, readable

SCH = (
    "SCH|P1|F1||||R^Reason^L|WHY^Suspicion^L|NORMAL|30|min|^^^20260901100000^20260901103000"
    "||||||||||||||Booked|O1|L1"
)
AIS = "AIS|1||URO^Urology clinic^L"
AIL = "AIL|1||C4^Room 4^^NMH^^^Main^^Outpatients|C^Clinic^HL70305"
AIP = "AIP|1||G9999991^Okafor^Ngozi^^^Dr^^^GMC|CON^Consultant^L"
THO = "http://terminology.hl7.org/CodeSystem"


def msh(event: str = "S12") -> str:
    return rf"MSH|^~\&|PAS|NMH|PORTAL|PFH|20260803140507||SIU^{event}|M1|P|2.5.1"


def converted(*segments: str) -> Booking:
    return convert(read(oru(*(segments or (msh(), SCH, PID, AIS, AIL, AIP)))), STANDARD)


def appointment(*segments: str) -> Any:
    return readable(converted(*segments).appointment.tree)


def identifier(kind: str, value: str) -> Any:
    return {"type": {"coding": [{"system": f"{THO}/v2-0203", "code": kind}]}, "value": value}


def test_an_appointment_says_when_where_and_with_whom():
    assert appointment() == {
        "resourceType": "Appointment",
        "identifier": [identifier("PLAC", "P1"), identifier("FILL", "F1")],
        "status": "booked",
        "start": "2026-09-01T10:00:00+01:00",
        "end": "2026-09-01T10:30:00+01:00",
        "serviceType": [
            {
                "coding": [
                    {
                        "system": "urn:portal-fhir:codes:NMH",
                        "code": "URO",
                        "display": "Urology clinic",
                    }
                ]
            }
        ],
        "appointmentType": {"coding": [{"system": f"{THO}/v2-0277", "code": "NORMAL"}]},
        "minutesDuration": 30,
        "basedOn": [
            {"type": "ServiceRequest", "identifier": identifier("PLAC", "O1")},
            {"type": "ServiceRequest", "identifier": identifier("FILL", "L1")},
        ],
        "participant": [
            {"actor": {"reference": "Patient/named"}, "status": "accepted"},
            {
                "type": [
                    {"coding": [{"system": f"{THO}/v2-0305", "code": "C", "display": "Clinic"}]}
                ],
                "actor": {"type": "Location", "display": "Outpatients, Room 4, C4, Main, NMH"},
                "status": "accepted",
            },
            {
                "type": [
                    {
                        "coding": [
                            {
                                "system": "urn:portal-fhir:codes:NMH",
                                "code": "CON",
                                "display": "Consultant",
                            }
                        ]
                    }
                ],
                "actor": {
                    "reference": "Practitioner/https://fhir.hl7.org.uk/Id/gmc-number G9999991",
                    "display": "Dr Ngozi Okafor",
                },
                "status": "accepted",
            },
        ],
    }


def test_why_somebody_comes_stays_out_and_what_is_for_them_stays_in():
    booking = converted(
        *(msh(), SCH, "NTE|1||?relapse", PID, "DG1|1||C61", "OBX|1|ST|Q||pain", AIS),
        "NTE|1||Eat nothing after midnight.|PI",
    )
    tree = booking.appointment.tree
    assert tree["patientInstruction"] == "Eat nothing after midnight."
    assert not any(word in str(tree) for word in ("Suspicion", "Reason", "relapse", "C61", "pain"))


def test_every_resource_is_valid_and_the_key_is_the_number():
    booking = converted()
    made = list(booking.all_made())
    ids = {key: derived_id(b"k", *key) for key in (PATIENT, *(one.key for one in made))}
    kinds = [judge(resolve(one.tree, ids))["resourceType"] for one in made]
    assert kinds == ["Organization", "Practitioner", "Appointment", "Provenance"]
    assert booking.appointment.key == ("Appointment", "NMH", "FILL", "F1")
    placed = converted(msh(), field_of(SCH, 2, ""), PID)
    assert placed.appointment.key == ("Appointment", "NMH", "PLAC", "P1")
    assert list(booking.named()) == []


@pytest.mark.parametrize(
    ("event", "sent", "status"),
    [
        ("S12", "", "booked"),
        ("S13", "Booked", "booked"),
        ("S14", "Pending", "pending"),
        ("S12", "WAITLIST", "waitlist"),
        ("S14", "Complete", "fulfilled"),
        ("S14", "No show", "noshow"),
        ("S15", "", "cancelled"),
        ("S15", "Booked", "cancelled"),
        ("S16", "", "cancelled"),
        ("S17", "", "entered-in-error"),
        ("S26", "Booked", "noshow"),
        ("S12", "Provisional", "booked"),
    ],
)
def test_the_event_says_how_it_stands_and_the_status_how_far_it_is(event, sent, status):
    booking = converted(msh(event), field_of(SCH, 25, sent), PID)
    assert booking.appointment.tree["status"] == booking.status == status
    unread = Flag("appointment-status-unread", "SCH[1].25")
    assert (unread in booking.flags) == (sent == "Provisional")


@pytest.mark.parametrize(
    ("span", "duration", "more", "start", "end"),
    [
        ("^^^202609011000", "30|min", (), "10:00:00", "10:30:00"),
        ("^^^202609011000", "1|hr", (), "10:00:00", "11:00:00"),
        ("^^^202609011000", "30|", (), "10:00:00", "10:30:00"),
        ("^^^202609011000", "2|fortnights", (), "10:00:00", None),
        ("^^^202609011000^20270101", "30|min", (), "10:00:00", "10:30:00"),
        ("", "30|min", ("TQ1|1||||||202609011100|202609011115",), "11:00:00", "11:15:00"),
        ("", "30|min", ("AIS|1||URO^Urology^L|202609011200",), "12:00:00", "12:30:00"),
        ("", "|", ("AIS|1||URO^Urology^L|202609011200|||45|min",), "12:00:00", "12:45:00"),
        ("", "30|min", ("AIL|1||C4|||202609011300",), "13:00:00", "13:30:00"),
    ],
)
def test_the_time_is_found_where_it_stands(span, duration, more, start, end):
    number, unit = duration.split("|")
    sch = field_of(field_of(field_of(SCH, 11, span), 9, number), 10, unit)
    tree = appointment(msh(), sch, PID, *more)
    assert tree["start"] == f"2026-09-01T{start}+01:00"
    if end is None:
        assert "end" not in tree
        assert tree["_end"]["extension"][0]["valueCode"] == "unknown"
    else:
        assert tree["end"] == f"2026-09-01T{end}+01:00"


def test_the_newer_of_two_times_is_meant_and_the_difference_told():
    booking = converted(msh(), SCH, "TQ1|1||||||202609021000", PID)
    assert booking.appointment.tree["start"] == "2026-09-02T10:00:00+01:00"
    assert Flag("appointment-times-differ", "SCH[1].11") in booking.flags
    same = converted(msh(), SCH, "TQ1|1||||||20260901100000", PID)
    assert same.flags == ()


@pytest.mark.parametrize("event", ["S15", "S17", "S26"])
def test_what_ended_needs_no_time(event):
    booking = converted(msh(event), field_of(SCH, 11, ""), PID)
    assert not booking.is_timed
    ids = {key: derived_id(b"k", *key) for key in (PATIENT, *(o.key for o in booking.all_made()))}
    judge(resolve(booking.appointment.tree, ids))
    assert "start" not in booking.appointment.tree


def test_every_segment_is_accounted_for():
    booking = converted(
        *(msh(), "SFT|x", SCH, "TQ1|1", "NTE|1||staff", PID, "PV1|1|O", "DG1|1", "RGS|1", AIS),
        *("NTE|1||for you|PI", "AIG|1||E1", AIL, AIP, "ZZZ|1"),
    )
    assert booking.accounted == {
        1: "filed in Provenance",
        2: "kept raw: about the sending software",
        3: "filed in Appointment",
        4: "filed in Appointment",
        5: "kept raw: a comment on the appointment, for staff only",
        6: "filed in Patient",
        7: "kept raw: a visit is referred to, not kept",
        8: "kept raw: a reason, for staff only",
        9: "kept raw: it groups what was booked and says no more",
        10: "filed in Appointment",
        11: "filed in Appointment",
        12: "kept raw: equipment and groups are for staff",
        13: "filed in Appointment",
        14: "filed in Appointment",
        15: "kept raw: not mapped",
    }


@pytest.mark.parametrize(
    ("segments", "told"),
    [
        ((msh(), PID), (100, "message-empty", "SCH")),
        ((msh(), SCH), (100, "message-empty", "PID")),
        ((msh(), SCH, PID, PID), (100, "patients-several", "PID[2]")),
        ((msh(), SCH, SCH, PID), (100, "appointments-several", "SCH[2]")),
        ((msh(), "SCH|", PID), (101, "appointment-number-missing", "SCH[1].2")),
        ((msh(), field_of(SCH, 11, ""), PID), (101, "appointment-time-missing", "SCH[1].11")),
        (
            (msh(), field_of(SCH, 11, "^^^20260901"), PID),
            (101, "appointment-time-missing", "SCH[1].11"),
        ),
        ((msh(), field_of(SCH, 11, "^^^tomorrow"), PID), (102, "date-bad", "SCH[1].11")),
        ((field_of(msh(), 7, ""), SCH, PID), (101, "date-missing", "MSH.7")),
    ],
)
def test_what_is_no_sound_appointment_is_refused_with_the_field(segments, told):
    with pytest.raises(Refused) as caught:
        converted(*segments)
    refused = caught.value
    assert (refused.ack, refused.hl7_code, refused.code, refused.field) == ("AE", *told)
