"""Running a message again is tried first: what it would do is told, and nothing is done."""

from dataclasses import replace

from adapters.hl7v2.dialect import Dialect
from adapters.intake import tracing, trial, waiting
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.replay import run_again
from adapters.intake.trial import Change, Line, Trial
from tests.adapters.intake.ward import OPERATOR, Ward

DAY_FIRST = replace(LOOPBACK, dialect=Dialect(day_first=True))


def tried(ward: Ward, feed: Feed = DAY_FIRST, control_id: str = "MSG1") -> Trial:
    return trial.tried(ward.record, OPERATOR, (feed,), whole(ward, control_id))


def whole(ward: Ward, control_id: str = "MSG1") -> object:
    return ward.row(control_id)


def by_type(found: Trial) -> dict[str, Change]:
    return {one.reference.split("/")[0]: one for one in found.changes}


def test_what_would_be_filed_is_told_and_undone(ward: Ward) -> None:
    ward.psa(birth_date="01/03/1955")
    before = ward.row()
    found = tried(ward)
    assert (found.fate, found.code) == ("filed", "")
    changes = by_type(found)
    assert {one.how for one in found.changes} == {"created"}
    assert Line("valueQuantity.value", "added", "7.3") in changes["Observation"].lines
    assert changes["Observation"].opens is not None
    assert Line("birthDate", "added", "1955-03-01") in changes["Patient"].lines
    assert ward.row() == before
    assert (ward.known(), ward.known("Patient")) == ([], [])
    assert [row.control_id for row in ward.record.select(waiting.queue())] == ["MSG1"]
    assert waiting.acts(ward.record, before._asdict()) == []
    seen = [one for one in ward.ledger() if one["subtype"][0]["code"] == "message-seen"]
    assert [ward.patient() in str(one["entity"]) for one in seen] == [True]


def test_the_trial_shows_what_the_deed_does(ward: Ward) -> None:
    ward.psa(birth_date="01/03/1955")
    shown = tried(ward)
    row = ward.row()
    done = run_again(ward.record, OPERATOR, (DAY_FIRST,), row)
    references = {one.rpartition("/_history")[0] for one in done.made}
    assert {one.reference for one in shown.changes} == references
    (act,) = waiting.acts(ward.record, row._asdict())
    assert (act.act, act.acted_by, act.fate) == ("replayed", "test", "filed")
    assert tracing.by_key(ward.record, "LAB1").rows[0].received == row.received


def test_what_changes_is_told_without_the_value_that_stands(ward: Ward) -> None:
    ward.psa(control_id="A", value="7.3")
    ward.psa(
        control_id="B",
        value="8.4",
        status="C",
        issued="20261124093000",
        birth_date="01/03/1955",
    )
    change = by_type(tried(ward, control_id="B"))["Observation"]
    assert change.how == "updated"
    assert Line("valueQuantity.value", "changed", "8.4") in change.lines
    assert "7.3" not in str(change)
    assert ward.values() == ["7.3"]


def test_what_would_be_set_aside_again_says_why(ward: Ward) -> None:
    ward.psa(birth_date="soon")
    found = tried(ward)
    assert (found.fate, found.code, found.address) == ("quarantined", "date-bad", "PID.7")
    assert found.changes == ()


def test_a_conflict_would_be_set_aside_and_leaves_nothing(ward: Ward) -> None:
    ward.psa(control_id="A", birth_date="19550103")
    ward.psa(control_id="B", filler="LAB2")
    found = tried(ward, LOOPBACK, "B")
    assert (found.fate, found.code) == ("quarantined", "identity-conflict")
    assert len(ward.known()) == 1
