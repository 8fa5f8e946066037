"""SQLite walks ranges of indexes, and never a whole table, for everyone but the machine itself."""

import re

import pytest
from sqlalchemy import Connection, Select

from fhir_server.access import Narrowing
from fhir_server.search import sql
from fhir_server.search.includes import included

WHOLE_TABLE = re.compile(r"SCAN (?!CONSTANT|\d+ CONSTANT)")
A = "0aa" + "1" * 29


@pytest.fixture(params=["sqlite"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Only here can the plan be told from an empty database."""
    return str(request.param)


@pytest.fixture
def plan(connection: Connection):
    def explained(statement: Select) -> list[str]:
        text = str(statement.compile(connection.engine, compile_kwargs={"literal_binds": True}))
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
        return [row[3] for row in rows]

    return explained


QUERIES = [
    "Observation",
    "Observation?code=x",
    "Observation?code=x,y&category=z&_sort=-date",
    "Observation?code:not=x",
    "Observation?combo-code=x",
    "Observation?date=ge2026&date=lt2027",
    "Observation?_lastUpdated=ge2026",
    f"Observation?_id={A},0bb{'2' * 29}",
    f"Observation?patient={A}&code=x",
    f"Observation?patient={A}&_sort=_id",
    "Observation?identifier=x",
    "Patient?family=x",
    "Patient?identifier=x",
    "Practitioner?name=x",
    "Practitioner?name:contains=x",
    "Practitioner?identifier=x",
    "Organization",
    "CareTeam?participant=Practitioner/x",
]


@pytest.mark.parametrize("whose", ["patient", "carer", "clinician"])
@pytest.mark.parametrize("url", QUERIES)
def test_nobody_at_a_browser_makes_the_database_read_a_whole_table(
    shelf, people, plan, now, url, whose
):
    access = people.patient(A, people.b) if whose == "carer" else getattr(people, whose)()
    for statement in (
        sql.matches(shelf.query(url), access, now, None),
        sql.matches(shelf.query(url), access, now, sql.Cursor(now, 0, A)),
        sql.count(shelf.query(url), access, now),
    ):
        steps = plan(statement)
        assert not [step for step in steps if WHOLE_TABLE.match(step)], steps


def test_a_patients_own_search_starts_at_their_record_and_reads_ranges_of_primary_keys(
    shelf, people, plan, now
):
    url = "Observation?code=x&date=ge2026"
    steps = plan(sql.matches(shelf.query(url), people.patient(), now, None))
    by_patient = "USING INDEX resource_by_patient (bucket=? AND patient=? AND type=?)"
    by_key = "USING PRIMARY KEY (bucket=? AND patient=? AND hash=?)"
    assert f"SEARCH resource {by_patient}" in steps
    assert f"SEARCH index_token_1 {by_key}" in steps
    assert f"SEARCH index_date_1 {by_key}" in steps


def test_the_newest_of_a_named_patient_need_no_sorting(shelf, people, plan, now):
    steps = plan(
        sql.matches(shelf.query(f"Observation?patient={A}"), people.clinician(), now, None)
    )
    assert not [step for step in steps if "ORDER BY" in step]


def test_a_rare_value_is_looked_up_over_all_patients_at_once(shelf, people, plan, now):
    steps = plan(
        sql.matches(shelf.query("DiagnosticReport?identifier=F1"), people.filing(), now, None)
    )
    assert "SEARCH index_token_1 USING INDEX index_token_population (hash=?)" in steps
    assert not [step for step in steps if WHOLE_TABLE.match(step)]


def test_a_common_value_over_many_records_is_looked_up_by_its_whole_key(shelf, people, plan, now):
    steps = plan(
        sql.matches(shelf.query("Observation?category=lab"), people.clinician(), now, None)
    )
    whole_key = "(bucket=? AND patient=? AND hash=? AND sort=? AND id=?)"
    assert f"SEARCH index_token_1 USING PRIMARY KEY {whole_key}" in steps


def test_a_narrow_scope_is_checked_by_one_probe_for_each_row(shelf, people, plan, now):
    narrow = (Narrowing((frozenset({1}), frozenset({2, 3}))),)
    access = people.patient(narrowed={"Observation": narrow})
    steps = plan(sql.matches(shelf.query("Observation"), access, now, None))
    whole_key = "(bucket=? AND patient=? AND hash=? AND sort=? AND id=?)"
    assert steps.count(f"SEARCH index_token_1 USING PRIMARY KEY {whole_key}") == 2


def test_included_resources_are_fetched_by_their_key(people, plan, now):
    references = [f"Observation/{A}", f"Practitioner/{people.practitioner}"]
    for statement in included(people.clinician(), references, now):
        steps = plan(statement)
        assert not [step for step in steps if WHOLE_TABLE.match(step)], steps
        assert [step for step in steps if "(bucket=? AND type=? AND id=?)" in step], steps
