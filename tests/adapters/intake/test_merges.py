"""Two records of one person become one by a hospital's message; what is doubtful waits."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.intake import repeating, replay, trial
from adapters.intake.feeds import LOOPBACK
from adapters.intake.unmerging import unmerge
from fhir_server.errors import Conflict
from tests.adapters.intake.test_appointments import siu
from tests.adapters.intake.test_letters import mdm
from tests.adapters.intake.test_orders import oml
from tests.adapters.intake.ward import ALAN, BRIAN, OPERATOR, Answer, Ward, value_of

Tree = dict[str, Any]
RULES = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""For the rules alone; that both engines join alike is tested with what crosses a merge."""
PAS = replace(LOOPBACK, name="pas", merges=True)
OWN = f"{ALAN}^^^NHS^NH"


def pid(numbers: str, name: str = "Example^Alan", born: str = "19550301", sex: str = "M") -> str:
    return f"PID|1||{numbers}||{name}||{born}|{sex}"


def local(*numbers: str) -> str:
    return "~".join(f"{number}^^^RXX^MR" for number in numbers)


def merge(
    ward: Ward,
    stays: str,
    retired: str,
    control_id: str = "M1",
    event: str = "A40",
    feed: Any = PAS,
) -> Answer:
    header = f"MSH|^~\\&|PAS|RXX|PORTAL|CMCA|20261124101400||ADT^{event}|{control_id}|P|2.5.1"
    lines = (header, f"EVN|{event}|20261124101400", stays, f"MRG|{retired}")
    return ward.send("\r".join(lines), feed)


def result(ward: Ward, numbers: str, filler: str, value: str, **more: str) -> None:
    sent = {"control_id": f"R{filler}{value}", "filler": filler, "value": value} | more
    assert ward.psa(pid=pid(numbers), **sent).code == "AA"


def seen(ward: Ward) -> list[str]:
    return sorted(value_of(one) for one in ward.seen())


def people(ward: Ward) -> dict[bool, list[Tree]]:
    """Patients by whether they are active still; where nothing is said, they are."""
    found: dict[bool, list[Tree]] = {True: [], False: []}
    for one in ward.known("Patient"):
        found[one.get("active", True)].append(one)
    return found


@RULES
@pytest.mark.parametrize("event", ["A18", "A40", "A47"])
def test_the_results_of_both_numbers_are_one_list(ward: Ward, event: str) -> None:
    result(ward, local("A7"), "L1", "1.1")
    result(ward, OWN, "L2", "2.2")
    assert seen(ward) == ["2.2"]
    assert merge(ward, pid(OWN), local("A7"), event=event).code == "AA"
    assert seen(ward) == ["1.1", "2.2"]
    subjects = {one["subject"]["reference"] for one in ward.seen()}
    assert subjects == {f"Patient/{ward.patient()}"}
    ((survivor,), (retired,)) = people(ward)[True], people(ward)[False]
    assert (survivor["id"], retired["link"][0]["type"]) == (ward.patient(), "replaced-by")
    assert [one.get("use") for one in survivor["identifier"]] == [None, "old"]
    (told,) = (one for one in ward.known("Provenance") if "MRG" not in str(one) and _joins(one))
    named = {one["reference"].split("/_history")[0] for one in told["target"]}
    assert named >= {f"Patient/{survivor['id']}", f"Patient/{retired['id']}"}
    assert {f"Observation/{one['id']}" for one in ward.seen() if value_of(one) == "1.1"} < named


def _joins(provenance: Tree) -> bool:
    return str(provenance["activity"].get("text", "")).startswith("event")


def test_what_crosses_the_merge_ends_in_the_survivors_record(ward: Ward) -> None:
    result(ward, local("A7"), "L1", "1.1", status="P")
    result(ward, OWN, "L2", "2.2")
    merge(ward, pid(OWN), local("A7"))
    before = {one["id"] for one in ward.known()}
    result(ward, local("A7"), "L1", "1.3", issued="20261124093000")
    result(ward, local("A7"), "L3", "3.3")
    assert seen(ward) == ["1.3", "2.2", "3.3"]
    assert len({one["id"] for one in ward.known()} - before) == 1
    assert {one["subject"]["reference"] for one in ward.known()} == {f"Patient/{ward.patient()}"}
    result(ward, local("A7"), "L1", "1.4", issued="20261124094000", status="C")
    assert seen(ward) == ["1.4", "2.2", "3.3"]
    for control_id in ("RL11.3", "RL33.3"):
        assert ward.fate(control_id)[0] == "filed"


