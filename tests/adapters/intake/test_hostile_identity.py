"""Whose result it is: never resolved where it is not clear, and never somebody else's."""

from dataclasses import replace

import pytest

from adapters.intake.feeds import LOOPBACK
from tests.adapters.intake.ward import ALAN, BRIAN, Ward


def goes_on(ward: Ward) -> bool:
    return ward.psa(control_id="NEXT", filler="NEXT", nhs_number="9990000107").code == "AA"


def test_the_order_of_identifiers_does_not_matter(ward: Ward) -> None:
    pid = "PID|1||A123^^^RXX^MR~999 000 0018^^^NHS^NH||Example^Alan||19550301|M"
    assert ward.psa(pid=pid).code == "AA"
    assert len(ward.seen()) == 1


@pytest.mark.parametrize(
    ("identifiers", "fault"),
    [
        ("A123", ("AE", "204", "identity-unclear", "PID.3")),
        ("9990000018^^^NHS^NH~9990000026^^^NHS^NH", ("AE", "204", "identity-unclear", "PID.3")),
        ("0000000000^^^NHS^NH", ("AE", "204", "identity-unclear", "PID.3")),
        ("9990000017^^^NHS^NH", ("AE", "102", "nhs-number-bad", "PID.3")),
        ("", ("AE", "101", "identity-missing", "PID.3")),
    ],
)
def test_an_identity_that_is_not_clear_is_never_resolved_here(
    ward: Ward, identifiers: str, fault: tuple[str, str, str, str]
) -> None:
    assert ward.psa(pid=f"PID|1||{identifiers}||Example^Alan||19550301|M").fault == fault
    assert ward.fate() == ("quarantined", fault[2], fault[3])
    assert (ward.known("Patient"), goes_on(ward)) == ([], True)


def test_an_nhs_number_without_a_birth_date_is_set_aside(ward: Ward) -> None:
    assert ward.psa(birth_date="").fault == ("AE", "101", "identity-unclear", "PID.7")
    assert ward.fate()[0] == "quarantined"


def test_somebody_known_by_a_local_number_alone_is_filed_and_found_again(ward: Ward) -> None:
    pid = "PID|1||B77^^^RXX^MR||Example^Baby||20261101|F"
    assert ward.psa(pid=pid).code == "AA"
    assert ward.psa(control_id="B", filler="LAB2", pid=pid).code == "AA"
    (patient,) = ward.known("Patient")
    assert patient["identifier"][0]["value"] == "B77"
    pairs = ("patient", patient["id"])
    assert len(ward.found(ward.as_clinician(), "Observation", pairs)) == 2


def test_a_local_number_that_came_with_an_nhs_number_finds_the_same_person(ward: Ward) -> None:
    both = "PID|1||9990000018^^^NHS^NH~A123^^^RXX^MR||Example^Alan||19550301|M"
    assert ward.psa(pid=both).code == "AA"
    alone = "PID|1||A123^^^RXX^MR||Example^Alan||19550301|M"
    assert ward.psa(control_id="B", filler="LAB2", pid=alone).code == "AA"
    assert (len(ward.known("Patient")), len(ward.seen())) == (1, 2)


def test_a_local_number_without_a_birth_date_files_only_where_nothing_differs(ward: Ward) -> None:
    assert ward.psa(pid="PID|1||A123^^^RXX^MR||Example^Alan||19550301|M").code == "AA"
    same = "PID|1||A123^^^RXX^MR||EXAMPLE^A"
    assert ward.psa(control_id="B", filler="LAB2", pid=same).code == "AA"
    other = "PID|1||A123^^^RXX^MR||Somebody^Else"
    assert ward.psa(control_id="C", filler="LAB3", pid=other).code == "AA"
    assert ward.fate("C") == ("quarantined", "identity-conflict", "PID.5")


def test_a_local_number_of_somebody_with_another_nhs_number_is_a_conflict(ward: Ward) -> None:
    pid = "PID|1||{}^^^NHS^NH~A123^^^RXX^MR||Example^Alan||19550301|M"
    assert ward.psa(pid=pid.format(ALAN)).code == "AA"
    answer = ward.psa(control_id="B", filler="LAB2", pid=pid.format(BRIAN))
    assert (answer.code, ward.fate("B")) == ("AA", ("quarantined", "identity-conflict", "PID.3"))
    assert len(ward.known("Patient")) == 1


