"""Who somebody is: a known person changes only by a feed with the right, and never by a guess."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.intake.feeds import LOOPBACK
from tests.adapters.intake.ward import Answer, Ward

# What is tested here is the rules; that both engines file alike is tested with results.
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

Tree = dict[str, Any]
PAS = replace(LOOPBACK, name="pas", demographics=True)
PID = "PID|1||9990000018^^^NHS^NH~A77^^^RXX^MR||Example^Alan||19550301|M"
TELLING = (
    "PID|1||9990000018^^^NHS^NH||Example^Alan^^^Mr^^L~Alias^Al^^^^^M||19550301|M|||"
    "1 Mere Street^^Northmere^^NM1 1AA^GBR^H||01632960001~07700900001|01632960009||M"
)


def adt(
    ward: Ward,
    pid: str = PID,
    *more: str,
    event: str = "A31",
    at: str = "20261124101400",
    control_id: str = "D1",
    feed: Any = PAS,
) -> Answer:
    header = f"MSH|^~\\&|PAS|RXX|PORTAL|CMCA|{at}||ADT^{event}|{control_id}|P|2.5.1"
    return ward.send("\r".join((header, f"EVN|{event}|{at}", pid, *more)), feed)


def person(ward: Ward) -> Tree:
    (tree,) = ward.known("Patient")
    return tree


@pytest.mark.parametrize("event", ["A01", "A04", "A05", "A08", "A28", "A31"])
def test_somebody_new_is_kept_and_their_results_join_them(ward: Ward, event: str) -> None:
    assert adt(ward, event=event, feed=LOOPBACK).code == "AA"
    tree = person(ward)
    assert (tree["id"], tree["birthDate"], tree["name"][0]["family"]) == (
        *(ward.patient(), "1955-03-01", "Example"),
    )
    (told,) = ward.known("Provenance")
    assert told["target"] == [{"reference": f"Patient/{ward.patient()}"}]
    assert ward.psa().code == "AA"
    assert ward.values() == ["7.3"]
    assert ward.row("D1").made.startswith(f"Patient/{ward.patient()}/_history/1")


@pytest.mark.parametrize("event", ["A02", "A03", "A06", "A07", "A11", "A12", "A13"])
def test_other_events_make_nobody(ward: Ward, event: str) -> None:
    assert adt(ward, event=event).code == "AA"
    assert (ward.known("Patient"), ward.fate("D1")[0]) == ([], "filed")


def test_a_known_person_changes_by_a_feed_with_the_right(ward: Ward) -> None:
    ward.psa()
    assert adt(ward, TELLING).code == "AA"
    tree = person(ward)
    assert tree["address"][0]["postalCode"] == "NM1 1AA"
    assert [(one["value"], one["use"]) for one in tree["telecom"]] == [
        ("01632960001", "home"),
        ("07700900001", "mobile"),
        ("01632960009", "work"),
    ]
    assert [one["meta"]["versionId"] for one in ward.versions(ward.as_clinician(), tree)] == [
        *("2", "1")
    ]
    assert ward.flags("D1") == []
    (told,) = (one for one in ward.known("Provenance") if "Patient" in str(one["target"]))
    assert told["recorded"] == "2026-11-24T10:14:00+00:00"


def test_without_the_right_it_is_kept_and_flagged(ward: Ward) -> None:
    ward.psa()
    assert adt(ward, TELLING, feed=LOOPBACK).code == "AA"
    assert "address" not in person(ward)
    assert (ward.fate("D1")[0], ward.flags("D1")) == ("filed", ["demographics-not-agreed MSH.4"])


def test_silence_changes_nothing_and_quotation_marks_take_away(ward: Ward) -> None:
    adt(ward, TELLING)
    adt(ward, PID, control_id="D2", at="20261124111400")
    kept = person(ward)
    assert (len(kept["telecom"]), "address" in kept, "maritalStatus" in kept) == (3, True, True)
    assert [one.get("family") for one in kept["name"]] == ["Alias", "Example"]
    emptied = (
        'PID|1||9990000018^^^NHS^NH||Example^Alan||19550301|M|||""||""|||""|||||||||||||||||||||||'
    )
    adt(ward, emptied, control_id="D3", at="20261124121400")
    tree = person(ward)
    assert [one["use"] for one in tree["telecom"]] == ["work"]
    assert ("address" in tree, "maritalStatus" in tree) == (False, False)
    assert ward.flags("D3") == []


def test_a_new_home_number_leaves_the_mobile(ward: Ward) -> None:
    adt(ward, TELLING)
    moved = "PID|1||9990000018^^^NHS^NH||Example^Alan||19550301|M|||||01632960002"
    adt(ward, moved, control_id="D2", at="20261124111400")
    numbers = {one["use"]: one["value"] for one in person(ward)["telecom"]}
    assert numbers == {"home": "01632960002", "mobile": "07700900001", "work": "01632960009"}


def test_what_is_older_than_what_stands_is_not_applied(ward: Ward) -> None:
    adt(ward, TELLING, at="20261124101400")
    late = TELLING.replace("1 Mere Street", "9 Old Road")
    assert adt(ward, late, control_id="D2", at="20261123101400").code == "AA"
    assert person(ward)["address"][0]["line"] == ["1 Mere Street"]
    assert ward.flags("D2") == ["version-older EVN.2"]


def test_nobody_comes_back_to_life_by_a_message(ward: Ward) -> None:
    dead = PID + "|" * 21 + "20261120|Y"
    adt(ward, dead)
    assert person(ward)["deceasedDateTime"] == "2026-11-20"
    for number, said in enumerate(('""|N', "|N", '""|'), start=2):
        at = f"202611241{number}1400"
        assert adt(ward, PID + "|" * 21 + said, control_id=f"D{number}", at=at).code == "AA"
        assert person(ward)["deceasedDateTime"] == "2026-11-20"
        assert ward.flags(f"D{number}")[0].startswith("death-denied PID.")
    adt(ward, PID + "|" * 22 + "Y", control_id="D9", at="20261124181400")
    assert person(ward)["deceasedDateTime"] == "2026-11-20"


@pytest.mark.parametrize(
    ("pid", "address"),
    [
        (PID.replace("19550301", "19550302"), "PID.7"),
        (PID.replace("Example^Alan", "Other^Olga").replace("|M", "|F"), "PID.5"),
        (PID.replace("9990000018", "9990000026").replace("19550301", "19550302"), "PID.3"),
    ],
)
def test_another_birth_date_number_or_person_waits_for_a_human(
    ward: Ward, pid: str, address: str
) -> None:
    adt(ward)
    before = person(ward)
    assert adt(ward, pid, control_id="D2", at="20261124111400").code == "AA"
    assert ward.fate("D2") == ("quarantined", "identity-conflict", address)
    assert person(ward) == before


def test_protection_is_put_on_and_taken_off(ward: Ward) -> None:
    adt(ward)
    for number, (sent, labels) in enumerate((("Y", ["R"]), ("", ["R"]), ("N", [])), start=2):
        pd1 = "PD1" + "|" * 12 + sent
        adt(ward, PID, pd1, control_id=f"D{number}", at=f"202611241{number}1400")
        assert [one["code"] for one in person(ward)["meta"].get("security", ())] == labels


def test_a_practice_is_put_in_the_directory_and_replaced_by_its_kind(ward: Ward) -> None:
    first = "PD1|||Brook Surgery^^^^^^^^^S99901|G9999994^Patel^Asha^^^Dr^^^GMP"
    adt(ward, PID, first)
    adt(ward, PID, "PD1|||Mere Surgery^^^^^^^^^S99902", control_id="D2", at="20261124111400")
    tree = person(ward)
    assert [one["display"] for one in tree["generalPractitioner"]] == [
        *("Dr Asha Patel", "Mere Surgery")
    ]
    organizations = ward.found(ward.as_clinician(), "Organization")
    assert {"Brook Surgery", "Mere Surgery"} <= {one.get("name") for one in organizations}


def test_somebody_whom_the_sender_does_not_know_is_not_filed(ward: Ward) -> None:
    assert adt(ward, PID + "|" * 23 + "Y").code == "AA"
    assert (ward.known("Patient"), ward.flags("D1")) == ([], ["person-unknown PID.31"])


def test_the_same_details_again_make_no_new_version(ward: Ward) -> None:
    adt(ward, TELLING)
    adt(ward, TELLING, control_id="D2", at="20261124111400")
    assert person(ward)["meta"]["versionId"] == "1"
