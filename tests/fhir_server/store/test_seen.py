"""A resource by its id, as one caller may see it now: no parameter serves another caller."""

from itertools import product

import pytest

from fhir_server.access import Access, Agent, CaredFor, OwnRecord, Reach, WholeStore
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.record import Record, Writer
from fhir_server.store import read

A, B = new_id(7), new_id(7)
NURSE, OTHER = new_id(), new_id()
NOW = 4_000_000_000_000_000  # far from now, so that nothing opens meanwhile
OPERATOR = Access(Agent("operator"), "r", WholeStore(), {})
REACHES = (OwnRecord((A,)), OwnRecord((B,)), OwnRecord((A, B)), CaredFor(NURSE), CaredFor(OTHER))


def seeing(reach: Reach, *, bound: bool = False, labels: int = 0) -> Access:
    return Access(Agent("x"), "r", reach, {}, bound_by_release=bound, hidden_labels=labels)


@pytest.fixture
def results(record: Record) -> dict[str, str]:
    """A result of each patient, B's with a label; a team in which the nurse cares for A."""
    ids = {patient: new_id(bucket_of(patient)) for patient in (A, B)}

    def piece(writer: Writer) -> None:
        for patient, id_ in ids.items():
            tree = {"resourceType": "Observation", "subject": {"reference": f"Patient/{patient}"}}
            label, opens = int(patient == B), None if patient == B else NOW
            writer.file(tree, id_=id_, patient=patient, release_at=opens, labels=label)
        member = {"member": {"reference": f"Practitioner/{NURSE}"}}
        team = {"resourceType": "CareTeam", "status": "active", "participant": [member]}
        writer.file(team, id_=new_id(7), patient=A, release_at=writer.now)

    record.submit(OPERATOR, piece).result(timeout=10)
    return ids


def found(record: Record, access: Access, id_: str, now: int = NOW) -> bool:
    with record.engines.reader.connect() as connection:
        stored = read.seen(connection, access, "Observation", id_, now)
    assert stored is None or stored.id == id_
    return stored is not None


def test_each_caller_sees_their_own_however_often_and_in_whatever_order(
    record: Record, results: dict[str, str]
) -> None:
    expected = [True, False, False, True, True, True, True, False, False, False]
    for _ in range(2):
        seen = [
            found(record, seeing(reach), results[one]) for reach, one in product(REACHES, (A, B))
        ]
        assert seen == expected
    assert found(record, seeing(WholeStore()), results[B])


def test_the_same_caller_sees_more_when_a_result_has_opened(
    record: Record, results: dict[str, str]
) -> None:
    own = seeing(OwnRecord((A,)), bound=True)
    assert [found(record, own, results[A], now) for now in (NOW - 1, NOW, NOW - 1)] == [
        False,
        True,
        False,
    ]
    assert not found(record, seeing(OwnRecord((B,)), bound=True), results[B])


def test_labels_hide_from_those_whom_they_hide_from(
    record: Record, results: dict[str, str]
) -> None:
    for labels, seen in ((0, True), (1, False), (2, True), (3, False), (0, True)):
        assert found(record, seeing(OwnRecord((B,)), labels=labels), results[B]) == seen