def test_a_result_that_comes_first_for_a_retired_number_goes_to_the_survivor(ward: Ward) -> None:
    merge(ward, pid(OWN), local("A7"))
    result(ward, local("A7"), "L1", "1.1")
    assert (seen(ward), len(ward.known("Patient"))) == (["1.1"], 1)


@RULES
def test_the_same_merge_again_changes_nothing(ward: Ward) -> None:
    result(ward, local("A7"), "L1", "1.1")
    result(ward, OWN, "L2", "2.2")
    merge(ward, pid(OWN), local("A7"))
    before = ward.known("Patient")
    assert merge(ward, pid(OWN), local("A7"), "M2").code == "AA"
    assert ward.known("Patient") == before


def test_chains_end_at_the_last(ward: Ward) -> None:
    result(ward, local("A7"), "L1", "1.1")
    result(ward, local("B7"), "L2", "2.2")
    result(ward, OWN, "L3", "3.3")
    assert merge(ward, pid(local("B7")), local("A7")).code == "AA"
    assert merge(ward, pid(OWN), local("B7"), "M2").code == "AA"
    assert seen(ward) == ["1.1", "2.2", "3.3"]
    result(ward, local("A7"), "L4", "4.4")
    assert seen(ward) == ["1.1", "2.2", "3.3", "4.4"]


@RULES
def test_a_circle_waits_for_a_person(ward: Ward) -> None:
    result(ward, local("A7"), "L1", "1.1")
    result(ward, local("B7"), "L2", "2.2")
    merge(ward, pid(local("B7")), local("A7"))
    before = ward.known("Patient")
    assert merge(ward, pid(local("A7")), local("B7"), "M2").code == "AA"
    assert ward.fate("M2") == ("quarantined", "merge-circle", "MRG[1].1")
    assert ward.known("Patient") == before


@RULES
def test_whoever_would_be_parted_and_a_number_that_would_move_wait_for_a_person(
    ward: Ward,
) -> None:
    result(ward, local("A7"), "L1", "1.1")
    result(ward, OWN, "L2", "2.2")
    merge(ward, pid(OWN), local("A7"))
    before = ward.known("Patient"), seen(ward)
    header = "MSH|^~\\&|PAS|RXX|PORTAL|CMCA|20261124101400||ADT^A37|M2|P|2.5.1"
    unlink = "\r".join((header, "EVN|A37|20261124101400", pid(OWN), pid(local("A7"), born="")))
    assert ward.send(unlink, PAS).code == "AA"
    assert ward.fate("M2") == ("quarantined", "merge-by-hand", "PID[2].3")
    assert merge(ward, pid(local("B7")), local("A7"), "M3", event="A43").code == "AA"
    assert ward.fate("M3") == ("quarantined", "merge-by-hand", "MRG[1].1")
    for control_id in ("M2", "M3"):
        (again,) = replay.replay(ward.record, OPERATOR, (PAS,), control_id, "they are two")
        assert again.fate == "quarantined"
    assert (ward.known("Patient"), seen(ward)) == before


@RULES
def test_a_retired_number_stays_retired_whatever_details_name_it(ward: Ward) -> None:
    result(ward, local("A7"), "L1", "1.1")
    result(ward, OWN, "L2", "2.2")
    merge(ward, pid(OWN), local("A7"))
    feed = replace(PAS, demographics=True)
    for second, number in enumerate(("A7^^^RXX^MR", "A7^^^RXX^PI", "A7^^^RXX")):
        at, control_id = f"2026112410150{second}", f"D{second}"
        header = f"MSH|^~\\&|PAS|RXX|PORTAL|CMCA|{at}||ADT^A31|{control_id}|P|2.5"
        said = "\r".join((header, f"EVN|A31|{at}", pid(f"{OWN}~{number}")))
        assert ward.send(said, feed).code == "AA"
        assert ward.fate(control_id)[0] == "filed"
        (survivor,) = people(ward)[True]
        uses = [one.get("use") for one in survivor["identifier"] if one["value"] == "A7"]
        assert uses == ["old"]


