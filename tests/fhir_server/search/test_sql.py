"""Who finds what, on both engines: their own, what is open to them, and as new as it is to them."""

from dataclasses import replace

import pytest

from fhir_server.access import Narrowing
from fhir_server.search import sql
from fhir_server.search.index import token_hash

HOUR = 3_600_000_000


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
        a=people.a, b=people.b, nobody=people.nobody, ob=shelf.oid(2, "0bb")
    )
    assert shelf.ids(people.patient(), url) == []
    assert shelf.number(people.patient(), url) == 0


@pytest.mark.parametrize(
    "query", ["", "?patient={a},{b}", "?code:not=x", "?_id={oa},{ob}", "?_sort=date"]
)
def test_a_patient_finds_their_own_and_nothing_else(shelf, people, put, query):
    put(1), put(2, patient=people.b)
    url = "Observation" + query.format(
        a=people.a, b=people.b, oa=shelf.oid(1), ob=shelf.oid(2, "0bb")
    )
    assert shelf.ids(people.patient(), url) == [shelf.oid(1)]
    assert shelf.number(people.patient(), url) == 1


def test_a_person_with_two_records_finds_what_is_in_both(shelf, people, put):
    put(1), put(2, patient=people.b)
    both = people.patient(people.a, people.b)
    assert set(shelf.ids(both, "Observation?code=psa")) == {shelf.oid(1), shelf.oid(2, "0bb")}
    assert shelf.ids(both, f"Observation?patient={people.b}&code=psa") == [shelf.oid(2, "0bb")]


def test_a_clinician_finds_patients_of_their_teams_today(shelf, people, put, now):
    put(1), put(2, patient=people.b)
    shelf.care(people.a, people.practitioner, starts=now - HOUR, ends=now + HOUR)
    shelf.care(people.b, people.practitioner, starts=now - 2 * HOUR, ends=now - HOUR)
    access = people.clinician()
    assert shelf.ids(access, "Observation") == [shelf.oid(1)]
    assert shelf.ids(access, f"Observation?patient={people.b}") == []
    assert shelf.ids(access, "Observation?code=psa") == [shelf.oid(1)]
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
        f"Observation?_id={shelf.oid(1)},{shelf.oid(2)},{shelf.oid(3)}",
    ):
        assert shelf.ids(people.patient(), url) == [shelf.oid(3)]
        assert shelf.number(people.patient(), url) == 1
        assert set(shelf.ids(people.patient(), url, now=now + 1)) == {shelf.oid(2), shelf.oid(3)}
    shelf.care(people.a, people.practitioner)
    assert shelf.number(people.clinician(), "Observation") == 3


def test_hidden_labels_hide(shelf, people, put):
    put(1, kept={"labels": 2}), put(2, kept={"labels": 4})
    assert shelf.ids(people.patient(hidden_labels=3), "Observation?code=psa") == [shelf.oid(2)]


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
        expected = {shelf.oid(one) for one in found}
        assert set(shelf.ids(access, "Observation")) == expected
        assert shelf.number(access, "Observation") == len(expected)
        assert set(shelf.ids(access, "Observation?code=psa")) == expected & {shelf.oid(1)}


def test_last_updated_is_when_it_opened_for_those_who_had_to_wait(shelf, people, put, now):
    put(1, kept={"updated": now - 10 * HOUR, "release_at": now - HOUR})
    put(2, kept={"updated": now - 5 * HOUR})
    shelf.care(people.a, people.practitioner)
    since = "Observation?_lastUpdated=ge2026-05-28T17:00:00Z"
    assert now - 5 * HOUR < 1_779_987_600_000_000 <= now - HOUR
    assert shelf.ids(people.patient(), since) == [shelf.oid(1)]
    assert shelf.ids(people.clinician(), since) == []
    assert shelf.ids(people.patient(), "Observation") == [shelf.oid(1), shelf.oid(2)]
    assert shelf.ids(people.clinician(), "Observation") == [shelf.oid(2), shelf.oid(1)]


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
    assert set(found_ids) == {shelf.oid(one) for one in found}


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
    assert shelf.ids(bound, f"Observation?patient={people.a},{people.b}") == [shelf.oid(1)]
