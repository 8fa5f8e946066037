"""What waits is told to the patient without its content, and to those who care as work to do."""

from collections.abc import Sequence

import pytest

from fhir_server.access import Access, Agent, CaredFor, Interaction, NoRecord, OwnRecord, WholeStore
from fhir_server.clock import micros
from fhir_server.errors import Forbidden
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.notices import HeldNotice, awaiting_release, notices
from fhir_server.record import Notice, Record, Writer

FILING = Access(Agent("feed", user="feed:mersey"), "filing", WholeStore(), {})
SEARCHES = {"DiagnosticReport": frozenset({Interaction.SEARCH})}
HOUR = 3_600_000_000
WHOM = "the urology nurses"


def nurse(practitioner: str) -> Access:
    agent = Agent("clinician", user=f"Practitioner/{practitioner}", purpose="TREAT")
    return Access(agent, "nurse", CaredFor(practitioner), SEARCHES, bound_by_release=False)


def cared_for(record: Record, practitioner: str, **period: str) -> str:
    """Return a new patient, in the care of a team with *practitioner* in it."""
    patient = new_id()
    subject = {"reference": f"Patient/{patient}"}
    member = {"member": {"reference": f"Practitioner/{practitioner}"}}
    team = {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": subject,
        "participant": [member],
    }
    team |= {"period": period} if period else {}

    def piece(writer: Writer) -> None:
        person = {"resourceType": "Patient"}
        writer.file(person, id_=patient, patient=patient, release_at=writer.now)
        team_id = new_id(bucket_of(patient))
        writer.file(team, id_=team_id, patient=patient, release_at=writer.now)
        writer.audit("create", patient=patient)

    record.submit(FILING, piece).result(10)
    return patient


def held(record: Record, patient: str, *, opens: int | None = None) -> str:
    """Return a new held report of *patient*'s, with its notice."""
    report = new_id(bucket_of(patient))
    tree = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "PSA"},
        "subject": {"reference": f"Patient/{patient}"},
    }

    def piece(writer: Writer) -> None:
        writer.file(tree, id_=report, patient=patient, release_at=opens)
        writer.notice(Notice(patient, report, "PSA", "contact-first", opens, WHOM))
        writer.audit("message-filed", patient=patient)

    record.submit(FILING, piece).result(10)
    return report


def told(found: Sequence[HeldNotice]) -> list[tuple[str, str, str, str]]:
    return [(one.patient, one.report, one.title, one.contact) for one in found]


def test_a_clinician_has_the_held_reports_of_their_patients_the_oldest_first(record: Record):
    priya, other = new_id(), new_id()
    alan, brian = cared_for(record, priya), cared_for(record, priya)
    stranger = cared_for(record, other)
    later = micros(record.clock()) + HOUR
    reports = [(one, held(record, one, opens=later)) for one in (brian, alan, brian)]
    held(record, stranger)
    found = awaiting_release(record, nurse(priya)).result(10)
    assert told(found) == [(patient, report, "PSA", WHOM) for patient, report in reports]
    assert {one.opens for one in found} == {later}


def test_whoever_cares_no_longer_has_nothing_to_review(record: Record):
    priya = new_id()
    former = cared_for(record, priya, start="2020-01-01", end="2021-01-01")
    held(record, former)
    assert awaiting_release(record, nurse(priya)).result(10) == ()


def test_a_report_whose_date_has_come_waits_no_more_for_anybody(record: Record):
    priya = new_id()
    alan = cared_for(record, priya)
    held(record, alan, opens=micros(record.clock()) - HOUR)
    own = Access(Agent("patient"), "own", OwnRecord((alan,)), SEARCHES)
    assert awaiting_release(record, nurse(priya)).result(10) == ()
    assert notices(record, own, alan).result(10) == ()


@pytest.mark.parametrize("reach", [OwnRecord(("a" * 32,)), NoRecord(), WholeStore()])
def test_work_is_for_clinicians_alone(record: Record, reach):
    access = Access(Agent("patient"), "other", reach, SEARCHES)
    with pytest.raises(Forbidden):
        awaiting_release(record, access).result(10)


def test_a_notice_is_for_its_own_patient_alone(record: Record):
    priya = new_id()
    alan, brian = cared_for(record, priya), cared_for(record, priya)
    report = held(record, alan)
    own = Access(Agent("patient"), "own", OwnRecord((alan,)), SEARCHES)
    assert told(notices(record, own, alan).result(10)) == [(alan, report, "PSA", WHOM)]
    for reach, patient in ((OwnRecord((brian,)), alan), (CaredFor(priya), alan)):
        with pytest.raises(Forbidden):
            notices(record, Access(Agent("x"), "x", reach, SEARCHES), patient).result(10)