@RULES
def test_a_number_that_is_changed_back_counts_again(ward: Ward) -> None:
    result(ward, local("A7"), "L1", "1.1")
    merge(ward, pid(local("B7")), local("A7"), event="A47")
    merge(ward, pid(local("A7")), local("B7"), "M2", event="A47")
    (one,) = ward.found(ward.as_clinician(), "Patient")
    assert {each["value"]: each.get("use") for each in one["identifier"]} == {
        "A7": None,
        "B7": "old",
    }


@RULES
def test_a_number_is_changed_and_the_person_stays(ward: Ward) -> None:
    result(ward, local("A7"), "L1", "1.1")
    (before,) = ward.known("Patient")
    assert merge(ward, pid(local("B7")), local("A7"), event="A47").code == "AA"
    (after,) = ward.known("Patient")
    assert (after["id"], [(one["value"], one.get("use")) for one in after["identifier"]]) == (
        *(before["id"], [("A7", "old"), ("B7", None)]),
    )
    result(ward, local("B7"), "L2", "2.2")
    assert len(ward.known("Patient")) == 1


@RULES
def test_a_number_of_somebody_who_differs_is_not_made_theirs(ward: Ward) -> None:
    result(ward, local("A7"), "L1", "1.1")
    before = ward.known("Patient")
    stays = pid(local("B7"), born="19600101")
    assert merge(ward, stays, local("A7"), event="A47").code == "AA"
    assert ward.fate("M1") == ("quarantined", "merge-conflict", "PID.7")
    assert ward.known("Patient") == before


@RULES
@pytest.mark.parametrize(
    ("stays", "retired", "feed", "fault"),
    [
        (pid(OWN), local("A7"), LOOPBACK, ("merge-not-agreed", "MSH.4")),
        (pid(OWN, born="19550302"), local("A7"), PAS, ("identity-conflict", "PID.7")),
        (pid(OWN), local("B7"), PAS, ("merge-conflict", "PID.7")),
        (pid(OWN), f"{BRIAN}^^^NHS^NH", PAS, ("merge-conflict", "MRG[1].1")),
        (pid(local("A7")), OWN, PAS, ("merge-conflict", "MRG[1].1")),
        (pid(OWN), local("A7", "C7"), PAS, ("identity-unclear", "MRG[1].1")),
    ],
    ids=["right", "survivor", "born", "numbers", "account", "several"],
)
def test_what_is_doubtful_waits_for_a_person(
    ward: Ward, stays: str, retired: str, feed: Any, fault: tuple[str, str]
) -> None:
    result(ward, local("A7"), "L1", "1.1")
    result(ward, OWN, "L2", "2.2")
    ward.psa(pid=pid(local("B7"), born="19600101"), control_id="RB", filler="L3")
    ward.psa(pid=pid(local("C7")), control_id="RC", filler="L4")
    before = ward.known("Patient")
    assert merge(ward, stays, retired, feed=feed).code == "AA"
    assert ward.fate("M1") == ("quarantined", *fault)
    assert (ward.known("Patient"), seen(ward)) == (before, ["2.2"])