def test_somebody_known_without_an_nhs_number_who_comes_with_one_is_flagged(ward: Ward) -> None:
    assert ward.psa(pid="PID|1||A123^^^RXX^MR||Example^Alan||19550301|M").code == "AA"
    both = "PID|1||9990000018^^^NHS^NH~A123^^^RXX^MR||Example^Alan||19550301|M"
    assert ward.psa(control_id="B", filler="LAB2", pid=both).code == "AA"
    assert (ward.fate("B")[0], ward.flags("B")) == ("filed", ["identity-split PID.3"])
    assert len(ward.seen()) == 1


def test_results_of_somebody_who_died_wait_for_a_clinician(ward: Ward) -> None:
    assert ward.psa().code == "AA"
    (patient,) = ward.known("Patient")
    ward.change(patient, deceasedBoolean=True)
    assert ward.psa(control_id="B", filler="LAB2").code == "AA"
    assert (len(ward.known()), len(ward.seen())) == (2, 1)


def test_a_message_that_says_that_the_person_died_is_held(ward: Ward) -> None:
    pid = "PID|1||9990000018^^^NHS^NH||Example^Alan||19550301|M" + "|" * 21 + "20261101"
    assert ward.psa(pid=pid).code == "AA"
    assert (len(ward.known()), ward.seen()) == (1, [])


def test_results_of_a_merged_record_go_to_the_one_that_survives(ward: Ward) -> None:
    assert ward.psa().code == "AA"
    assert ward.psa(control_id="B", filler="LAB2", nhs_number=BRIAN).code == "AA"
    retired = next(p for p in ward.known("Patient") if p["id"] == ward.patient(ALAN))
    survivor = {"reference": f"Patient/{ward.patient(BRIAN)}"}
    ward.change(retired, link=[{"other": survivor, "type": "replaced-by"}])
    assert ward.psa(control_id="C", filler="LAB3").code == "AA"
    assert (len(ward.known()), len(ward.known(nhs_number=BRIAN))) == (1, 2)


def test_records_merged_in_a_circle_are_for_a_human(ward: Ward) -> None:
    assert ward.psa().code == "AA"
    (patient,) = ward.known("Patient")
    link = {"other": {"reference": f"Patient/{patient['id']}"}, "type": "replaced-by"}
    ward.change(patient, link=[link])
    assert ward.psa(control_id="B", filler="LAB2").fault == (
        *("AE", "204", "identity-unclear", "PID.3"),
    )


@pytest.mark.parametrize(
    ("changes", "fate", "flags"),
    [
        ({"name": "EXAMPLE^ALAN"}, "filed", []),
        ({"name": "Mr Éxample^A"}, "filed", ["charset-guessed"]),
        ({"name": "Mr Example^A"}, "filed", []),
        ({"name": "Other^Alan"}, "filed", ["identity-differs PID.5"]),
        ({"name": "Example^Brian"}, "filed", ["identity-differs PID.5"]),
        ({"sex": "F"}, "filed", ["identity-differs PID.8"]),
        ({"sex": "U"}, "filed", []),
        ({"name": "Other^Alan", "sex": "F"}, "quarantined", []),
        ({"birth_date": "19600101"}, "quarantined", []),
        ({"birth_date": "1955"}, "quarantined", []),
    ],
)
def test_one_small_difference_is_flagged_and_two_or_a_birth_date_wait_for_a_human(
    ward: Ward, changes: dict[str, str], fate: str, flags: list[str]
) -> None:
    assert ward.psa().code == "AA"
    assert ward.psa(control_id="B", filler="LAB2", **changes).code == "AA"
    assert (ward.fate("B")[0], ward.flags("B")) == (fate, flags)
    assert len(ward.known()) == (2 if fate == "filed" else 1)


def test_a_feed_may_choose_to_be_told_of_a_conflict(ward: Ward) -> None:
    told = replace(LOOPBACK, identity_ack="AE")
    assert ward.psa(told).code == "AA"
    answer = ward.psa(told, control_id="B", filler="LAB2", birth_date="19600101")
    assert answer.fault == ("AE", "204", "identity-conflict", "PID.7")
