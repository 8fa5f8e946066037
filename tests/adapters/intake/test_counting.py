"""Messages are counted by the hour in the indexes made for it, whatever their number."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from adapters.intake import counting, tracing
from adapters.intake.counting import HOUR
from adapters.intake.tables import inbox
from adapters.intake.tracing import Span
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from tests.adapters.intake.ward import Ward
from tests.storage_rules import captured


def test_what_came_and_what_was_set_aside_is_counted_by_feed_and_hour(ward: Ward) -> None:
    ward.psa(control_id="A")
    ward.psa(control_id="B", birth_date="soon")
    ward.psa(control_id="C", filler="LAB3")
    hours = [row.received // HOUR for row in ward.record.select(select(inbox.c.received))]
    first, last = min(hours) - 2, max(hours)
    came = counting.came(ward.record, first, last)
    assert {hour for _, hour in came} == set(range(first, last + 1))
    assert {key: times for key, times in came.items() if times} == {
        ("loopback", hour): hours.count(hour) for hour in hours
    }
    (aside,) = counting.aside(ward.record, ["loopback", "nobody"], first)
    assert (aside.feed, aside.code, aside.times) == ("loopback", "date-bad", 1)
    assert aside.hour in hours
    assert counting.aside(ward.record, ["loopback"], last + 1) == []
    assert sum(counting.came(ward.record, last + 1, last + 2).values()) == 0


@pytest.mark.parametrize(
    ("look", "index"),
    [
        (lambda record: counting.came(record, 0, 3), "inbox_by_feed"),
        (lambda record: counting.aside(record, ["a", "b"], 0), "inbox_aside"),
        (lambda record: tracing.by_time(record, Span(feed="a", fate="refused")), "inbox_aside"),
        (lambda record: tracing.by_time(record, Span(feed="a", until=9)), "inbox_by_feed"),
    ],
)
def test_a_look_among_many_messages_uses_its_index(
    sqlite_url: str, look: Callable[[Record], object], index: str
) -> None:
    record = Record(open_engines(sqlite_url))
    engine = record.engines.reader
    with captured(engine) as sent:
        look(record)
    with engine.connect() as connection:
        driver = connection.connection.cursor()
        driver.execute(f"EXPLAIN QUERY PLAN {sent[-1]}", [0] * sent[-1].count("?"))
        plan = "\n".join(row[3] for row in driver.fetchall())
    record.close()
    assert f"INDEX {index} (" in plan
    assert "SCAN inbox" not in plan
