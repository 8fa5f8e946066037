"""Messages are found by number, person and time, page by page, newest first."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, select

from adapters.intake import indexing, tracing
from adapters.intake.tables import inbox, inbox_key
from adapters.intake.tracing import Cursor, Page, Span
from fhir_server.record import Writer
from tests.adapters.intake.ward import BRIAN, OPERATOR, Ward


def ids(page: Page) -> list[str]:
    return [row.control_id for row in page.rows]


def walked(look: Callable[[Cursor | None], Page]) -> list[str]:
    """All pages of a look, joined."""
    found: list[str] = []
    page = look(None)
    found += ids(page)
    while page.next is not None:
        page = look(page.next)
        found += ids(page)
    return found


@pytest.mark.parametrize("text", ["9990000018", "999 000 0018", " 999-000-0018 "])
def test_a_person_is_found_by_their_number_as_it_is_typed(ward: Ward, text: str) -> None:
    ward.psa(control_id="A")
    ward.psa(control_id="B", birth_date="soon")
    ward.psa(control_id="C", nhs_number=BRIAN, filler="LAB2")
    assert ids(tracing.by_key(ward.record, text)) == ["B", "A"]


def test_a_number_of_many_messages_is_walked_page_by_page(ward: Ward) -> None:
    sent = [f"M{place}" for place in range(7)]
    for place, control_id in enumerate(sent):
        ward.psa(control_id=control_id, value=str(place))
    for text in ("LAB1", "9990000018"):
        found = walked(lambda at, text=text: tracing.by_key(ward.record, text, at, most=3))
        assert found == sent[::-1]
    assert walked(lambda at: tracing.by_time(ward.record, Span(), at, most=2)) == sent[::-1]


def test_a_span_of_time_is_narrowed_by_feed_and_fate(ward: Ward) -> None:
    ward.psa(control_id="A")
    ward.psa(control_id="B", birth_date="soon")
    ward.psa(control_id="C", filler="LAB3")
    received = {row.control_id: row.received for row in ward.record.select(select(inbox))}
    look = lambda **span: ids(tracing.by_time(ward.record, Span(**span)))  # noqa: E731
    assert look(since=received["B"]) == ["C", "B"]
    assert look(until=received["B"]) == ["A"]
    assert look(fate="quarantined") == ["B"]
    assert look(feed="loopback", fate="filed") == ["C", "A"]
    assert look(feed="elsewhere") == []


def test_a_message_is_addressed_by_its_feed_and_its_mark(ward: Ward) -> None:
    ward.psa()
    (row,) = tracing.by_key(ward.record, "MSG1").rows
    mark = tracing.mark_of(row._asdict())
    found = tracing.one(ward.record, "loopback", mark)
    assert found is not None
    assert bytes(found.raw) == ward.message().encode()
    assert tracing.one(ward.record, "elsewhere", mark) is None
    assert tracing.one(ward.record, "loopback", "0" * 67) is None
    assert tracing.one(ward.record, "loopback", "' OR 1=1") is None


@pytest.mark.parametrize("cursor", [(1_764_000_000_000_000, "0a" * 32), (0, "f")])
def test_a_cursor_survives_its_text(cursor: Cursor) -> None:
    assert tracing.cursor_of(tracing.cursor_text(cursor)) == cursor
    for bad in ("", "x", "1-", "-ff", "1-zz", "1" * 30 + "-ff"):
        assert tracing.cursor_of(bad) is None


def test_an_old_message_is_found_by_its_person_once_it_was_indexed(ward: Ward) -> None:
    ward.psa(control_id="A")
    ward.psa(control_id="B", nhs_number=BRIAN, filler="LAB2")
    key = inbox_key.c.key

    def as_before(writer: Writer) -> None:
        writer.execute(delete(inbox_key).where(key.startswith("\x1f")))

    ward.record.submit(OPERATOR, as_before).result(timeout=10)
    assert ids(tracing.by_key(ward.record, BRIAN)) == []
    assert reindexed(ward) == 2
    assert ids(tracing.by_key(ward.record, BRIAN)) == ["B"]
    assert reindexed(ward) == 0


def reindexed(ward: Ward) -> int:
    after: indexing.Place | None = indexing.BEGINNING
    total = 0
    while after is not None:
        place = after

        def piece(writer: Writer, place: indexing.Place = place) -> tuple[object, int]:
            return indexing.reindex(writer, place)

        after, added = ward.record.submit(OPERATOR, piece).result(timeout=10)
        total += added
    return total
