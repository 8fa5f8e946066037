"""Hostile merges, 43: each with its whole stated outcome, over a real socket."""

from itertools import count

import pytest

from tests.adapters.hostile.hospital import Hospital, Sent
from tests.adapters.intake.ward import value_of

FILED = ("filed", "", "")
NUMBERS = count(1)


def local() -> str:
    """Return a local number that nobody in this session has had yet, as PID-3 or MRG-1."""
    return f"T{next(NUMBERS)}^^^RXX^MR"


def pid(number: str) -> str:
    return f"PID|1||{number}||Quillfeather^Zebedee||19550301|M"


def result(clinic: Hospital, number: str, value: str) -> Sent:
    return clinic.message(pid=pid(number), value=value, facility="RMERGE")


def merge(clinic: Hospital, stays: str, retired: str) -> Sent:
    """Return the message by which one hospital number is retired in favour of another."""
    sent = clinic.message(pid=pid(stays), facility="RMERGE")
    head = sent.raw.decode().split("\r")[0].replace("ORU^R01^ORU_R01", "ADT^A40^ADT_A39")
    lines = (head, "EVN|A40|20261124093000", pid(stays), f"MRG|{retired}", "")
    return Sent("\r".join(lines).encode(), sent.control_id, sent.nhs_number)


def patients(clinic: Hospital, number: str) -> list[str]:
    """Return the ids of the records that bear a local number, those still in use first."""
    bearers = ("identifier", f"|{number.partition('^')[0]}")
    found = clinic.ward.found(clinic.ward.as_clinician(), "Patient", bearers)
    return [one["id"] for one in sorted(found, key=lambda one: not one.get("active", True))]


def values(clinic: Hospital, number: str) -> list[str]:
    """Return the values in the record of who bears a local number now."""
    about = ("patient", patients(clinic, number)[0])
    found = clinic.ward.found(clinic.ward.as_clinician(), "Observation", about)
    return sorted(map(value_of, found))


@pytest.fixture(autouse=True)
def _may_merge(clinic: Hospital) -> None:
    clinic.agree("RMERGE", merges=True)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_chain_of_merges_ends_at_the_survivor_whatever_its_order(
    clinic: Hospital, order: tuple[int, int]
) -> None:
    """hostile_43"""
    wire, (first, second, third) = clinic.connect(), [local() for _ in range(3)]
    results = [result(clinic, *one) for one in ((first, "1.1"), (second, "2.2"), (third, "3.3"))]
    assert [wire.tell(one) for one in results] == [one.accepted for one in results]
    merges = (merge(clinic, second, first), merge(clinic, third, second))
    sent = [merges[place] for place in order]
    assert [wire.tell(one) for one in sent] == [one.accepted for one in sent]
    assert [clinic.fates(one) for one in sent] == [[FILED]] * 2
    assert values(clinic, third) == ["1.1", "2.2", "3.3"]
    late = result(clinic, first, "4.4")
    assert wire.tell(late) == late.accepted
    assert values(clinic, third) == ["1.1", "2.2", "3.3", "4.4"]
    assert clinic.goes_on(wire)


def test_a_result_in_flight_ends_with_the_survivor_once(clinic: Hospital) -> None:
    """hostile_43"""
    wire, other, stays, retired = clinic.connect(), clinic.connect(), local(), local()
    known = [result(clinic, stays, "1.1"), result(clinic, retired, "2.2")]
    assert [wire.tell(one) for one in known] == [one.accepted for one in known]
    joined, flying = merge(clinic, stays, retired), result(clinic, retired, "3.3")
    wire.send(b"\x0b" + joined.raw + b"\x1c\r")
    other.send(b"\x0b" + flying.raw + b"\x1c\r")
    assert (wire.answer(), other.answer()) == (joined.accepted, flying.accepted)
    assert values(clinic, stays) == ["1.1", "2.2", "3.3"]
    assert [clinic.fates(one) for one in (joined, flying)] == [[FILED]] * 2
    assert clinic.goes_on(wire)


def test_a_merge_of_somebody_with_themselves_is_set_aside(clinic: Hospital) -> None:
    """hostile_43"""
    wire, number = clinic.connect(), local()
    known, sent = result(clinic, number, "1.1"), merge(clinic, number, number)
    assert wire.tell(known) == known.accepted
    assert wire.tell(sent) == sent.refused("AE", "204", "merge-itself", "MRG.1")
    assert clinic.fates(sent) == [("quarantined", "merge-itself", "MRG[1].1")]
    assert (len(patients(clinic, number)), clinic.goes_on(wire)) == (1, True)


def test_a_merge_that_would_close_a_circle_waits_for_a_person(clinic: Hospital) -> None:
    """hostile_43"""
    wire, one, other = clinic.connect(), local(), local()
    known = [result(clinic, one, "1.1"), result(clinic, other, "2.2")]
    first, back = merge(clinic, other, one), merge(clinic, one, other)
    for sent in (*known, first, back):
        assert wire.tell(sent) == sent.accepted
    assert clinic.fates(back) == [("quarantined", "merge-circle", "MRG[1].1")]
    assert values(clinic, other) == ["1.1", "2.2"]
    assert (clinic.raw(back), clinic.goes_on(wire)) == (back.raw, True)


def test_a_merge_before_anybody_is_known_sends_later_results_to_who_stays(
    clinic: Hospital,
) -> None:
    """hostile_43"""
    wire, stays, retired = clinic.connect(), local(), local()
    joined, late = merge(clinic, stays, retired), result(clinic, retired, "1.1")
    assert [wire.tell(one) for one in (joined, late)] == [joined.accepted, late.accepted]
    assert [clinic.fates(one) for one in (joined, late)] == [[FILED]] * 2
    assert values(clinic, stays) == ["1.1"]
    assert clinic.goes_on(wire)


def test_a_merge_from_a_hospital_without_the_right_to_it_waits_for_a_person(
    clinic: Hospital,
) -> None:
    """hostile_43"""
    wire, stays, retired = clinic.connect(), local(), local()
    sent = merge(clinic, stays, retired).changed("|RMERGE|", "|RXX|")
    assert wire.tell(sent) == sent.accepted
    assert clinic.fates(sent) == [("quarantined", "merge-not-agreed", "MSH.4")]
    assert (patients(clinic, stays), clinic.goes_on(wire)) == ([], True)
