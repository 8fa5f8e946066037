"""Results come in the order asked for, and a walk through their pages gives each one once."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", [2, 3, 1]),
        ("_sort=-_lastUpdated", [2, 3, 1]),
        ("_sort=_lastUpdated", [1, 3, 2]),
        ("_sort=date", [3, 1, 2]),
        ("_sort=-date", [1, 3, 2]),
        ("_sort=_id", [1, 2, 3]),
        ("_sort=-_id", [3, 2, 1]),
    ],
)
def test_results_come_in_the_order_that_was_asked_for(shelf, people, put, now, sort, order):
    put(1, effectiveDateTime="2026-01-02", kept={"updated": now - 300})
    put(2, kept={"updated": now - 100})
    put(3, effectiveDateTime="2026-01-01", kept={"updated": now - 200})
    expected = [shelf.oid(one) for one in order]
    assert shelf.ids(people.patient(), f"Observation?{sort}") == expected
    pages = list(shelf.walk(people.patient(), f"Observation?{sort}&_count=1"))
    assert pages == [[one] for one in expected]


def test_rows_without_a_date_come_last_whichever_way(shelf, people, put):
    put(1), put(2, effectiveDateTime="2026"), put(3), put(4, effectiveDateTime="2025")
    assert shelf.ids(people.patient(), "Observation?_sort=date")[:2] == [shelf.oid(4), shelf.oid(2)]
    assert shelf.ids(people.patient(), "Observation?_sort=-date")[:2] == [
        shelf.oid(2),
        shelf.oid(4),
    ]


SORTS = st.sampled_from(["", "&_sort=date", "&_sort=-date", "&_sort=_id", "&_sort=_lastUpdated"])
ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([None, "2025", "2026-01-01", "2026-01-01T10:00:00Z"]),
        st.booleans(),
        st.sampled_from([0, 1, None]),
    ),
    max_size=9,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, sort=SORTS, count=st.integers(1, 4))
def test_a_walk_gives_each_row_once_and_it_is_readable_searchable_and_countable(
    shelf, people, put, rows, sort, count
):
    shelf.clear()
    now = shelf.now
    readable = set()
    for number, (age, date, own, opens) in enumerate(rows):
        release_at = None if opens is None else now - age + opens
        more = {"effectiveDateTime": date} if date else {}
        whose = people.a if own else people.b
        id_ = put(
            number, patient=whose, kept={"updated": now - age, "release_at": release_at}, **more
        )
        if own and release_at is not None and release_at <= now:
            readable.add(id_)
    access = people.patient()
    walked = [
        one for page in shelf.walk(access, f"Observation?_count={count}{sort}") for one in page
    ]
    assert sorted(walked) == sorted(readable)
    assert shelf.number(access, "Observation") == len(readable)
    by_id = {
        id_
        for number, row in enumerate(rows)
        for id_ in shelf.ids(
            access, f"Observation?_id={shelf.oid(number, '0aa' if row[2] else '0bb')}"
        )
    }
    assert by_id == readable


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ages=st.lists(st.integers(0, 3), min_size=1, max_size=6),
    changes=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["take", "update", "add"])), max_size=4
    ),
    sort=SORTS,
)
def test_whatever_stays_unchanged_during_a_walk_appears_exactly_once(
    shelf, people, put, ages, changes, sort
):
    shelf.clear()
    now = shelf.now
    for number, age in enumerate(ages):
        put(number, kept={"updated": now - age}, effectiveDateTime=f"2026-01-0{age + 1}")
    unchanged, pending = set(range(len(ages))), list(changes)
    walked = []
    for page in shelf.walk(people.patient(), f"Observation?_count=1{sort}"):
        walked.extend(page)
        if pending:
            number, change = pending.pop()
            unchanged.discard(number)
            shelf.take(shelf.oid(number))
            if change != "take":
                later = {"kept": {"updated": now + len(walked)}}
                put(number, **later, effectiveDateTime="2026-01-02")
    assert len(walked) == len(set(walked))
    assert {shelf.oid(one) for one in unchanged} <= set(walked)


def test_what_is_filed_or_opens_during_a_walk_stays_hidden_until_the_next(shelf, people, put, now):
    put(1), put(2), put(3, kept={"release_at": now + 5})
    pages = shelf.walk(people.patient(), "Observation?_count=1&_sort=_id")
    assert next(pages) == [shelf.oid(1)]
    put(4, kept={"updated": now + 1})
    assert list(pages) == [[shelf.oid(2)]]
    assert shelf.number(people.patient(), "Observation", now=now + 5) == 4


def test_a_full_last_page_has_no_page_behind_it(shelf, people, put):
    put(1), put(2)
    assert list(shelf.walk(people.patient(), "Observation?_count=2&_sort=_id")) == [
        [shelf.oid(1), shelf.oid(2)]
    ]
