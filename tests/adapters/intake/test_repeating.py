"""The inbox run again into the record as it stands: only what is read otherwise today changes."""

from dataclasses import replace

from sqlalchemy import select

from adapters.intake import code_maps, repeating
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.repeating import START, Part, Repeated
from adapters.intake.tables import inbox
from fhir_server.store.tables import held_notice, resource
from tests.adapters.intake.ward import BRIAN, OPERATOR, Ward

ALL = Part()


def everything(ward: Ward) -> list[tuple[object, ...]]:
    """Every resource, message and notice, as it stands."""
    tables = ((resource, "id"), (inbox, "control_id"), (held_notice, "report"))
    return [
        tuple(row)
        for table, key in tables
        for row in ward.record.select(select(table).order_by(table.c[key]))
    ]


def again(
    ward: Ward, part: Part = ALL, feed: Feed = LOOPBACK, after: repeating.Cursor = START
) -> list[Repeated]:
    done, place = repeating.run(ward.record, OPERATOR, (feed,), part, after)
    assert place is None
    return done


def became(done: list[Repeated]) -> list[tuple[str, str]]:
    return [(one.control_id, one.became) for one in done]


def test_nothing_changes_where_nothing_is_read_otherwise(ward: Ward) -> None:
    ward.psa(control_id="A", status="P", issued="20261124090000")
    ward.psa(control_id="B", value="7.3")
    ward.psa(control_id="C", value="8.1", status="C", issued="20261124100000")
    ward.psa(control_id="D", nhs_number=BRIAN, filler="LAB9", section="SP")
    assert len(ward.record.select(select(held_notice))) == 1
    before, entries = everything(ward), len(ward.ledger())
    assert became(again(ward)) == [(one, "unchanged") for one in "ABCD"]
    assert became(again(ward)) == [(one, "unchanged") for one in "ABCD"]
    assert everything(ward) == before
    assert len(ward.ledger()) == entries


def test_a_code_that_got_a_meaning_since_changes_what_was_filed(ward: Ward) -> None:
    ward.psa(control_id="A", code="PSA9^PSA^L")
    ward.psa(control_id="B", filler="LAB2")
    assert ward.found(ward.as_patient(), "Observation", ("code", "PSA9")) == []
    local = ("urn:portal-fhir:codes:RXX", "PSA9")
    meaning = {"system": "http://loinc.org", "code": "2857-1"}
    ward.record.submit(
        OPERATOR,
        lambda writer: code_maps.set_meaning(writer, LOOPBACK.name, local, meaning),
    ).result(30)
    assert became(again(ward)) == [("A", "changed"), ("B", "unchanged")]
    (result,) = ward.found(ward.as_patient(), "Observation", ("code", "PSA9"))
    assert [one["code"] for one in result["code"]["coding"]] == ["PSA9", "2857-1"]
    assert result["meta"]["versionId"] == "2"
    assert "message-replayed" in {one["subtype"][0]["code"] for one in ward.ledger()[-4:]}
    assert became(again(ward)) == [("A", "unchanged"), ("B", "unchanged")]


def test_what_was_set_aside_is_filed_once_its_cause_is_mended(ward: Ward) -> None:
    ward.psa(control_id="A", birth_date="01/03/1955")
    (one,) = again(ward)
    assert one == Repeated("loopback", "A", "aside", "date-bad", "PID.7")
    mended = replace(LOOPBACK, dialect=replace(LOOPBACK.dialect, day_first=True))
    assert became(again(ward, feed=mended)) == [("A", "filed")]
    assert became(again(ward, feed=mended)) == [("A", "unchanged")]


def test_what_could_not_be_filed_today_stays_as_it_was_filed(ward: Ward) -> None:
    ward.psa(control_id="A")
    before = everything(ward)
    strict = replace(LOOPBACK, needs_nhs_number=True, dialect=replace(LOOPBACK.dialect))
    ward.psa(control_id="B", filler="LAB2", pid="PID|1||X1^^^RXX^MR||Example^Brian||19560301|M")
    done = again(ward, feed=strict)
    assert done[1] == Repeated("loopback", "B", "left", "identity-rule", "PID.3")
    assert ward.fate("B")[0] == "filed"
    assert before[0] in everything(ward)


def test_a_part_is_a_feed_and_a_span_of_time_and_goes_on_where_it_stood(ward: Ward) -> None:
    for number in range(3):
        ward.psa(control_id=f"M{number}", filler=f"LAB{number}")
    rows = list(repeating.in_order(ward.record, ALL))
    assert [row.control_id for row in rows] == ["M0", "M1", "M2"]
    assert became(again(ward, Part(since=rows[1].received))) == [
        *(("M1", "unchanged"), ("M2", "unchanged"))
    ]
    assert became(again(ward, Part(until=rows[1].received))) == [("M0", "unchanged")]
    assert again(ward, Part(feed="another")) == []
    assert became(again(ward, after=repeating.place_of(rows[1]))) == [("M2", "unchanged")]