def test_a_person_files_what_waited_and_takes_it_back(ward: Ward) -> None:
    ward.psa(pid=pid(local("A7"), born="19600101"), control_id="RA", filler="L1", value="1.1")
    result(ward, OWN, "L2", "2.2")
    merge(ward, pid(OWN), local("A7"), feed=LOOPBACK)
    assert ward.fate("M1")[0] == "quarantined"
    before = {one["id"]: {**one, "meta": None} for one in ward.known("Patient")}
    (done,) = replay.replay(ward.record, OPERATOR, (LOOPBACK,), "M1", "Looked at both; one person.")
    assert (done.fate, ward.fate("M1")[0], seen(ward)) == ("filed", "filed", ["1.1", "2.2"])
    (retired,) = people(ward)[False]
    result(ward, OWN, "L3", "3.3")
    gone = unmerge(ward.record, OPERATOR, retired["id"], "They are two people.")
    assert (gone.into, len(gone.filed_meanwhile)) == (ward.patient(), 1)
    assert seen(ward) == ["2.2", "3.3"]
    after = {one["id"]: {**one, "meta": None} for one in ward.known("Patient")}
    before[retired["id"]]["active"] = True
    assert after == before
    told = [one for one in ward.known("Provenance") if "taken back" in str(one["activity"])]
    (target,) = told[0]["target"]
    assert target["reference"].startswith(f"Patient/{ward.patient()}/_history/")
    ward.psa(pid=pid(local("A7"), born="19600101"), control_id="RB", filler="L4", value="4.4")
    assert (seen(ward), ward.fate("RB")[0]) == (["2.2", "3.3"], "filed")
    with pytest.raises(Conflict):
        unmerge(ward.record, OPERATOR, retired["id"], "Again.")


@RULES
def test_what_a_person_has_parted_is_not_joined_again_when_the_inbox_is_run_again(
    ward: Ward,
) -> None:
    result(ward, local("A7"), "L1", "1.1")
    result(ward, OWN, "L2", "2.2")
    merge(ward, pid(OWN), local("A7"))
    (retired,) = people(ward)[False]
    unmerge(ward.record, OPERATOR, retired["id"], "They are two people.")
    done, _ = repeating.run(ward.record, OPERATOR, (LOOPBACK, PAS), repeating.Part())
    assert {one.control_id: one.became for one in done} == {
        "RL11.1": "unchanged",
        "RL22.2": "unchanged",
        "M1": "left",
    }
    assert seen(ward) == ["2.2"]


@RULES
def test_a_merge_that_is_tried_is_no_merge_on_the_ledger_and_a_look_at_both(ward: Ward) -> None:
    result(ward, local("A7"), "L1", "1.1")
    result(ward, OWN, "L2", "2.2")
    merge(ward, pid(OWN), local("A7"), feed=LOOPBACK)
    both = {one["id"] for one in ward.known("Patient")}
    rights = replace(LOOPBACK, merges=True)
    found = trial.tried(ward.record, OPERATOR, (rights,), ward.row("M1"))
    assert found.fate == "filed"
    assert [one for one in ward.ledger() if "joined" in str(one)] == []
    looks = [str(one) for one in ward.ledger() if "a trial" in str(one)]
    assert {id_ for id_ in both if any(id_ in one for one in looks)} == both
    replay.run_again(ward.record, OPERATOR, (rights,), ward.row("M1"))
    assert len([one for one in ward.ledger() if "joined" in str(one)]) == 2


@RULES
def test_a_number_whose_owner_was_told_of_anew_meanwhile_is_still_its_owners(ward: Ward) -> None:
    result(ward, local("A7"), "L1", "1.1")
    result(ward, OWN, "L2", "2.2")
    merge(ward, pid(OWN), local("A7"))
    feed = replace(PAS, demographics=True)
    header = "MSH|^~\\&|PAS|RXX|PORTAL|CMCA|20261124101500||ADT^A31|N1|P|2.5.1"
    news = (header, "EVN|A31|20261124101500", pid(local("A7")))
    assert ward.send("\r".join(news), feed).code == "AA"
    (retired,) = people(ward)[False]
    unmerge(ward.record, OPERATOR, retired["id"], "They are two people.")
    result(ward, local("A7"), "L3", "3.3")
    assert (ward.fate("RL33.3")[0], seen(ward)) == ("filed", ["2.2"])


