"""Reads are given out after their audit entry; writes are pieces, whole or not at all."""

from concurrent.futures import Future
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from fhir_server.access import Access, Agent, Interaction, NoRecord, OwnRecord, WholeStore
from fhir_server.clock import micros
from fhir_server.errors import Conflict, Forbidden, NotFound, Unavailable
from fhir_server.model import json
from fhir_server.model.ids import new_id
from fhir_server.record import Record, Stored, Writer
from fhir_server.store.tables import audit_entry, resource

ALL = frozenset(Interaction)
FILING = Access(
    Agent("feed", user="feed:mersey"), "r-filing", WholeStore(), {}, bound_by_release=False
)
HOUR = 3_600_000_000


def patient_access(patient: str) -> Access:
    types = ("Patient", "Observation")
    return Access(
        Agent("patient", user=f"Patient/{patient}"),
        "r-patient",
        OwnRecord((patient,)),
        dict.fromkeys(types, ALL),
    )


def done(future: "Future[Any]") -> Any:
    return future.result(timeout=10)


def file(record: Record, tree: dict[str, Any], id_: str, patient: str, **kept: Any) -> Stored:
    def piece(writer: Writer) -> Stored:
        release_at = kept.get("release_at", writer.now)
        stored = writer.file(tree, id_=id_, patient=patient, release_at=release_at).stored
        writer.audit("create", patient=patient, entity=stored.reference)
        return stored

    return done(record.submit(FILING, piece))


def observation(patient: str, value: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "PSA"},
        "subject": {"reference": f"Patient/{patient}"},
        "valueString": value,
    }


def entries(record: Record) -> list[dict[str, Any]]:
    return [json.decode(bytes(row.body)) for row in record.select(select(audit_entry.c.body))]


def count_entries(record: Record) -> int:
    return int(record.select(select(func.count()).select_from(audit_entry))[0][0])


@pytest.fixture
def alan(record: Record) -> str:
    patient = new_id()
    file(record, {"resourceType": "Patient", "birthDate": "1955-03-01"}, patient, patient)
    return patient


def test_a_read_answers_with_the_stored_bytes_and_leaves_one_entry(
    record: Record, alan: str
) -> None:
    before = count_entries(record)
    stored = done(record.read(patient_access(alan), "Patient", alan))
    tree = json.decode(stored.body)
    assert tree["id"] == alan
    assert tree["meta"]["versionId"] == "1"
    assert tree["birthDate"] == "1955-03-01"
    rows = record.select(select(audit_entry).order_by(audit_entry.c.seq.desc()).limit(1))
    assert count_entries(record) == before + 1
    assert (rows[0].patient, rows[0].subtype, rows[0].outcome) == (alan, "read", "0")


def test_what_is_anothers_answers_like_what_never_was(record: Record, alan: str) -> None:
    brian = new_id()
    file(record, {"resourceType": "Patient"}, brian, brian)
    refusals = []
    for id_ in (brian, new_id(), "x", "../" + brian):
        with pytest.raises(NotFound) as refusal:
            done(record.read(patient_access(alan), "Patient", id_))
        refusals.append(tuple(refusal.value.issues))
    assert len(set(refusals)) == 1


def test_a_refused_read_says_what_was_asked_and_never_what_was_found(
    record: Record, alan: str
) -> None:
    brian = new_id()
    file(record, {"resourceType": "Patient"}, brian, brian)
    with pytest.raises(NotFound):
        done(record.read(patient_access(alan), "Patient", brian))
    row = record.select(select(audit_entry).order_by(audit_entry.c.seq.desc()).limit(1))[0]
    assert (row.outcome, row.patient, row.entity) == ("4", brian, f"Patient/{brian}")
    stored = file(record, observation(brian, "x"), new_id(int(brian[:3], 16)), brian)
    with pytest.raises(NotFound):
        done(record.read(patient_access(alan), "Observation", stored.id))
    row = record.select(select(audit_entry).order_by(audit_entry.c.seq.desc()).limit(1))[0]
    assert (row.outcome, row.patient, row.entity) == ("4", "", stored.reference)


def test_a_type_that_the_token_does_not_name_is_refused_and_logged(
    record: Record, alan: str
) -> None:
    before = count_entries(record)
    with pytest.raises(Forbidden):
        done(record.read(patient_access(alan), "Communication", new_id()))
    assert count_entries(record) == before + 1


