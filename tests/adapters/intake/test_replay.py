"""What was set aside is run again once its cause is mended, by somebody whom the ledger names."""

from dataclasses import replace

import pytest

from adapters.hl7v2.dialect import Dialect
from adapters.intake.admission import admitted_again, by_drop, by_push
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.reception import receive
from adapters.intake.replay import Replayed, prepared, replay
from tests.adapters.intake.ward import BRIAN, OPERATOR, Ward

DAY_FIRST = replace(LOOPBACK, dialect=Dialect(day_first=True))


def retried(ward: Ward, control_id: str, feed: Feed = LOOPBACK) -> list[Replayed]:
    return list(replay(ward.record, OPERATOR, (feed,), control_id))


def entries(ward: Ward) -> list[str]:
    return [
        one["outcome"] for one in ward.ledger() if one["subtype"][0]["code"] == "message-replayed"
    ]


def test_a_message_is_filed_once_its_feed_agrees_on_the_form_of_its_dates(ward: Ward) -> None:
    answer = ward.raw(ward.message(birth_date="01/03/1955"))
    assert ward.fate() == ("quarantined", "date-bad", "PID.7")
    (done,) = retried(ward, "MSG1", DAY_FIRST)
    assert (done.fate, done.code) == ("filed", "")
    row = ward.row()
    assert (row.fate, row.code, row.address, row.reason) == ("filed", "", "", "")
    assert row.made == "\n".join(done.made)
    assert (bytes(row.ack), ward.values()) == (answer, ["7.3"])
    assert entries(ward) == ["0"]
    (entry,) = [one for one in ward.ledger() if "message-replayed" in str(one["subtype"])]
    assert "os:test" in str(entry["agent"])
    assert ward.patient() in str(entry["entity"])


def test_running_again_what_is_filed_changes_nothing(ward: Ward) -> None:
    ward.psa(birth_date="01/03/1955")
    retried(ward, "MSG1", DAY_FIRST)
    before, known = ward.row(), ward.known()
    (done,) = retried(ward, "MSG1", DAY_FIRST)
    assert done.fate == "filed"
    assert (ward.row(), ward.known(), entries(ward)) == (before, known, ["0"])


def test_the_same_message_again_gets_the_answer_that_it_got_before_it_was_mended(
    ward: Ward,
) -> None:
    sent = ward.message(birth_date="01/03/1955")
    first = ward.raw(sent)
    retried(ward, "MSG1", DAY_FIRST)
    assert ward.raw(sent, DAY_FIRST) == first
    assert len(ward.known()) == 1


def test_a_conflict_that_a_human_settled_is_filed(ward: Ward) -> None:
    ward.psa(control_id="A", birth_date="19550103")
    ward.psa(control_id="B", filler="LAB2")
    assert ward.fate("B")[1] == "identity-conflict"
    (patient,) = ward.known("Patient")
    ward.change(patient, birthDate="1955-03-01")
    (done,) = retried(ward, "B")
    assert (done.fate, ward.fate("B")[0], len(ward.values())) == ("filed", "filed", 2)


def test_what_still_can_not_be_filed_says_why_now(ward: Ward) -> None:
    ward.psa(birth_date="01/03/1955", status="?")
    assert ward.fate()[1] == "date-bad"
    (done,) = retried(ward, "MSG1", DAY_FIRST)
    assert (done.fate, done.code) == ("quarantined", "status-unknown")
    assert ward.fate()[:2] == ("quarantined", "status-unknown")
    assert (ward.known("Patient"), entries(ward)) == ([], ["4"])


def test_an_order_of_another_person_stays_set_aside(ward: Ward) -> None:
    ward.psa(control_id="A")
    ward.psa(control_id="B", nhs_number=BRIAN)
    (done,) = retried(ward, "B")
    assert (done.fate, done.code) == ("quarantined", "order-other-patient")


def test_a_control_id_used_again_may_be_filed_by_a_human(ward: Ward) -> None:
    ward.psa(filler="LAB1")
    ward.psa(filler="LAB2")
    assert sorted(ward.fates()) == ["filed", "quarantined"]
    assert [one.fate for one in retried(ward, "MSG1")] == ["filed", "filed"]
    assert sorted(ward.fates()) == ["filed", "filed"]


def test_what_was_refused_is_filed_once_a_feed_takes_it(ward: Ward) -> None:
    elsewhere = replace(LOOPBACK, sending_facility="RYY")
    assert ward.psa(elsewhere).name == "not-for-us"
    (done,) = retried(ward, "MSG1")
    assert (done.fate, ward.values()) == ("filed", ["7.3"])


def test_what_still_fits_no_feed_stays_refused(ward: Ward) -> None:
    elsewhere = replace(LOOPBACK, sending_facility="RYY")
    ward.psa(elsewhere)
    (done,) = retried(ward, "MSG1", elsewhere)
    assert (done.fate, done.code) == ("refused", "not-for-us")


NORTH = replace(LOOPBACK, name="north", sources=(), clients=("lims-north",))
SOUTH = replace(LOOPBACK, name="south", sources=("127.0.0.0/8",), clients=("lims-south",))


@pytest.mark.parametrize(
    ("peer", "feed"),
    [
        (by_push("127.0.0.1", "lims-north"), "north"),
        (by_push("192.0.2.1", "lims-south"), "south"),
        (by_drop("127.0.0.1", "north"), "north"),
        ("127.0.0.1", "south"),
    ],
)
def test_what_fitted_no_feed_is_run_again_as_what_came_by_the_same_way(
    ward: Ward, peer: str, feed: str
) -> None:
    wrong = tuple(replace(one, sending_facility="RYY") for one in (NORTH, SOUTH))
    receive(ward.record, admitted_again(wrong, peer), ward.message().encode(), peer).result(30)
    row = ward.row()
    assert (row.feed, row.code, row.peer) == ("unknown", "not-for-us", peer)
    (stays,) = replay(ward.record, OPERATOR, wrong, "MSG1")
    assert (stays.fate, stays.code) == ("refused", "not-for-us")
    assert prepared(ward.record, (NORTH, SOUTH), row).feed.name == feed
    (done,) = replay(ward.record, OPERATOR, (NORTH, SOUTH), "MSG1")
    assert (done.fate, ward.values()) == ("filed", ["7.3"])
    assert {"pushed", "dropped"}.isdisjoint(str(ward.ledger()).split())


def test_an_application_that_may_not_push_any_more_has_nothing_run_again(ward: Ward) -> None:
    peer = by_push("127.0.0.1", "lims-north")
    wrong = (replace(NORTH, sending_facility="RYY"),)
    receive(ward.record, admitted_again(wrong, peer), ward.message().encode(), peer).result(30)
    (done,) = replay(ward.record, OPERATOR, (replace(NORTH, clients=()), SOUTH), "MSG1")
    assert (done.fate, done.code) == ("refused", "source-unknown")


def test_what_is_kept_in_part_can_not_be_filed(ward: Ward) -> None:
    large = ward.message(more=f"OBX|2|TX|1^Note^L||{'x' * 70_000}||||||F\r")
    assert ward.send(large, peer="192.0.2.1").name == "source-unknown"
    everywhere = replace(LOOPBACK, sources=("0.0.0.0/0",))
    (done,) = retried(ward, "MSG1", everywhere)
    assert (done.fate, done.code) == ("refused", "raw-incomplete")


@pytest.mark.parametrize("control_id", ["", "NOBODY"])
def test_a_control_id_that_never_came_gives_nothing(ward: Ward, control_id: str) -> None:
    ward.psa()
    assert retried(ward, control_id) == []