@RULES
def test_letters_orders_and_appointments_go_on_where_they_were_filed(ward: Ward) -> None:
    makers = {"DocumentReference": mdm, "ServiceRequest": oml, "Appointment": siu}
    old = (f"{ALAN}^^^NHS^NH", local("A7"))
    for maker in makers.values():
        assert ward.send(maker().replace(*old)).code == "AA"
    result(ward, OWN, "L2", "2.2")
    before = {kind: {one["id"] for one in ward.known(kind)} for kind in makers}
    merge(ward, pid(OWN), local("A7"))
    joined = {kind: {one["id"] for one in ward.known(kind)} for kind in makers}
    assert all(len(joined[kind] - before[kind]) == 1 for kind in makers)
    for number, maker in enumerate(makers.values()):
        later = maker(control_id=f"C{number}", sent="20261124070000")
        assert ward.send(later.replace(*old)).code == "AA"
        assert ward.fate(f"C{number}")[0] == "filed"
    assert {kind: {one["id"] for one in ward.known(kind)} for kind in makers} == joined
    assert ward.seen("Appointment") == ward.known("Appointment")


def two_numbers_apart(ward: Ward, first: str, second: str) -> None:
    """File *first* under a local number and *second* under the NHS number, then join the two."""
    assert ward.send(first.replace(f"||{OWN}||", f"||{local('A7')}||")).code == "AA"
    assert ward.send(second).code == "AA"
    result(ward, local("A7"), "L8", "8.8")
    assert merge(ward, pid(OWN), local("A7")).code == "AA"


@RULES
def test_an_order_whose_numbers_stand_under_two_ids_of_one_person_is_theirs(ward: Ward) -> None:
    order = oml(placer="ORD9").replace(f"||{OWN}||", f"||{local('A7')}||")
    assert ward.send(order).code == "AA"
    unasked = ward.message(pid=pid(OWN), control_id="R1", filler="L9", value="9.9")
    assert ward.send(unasked.replace("ORD1", "")).code == "AA"
    assert merge(ward, pid(OWN), local("A7")).code == "AA"
    again = oml(control_id="O2", placer="ORD9", filler="L9", sent="20261124070000")
    assert (ward.send(again).code, ward.fate("O2")[0]) == ("AA", "filed")
    late = {"issued": "20261124110000", "status": "C", "value": "9.8"}
    corrected = ward.message(pid=pid(OWN), control_id="R2", filler="L9", **late)
    assert ward.send(corrected.replace("ORD1", "ORD9")).code == "AA"
    assert seen(ward) == ["9.8"]
    assert {one["subject"]["reference"] for one in ward.known()} == {f"Patient/{ward.patient()}"}


@RULES
def test_a_letter_and_the_one_that_it_replaces_may_stand_under_two_ids(ward: Ward) -> None:
    two_numbers_apart(ward, mdm(number="D7"), mdm(control_id="L2", number="D8"))
    late = mdm("T10", control_id="L3", number="D8", parent="D7", sent="20261124070000")
    assert (ward.send(late).code, ward.fate("L3")[0]) == ("AA", "filed")
    letters = {one["masterIdentifier"]["value"]: one for one in ward.seen("DocumentReference")}
    assert {number: one["status"] for number, one in letters.items()} == {
        "D7": "superseded",
        "D8": "current",
    }
    target = letters["D8"]["relatesTo"][0]["target"]["reference"]
    assert target == f"DocumentReference/{letters['D7']['id']}"


@RULES
def test_an_appointment_whose_numbers_stand_under_two_ids_is_theirs(ward: Ward) -> None:
    two_numbers_apart(
        ward, siu(filler="", placer="P7"), siu(control_id="A2", placer="", filler="F7")
    )
    both = siu("S13", control_id="A3", placer="P7", filler="F7", sent="20261124070000")
    assert (ward.send(both).code, ward.fate("A3")[0]) == ("AA", "filed")


@RULES
def test_another_persons_number_is_another_persons_still(ward: Ward) -> None:
    two_numbers_apart(ward, oml(placer="ORD9"), oml(control_id="O2", placer="ORD8"))
    other = oml(control_id="O3", placer="ORD9", nhs_number=BRIAN)
    assert (ward.send(other).code, ward.fate("O3")[1]) == ("AE", "order-other-patient")