def test_a_version_that_comes_during_a_look_at_the_history_doubles_none(
    record: Record, alan: str
) -> None:
    id_ = new_id(int(alan[:3], 16))
    file(record, observation(alan, "5.10"), id_, alan)
    later = [observation(alan, "5.20")]

    def heard(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "FROM resource_version" in statement and later:
            file(record, later.pop(), id_, alan)

    event.listen(record.engines.reader, "before_cursor_execute", heard)
    versions = done(record.history(patient_access(alan), "Observation", id_))
    assert ([one.version for one in versions], later) == ([1], [])


def test_a_held_result_is_absent_from_read_vread_and_history(record: Record, alan: str) -> None:
    id_ = new_id(int(alan[:3], 16))
    file(record, observation(alan, "held"), id_, alan, release_at=None)
    access = patient_access(alan)
    for ask in (
        record.read(access, "Observation", id_),
        record.vread(access, "Observation", id_, 1),
        record.history(access, "Observation", id_),
    ):
        with pytest.raises(NotFound):
            done(ask)


def test_a_result_opens_when_its_time_comes(record: Record, alan: str) -> None:
    id_ = new_id(int(alan[:3], 16))
    opens = micros(record.clock()) + HOUR
    file(record, observation(alan, "later"), id_, alan, release_at=opens)
    with pytest.raises(NotFound):
        done(record.read(patient_access(alan), "Observation", id_))
    clock, record.clock = (
        record.clock,
        lambda: __import__("datetime").datetime.fromtimestamp(
            opens / 1e6 + 1, __import__("datetime").UTC
        ),
    )
    assert done(record.read(patient_access(alan), "Observation", id_)).id == id_
    record.clock = clock


def test_a_version_is_visible_only_if_it_and_the_current_one_are(record: Record, alan: str) -> None:
    id_ = new_id(int(alan[:3], 16))
    file(record, observation(alan, "preliminary"), id_, alan, release_at=None)
    file(record, observation(alan, "final"), id_, alan)
    access = patient_access(alan)
    versions = done(record.history(access, "Observation", id_))
    assert [one.version for one in versions] == [2]
    with pytest.raises(NotFound):
        done(record.vread(access, "Observation", id_, 1))
    file(record, observation(alan, "held again"), id_, alan, release_at=None)
    with pytest.raises(NotFound):
        done(record.vread(access, "Observation", id_, 2))


def test_the_same_content_again_makes_no_new_version(record: Record, alan: str) -> None:
    id_ = new_id(int(alan[:3], 16))
    first = file(record, observation(alan, "7.3"), id_, alan)
    again = file(record, observation(alan, "7.3"), id_, alan)
    assert again == first


def test_a_piece_that_fails_leaves_nothing_but_its_refusal(record: Record, alan: str) -> None:
    id_ = new_id(int(alan[:3], 16))
    before = count_entries(record)

    def piece(writer: Writer) -> None:
        writer.file(observation(alan, "x"), id_=id_, patient=alan, release_at=writer.now)
        assert writer.select(select(resource.c.id).where(resource.c.id == id_))
        raise Conflict.of("not like this")

    with pytest.raises(Conflict):
        done(record.submit(FILING, piece))
    with pytest.raises(NotFound):
        done(record.read(patient_access(alan), "Observation", id_))
    outcomes = [
        row.outcome
        for row in record.select(select(audit_entry.c.outcome).order_by(audit_entry.c.seq))
    ]
    assert outcomes[before:] == ["4", "4"]


def test_a_ledger_that_cannot_be_written_turns_a_read_into_unavailable(
    record: Record, alan: str
) -> None:
    with record.engines.writer.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entry RENAME TO audit_entry_gone"))
    with pytest.raises(Unavailable):
        done(record.read(patient_access(alan), "Patient", alan))
    with record.engines.writer.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entry_gone RENAME TO audit_entry"))
    assert done(record.read(patient_access(alan), "Patient", alan)).id == alan


def test_a_directory_entry_is_in_nobodys_record(record: Record) -> None:
    id_ = new_id()
    file(record, {"resourceType": "Organization", "name": "Mersey Laboratory"}, id_, "")
    access = Access(Agent("auditor"), "r", NoRecord(), {"Organization": ALL})
    assert done(record.read(access, "Organization", id_)).patient == ""
