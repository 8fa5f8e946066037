"""What a search finds, on both engines: by each kind of parameter, in order, page by page."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.access import Narrowing
from fhir_server.search import sql
from fhir_server.search.index import token_hash

HOUR = 3_600_000_000


def oid(number: int, bucket: str = "0aa") -> str:
    return f"{bucket}{number:029x}"


def observation(patient: str, code: str = "psa", **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:codes", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


@pytest.fixture
def put(shelf, people):
    """Put an Observation of A, or of *patient*, on the shelf."""

    def placed(number, *, patient=None, kept=None, **more):
        whose = patient or people.a
        return shelf.put(observation(whose, **more), oid(number, whose[:3]), whose, **(kept or {}))

    return placed


# ------------------------------------------------------------------------------ what is found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("code=psa", {1, 3}),
        ("code=urn:codes|psa", {1, 3}),
        ("code=urn:codes|", {1, 2, 3}),
        ("code=|psa", set()),
        ("code=urn:other|psa", set()),
        ("code=psa,cea", {1, 2, 3}),
        ("code:not=psa", {2}),
        ("code:not=psa,cea", set()),
        ("category=laboratory", {3}),
        ("category:not=laboratory", {1, 2}),
        ("code=psa&category=laboratory", {3}),
        ("code=psa&code=cea", set()),
        ("status=final", {1, 2, 3}),
        ("status=http://hl7.org/fhir/observation-status|final", {1, 2, 3}),
        ("combo-code=part", {2}),
        ("component-code=part", {2}),
        ("specimen=Specimen/s1", {1}),
        ("specimen=s1", {1}),
        ("identifier=urn:lab|F2", {2}),
        ("identifier=F2", {2}),
        ("performer=Organization/o1", {3}),
        ("performer:Organization=o1", {3}),
        ("performer:Practitioner=o1", set()),
    ],
)
@pytest.mark.parametrize("whose", ["patient", "clinician", "filing"])
def test_tokens_and_references(shelf, people, put, query, found, whose):
    shelf.care(people.a, people.practitioner)
    put(1, specimen={"reference": "Specimen/s1"})
    put(
        2,
        code="cea",
        component=[{"code": {"coding": [{"code": "part"}]}}],
        identifier=[{"system": "urn:lab", "value": "F2"}],
        effectiveDateTime="2026-01-01",
    )
    put(
        3,
        category=[{"coding": [{"code": "laboratory"}]}],
        performer=[{"reference": "Organization/o1"}],
        effectiveDateTime="2025-01-01T10:00:00Z",
    )
    access = getattr(people, whose)()
    expected = {oid(one) for one in found}
    assert set(shelf.ids(access, f"Observation?{query}")) == expected
    assert set(shelf.ids(access, f"Observation?{query}&patient={people.a}")) == expected
    assert shelf.number(access, f"Observation?{query}") == len(expected)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("date=2026-01-05", {1}),
        ("date=2026-01", {1, 2}),
        ("date=eq2026-01-05T10:00:00Z", {1}),
        ("date=ne2026-01-05", {2, 3}),
        ("date=gt2026-01-05", {2, 3}),
        ("date=ge2026-01-05", {1, 2, 3}),
        ("date=ge2026-01-06", {2, 3}),
        ("date=lt2026-01-05", set()),
        ("date=lt2026-01-06", {1}),
        ("date=le2026-01-05", {1}),
        ("date=sa2026-01-05", {2, 3}),
        ("date=sa2026-01-10", {3}),
        ("date=eb2026-01-10", {1}),
        ("date=eb2026-01-05", set()),
        ("date=2026-01-05,2026-01-10", {1}),
        ("date=ge2026-01-05&date=lt2026-02", {1, 2}),
        ("date=ge2026-01-10&date=le2026-01-20", {2}),
        ("date=ap2026-01-15", {1, 2}),
        ("date=ap2026-01-15,ap2026-03-10", {1, 2, 3}),
    ],
)
@pytest.mark.parametrize("whose", ["patient", "filing"])
def test_dates(shelf, people, put, query, found, whose):
    put(1, effectiveDateTime="2026-01-05T10:00:00Z")
    put(2, effectivePeriod={"start": "2026-01-10", "end": "2026-01-20"})
    put(3, effectivePeriod={"start": "2026-03-01"})
    put(4)
    access = getattr(people, whose)()
    assert set(shelf.ids(access, f"Observation?{query}")) == {oid(one) for one in found}


def test_a_sample_taken_after_midnight_in_summer_is_found_on_that_day(shelf, people, put):
    put(1, effectiveDateTime="2026-06-01T23:30:00Z")
    assert shelf.ids(people.patient(), "Observation?date=2026-06-02") == [oid(1)]
    assert shelf.ids(people.patient(), "Observation?date=2026-06-01") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=neal", {1}),
        ("name=NEA", {1}),
        ("name=eal", set()),
        ("name:contains=eal", {1}),
        ("name=john", {1, 2}),
        ("name=john,tessa", {1, 2, 3}),
        ("family=oneill", {3}),
        ("family=O’Neill", {3}),
        ("family:exact=O’Neill", {3}),
        ("family:exact=o’neill", set()),
        ("given=tess", {3}),
        ("name=%25", set()),
        ("name:contains=%25", {2}),
        ("name:contains=_", {2}),
        ("name:contains=/", {2}),
        ("name=n%25l", set()),
        ("name=' OR 1=1 --", set()),
    ],
)
def test_strings(shelf, people, query, found):
    for number, family, given_name in (
        (1, "Neal", "John"),
        (2, "100%_/x", "John"),
        (3, "O’Neill", "Tessa"),
    ):
        shelf.put(
            {"resourceType": "Practitioner", "name": [{"family": family, "given": [given_name]}]},
            oid(number, f"0{number}0"),
        )
    expected = {oid(one, f"0{one}0") for one in found}
    assert set(shelf.ids(people.patient(), f"Practitioner?{query}")) == expected


def test_ids(shelf, people, put):
    put(1), put(2), put(3, patient=people.b)
    wanted = f"{oid(2)},{oid(3, '0bb')},nonsense,{oid(1)}"
    assert set(shelf.ids(people.patient(), f"Observation?_id={wanted}")) == {oid(1), oid(2)}
    assert shelf.number(people.patient(), f"Observation?_id={wanted}") == 2
    assert shelf.ids(people.patient(), "Observation?_id=nonsense") == []


def test_a_search_is_confined_to_its_type(shelf, people, put):
    put(1)
    shelf.put(
        {"resourceType": "DiagnosticReport", "code": observation("x")["code"]}, oid(2), people.a
    )
    assert shelf.ids(people.patient(), "Observation?code=psa") == [oid(1)]
    assert shelf.ids(people.patient(), "DiagnosticReport?code=psa") == [oid(2)]


# ------------------------------------------------------------------------------ who may find it


@pytest.mark.parametrize(
    "query",
    [
        "patient={b}", "subject=Patient/{b}", "subject=https://portal.example/fhir/Patient/{b}",
        "subject:Patient={b}", "patient={a}&patient={b}", "patient={a}&subject={b}",
        "patient={nobody}", "_id={ob}", "identifier=urn:lab|B", "code=only-b", "date=1999",
    ],
)  # fmt: skip
def test_a_patient_finds_nothing_of_another_as_of_one_who_does_not_exist(shelf, people, put, query):
    put(1)
    put(
        2, patient=people.b, code="only-b", effectiveDateTime="1999",
        identifier=[{"system": "urn:lab", "value": "B"}],
    )  # fmt: skip
    url = "Observation?" + query.format(
        a=people.a, b=people.b, nobody=people.nobody, ob=oid(2, "0bb")
    )
    assert shelf.ids(people.patient(), url) == []
    assert shelf.number(people.patient(), url) == 0


@pytest.mark.parametrize(
    "query", ["", "?patient={a},{b}", "?code:not=x", "?_id={oa},{ob}", "?_sort=date"]
)
def test_a_patient_finds_their_own_and_nothing_else(shelf, people, put, query):
    put(1), put(2, patient=people.b)
    url = "Observation" + query.format(a=people.a, b=people.b, oa=oid(1), ob=oid(2, "0bb"))
    assert shelf.ids(people.patient(), url) == [oid(1)]
    assert shelf.number(people.patient(), url) == 1


def test_a_person_with_two_records_finds_what_is_in_both(shelf, people, put):
    put(1), put(2, patient=people.b)
    both = people.patient(people.a, people.b)
    assert set(shelf.ids(both, "Observation?code=psa")) == {oid(1), oid(2, "0bb")}
    assert shelf.ids(both, f"Observation?patient={people.b}&code=psa") == [oid(2, "0bb")]


def test_a_clinician_finds_patients_of_their_teams_today(shelf, people, put, now):
    put(1), put(2, patient=people.b)
    shelf.care(people.a, people.practitioner, starts=now - HOUR, ends=now + HOUR)
    shelf.care(people.b, people.practitioner, starts=now - 2 * HOUR, ends=now - HOUR)
    access = people.clinician()
    assert shelf.ids(access, "Observation") == [oid(1)]
    assert shelf.ids(access, f"Observation?patient={people.b}") == []
    assert shelf.ids(access, "Observation?code=psa") == [oid(1)]
    assert shelf.ids(access, "Observation", now=now + HOUR) == []


def test_an_auditor_finds_no_record(shelf, people, put):
    put(1)
    assert shelf.ids(people.auditor(), "Observation") == []
    assert shelf.number(people.auditor(), "Observation?code=psa") == 0


def test_what_is_held_is_not_found_until_it_opens(shelf, people, put, now):
    put(1, kept={"release_at": None})
    put(2, kept={"release_at": now + 1})
    put(3, kept={"release_at": now})
    for url in (
        "Observation",
        "Observation?code=psa",
        f"Observation?_id={oid(1)},{oid(2)},{oid(3)}",
    ):
        assert shelf.ids(people.patient(), url) == [oid(3)]
        assert shelf.number(people.patient(), url) == 1
        assert set(shelf.ids(people.patient(), url, now=now + 1)) == {oid(2), oid(3)}
    shelf.care(people.a, people.practitioner)
    assert shelf.number(people.clinician(), "Observation") == 3


def test_hidden_labels_hide(shelf, people, put):
    put(1, kept={"labels": 2}), put(2, kept={"labels": 4})
    assert shelf.ids(people.patient(hidden_labels=3), "Observation?code=psa") == [oid(2)]


def test_a_narrow_scope_finds_only_what_matches_it(shelf, people, put):
    def narrowing(*groups):
        return Narrowing(
            tuple(frozenset(token_hash("Observation", *term) for term in group) for group in groups)
        )

    put(1), put(2, code="cea"), put(3, code="ca125", category=[{"coding": [{"code": "lab"}]}])
    psa = narrowing([("code", "psa")])
    both = narrowing([("code", "cea"), ("code", "ca125")], [("category", "lab")])
    for scopes, found in (
        ((psa,), {1}),
        ((both,), {3}),
        ((psa, both), {1, 3}),
        ((narrowing([("code", "none")]),), set()),
    ):
        access = people.patient(narrowed={"Observation": scopes})
        expected = {oid(one) for one in found}
        assert set(shelf.ids(access, "Observation")) == expected
        assert shelf.number(access, "Observation") == len(expected)
        assert set(shelf.ids(access, "Observation?code=psa")) == expected & {oid(1)}


# ------------------------------------------------------------------------------ last updated


def test_last_updated_is_when_it_opened_for_those_who_had_to_wait(shelf, people, put, now):
    put(1, kept={"updated": now - 10 * HOUR, "release_at": now - HOUR})
    put(2, kept={"updated": now - 5 * HOUR})
    shelf.care(people.a, people.practitioner)
    since = "Observation?_lastUpdated=ge2026-05-28T17:00:00Z"
    assert now - 5 * HOUR < 1_779_987_600_000_000 <= now - HOUR
    assert shelf.ids(people.patient(), since) == [oid(1)]
    assert shelf.ids(people.clinician(), since) == []
    assert shelf.ids(people.patient(), "Observation") == [oid(1), oid(2)]
    assert shelf.ids(people.clinician(), "Observation") == [oid(2), oid(1)]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("", {2}), ("eq", {2}), ("ne", {1, 3}), ("gt", {3}), ("ge", {2, 3}), ("lt", {1}),
        ("le", {1, 2}), ("sa", {3}), ("eb", {1}), ("ap", {1, 2, 3}),
    ],
)  # fmt: skip
def test_last_updated_takes_every_prefix(shelf, people, put, prefix, found):
    second = 1_767_261_600_000_000
    for number, moment in ((1, second - 1), (2, second + 999_999), (3, second + 1_000_000)):
        put(number, kept={"updated": moment})
    found_ids = shelf.ids(
        people.patient(), f"Observation?_lastUpdated={prefix}2026-01-01T10:00:00Z"
    )
    assert set(found_ids) == {oid(one) for one in found}


# ------------------------------------------------------------------------------ order and pages


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
    expected = [oid(one) for one in order]
    assert shelf.ids(people.patient(), f"Observation?{sort}") == expected
    pages = list(shelf.walk(people.patient(), f"Observation?{sort}&_count=1"))
    assert pages == [[one] for one in expected]


def test_rows_without_a_date_come_last_whichever_way(shelf, people, put):
    put(1), put(2, effectiveDateTime="2026"), put(3), put(4, effectiveDateTime="2025")
    assert shelf.ids(people.patient(), "Observation?_sort=date")[:2] == [oid(4), oid(2)]
    assert shelf.ids(people.patient(), "Observation?_sort=-date")[:2] == [oid(2), oid(4)]


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
        for id_ in shelf.ids(access, f"Observation?_id={oid(number, '0aa' if row[2] else '0bb')}")
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
            shelf.take(oid(number))
            if change != "take":
                later = {"kept": {"updated": now + len(walked)}}
                put(number, **later, effectiveDateTime="2026-01-02")
    assert len(walked) == len(set(walked))
    assert {oid(one) for one in unchanged} <= set(walked)


def test_what_is_filed_or_opens_during_a_walk_stays_hidden_until_the_next(shelf, people, put, now):
    put(1), put(2), put(3, kept={"release_at": now + 5})
    pages = shelf.walk(people.patient(), "Observation?_count=1&_sort=_id")
    assert next(pages) == [oid(1)]
    put(4, kept={"updated": now + 1})
    assert list(pages) == [[oid(2)]]
    assert shelf.number(people.patient(), "Observation", now=now + 5) == 4


def test_a_full_last_page_has_no_page_behind_it(shelf, people, put):
    put(1), put(2)
    assert list(shelf.walk(people.patient(), "Observation?_count=2&_sort=_id")) == [
        [oid(1), oid(2)]
    ]


# ------------------------------------------------------------------------------ totals


@pytest.mark.parametrize(
    ("whose", "url", "expected"),
    [
        ("patient", "Observation", True),
        ("patient", "Observation?_total=none", False),
        ("patient", "Practitioner", False),
        ("clinician", "Observation", False),
        ("clinician", "Observation?patient={a}", True),
        ("clinician", "Observation?_total=accurate", True),
        ("clinician", "Observation?_total=estimate", True),
        ("clinician", "Observation?_summary=count", True),
        ("clinician", "Observation?_count=0&_total=none", True),
    ],
)
def test_a_total_is_given_where_it_is_asked_for_or_cheap(shelf, people, whose, url, expected):
    query = shelf.query(url.format(a=people.a))
    assert sql.wants_total(query, getattr(people, whose)()) is expected


def test_a_patient_named_by_a_query_narrows_the_reach_and_never_widens_it(shelf, people, put):
    put(1), put(2, patient=people.b)
    bound = replace(people.patient(), bound_by_release=False)
    assert shelf.ids(bound, f"Observation?patient={people.a},{people.b}") == [oid(1)]
