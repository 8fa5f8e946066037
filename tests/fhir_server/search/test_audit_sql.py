"""An auditor finds every entry of the ledger, a patient those of their record, nobody else any."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from fhir_server.audit.subtypes import SUBTYPES
from fhir_server.search import audit_sql
from fhir_server.search.audit_query import AuditQuery, parse_audit
from fhir_server.search.sql import Cursor
from fhir_server.store.tables import audit_entry

HOUR = 3_600_000_000


def asked(text: str) -> AuditQuery:
    return parse_audit(parse_qsl(text), "https://portal.example/fhir", SUBTYPES)


class Ledger:
    """The ledger's table, written to as the ledger does it."""

    def __init__(self, shelf) -> None:
        self.shelf, self.now = shelf, shelf.now

    def add(self, seq: int, **told) -> None:
        row = {
            "seq": seq, "id": f"{seq:032x}", "recorded": self.now - 1000 + seq, "patient": "",
            "agent": "", "client": "", "subtype": "read", "outcome": "0", "entity_type": "",
            "entity": "", "request_id": f"r-{seq}", "body": b"{}", **told,
        }  # fmt: skip
        self.shelf.connection.execute(insert(audit_entry).values(**row))

    def found(self, access, text: str = "", now: int | None = None) -> list[int]:
        statement = audit_sql.audit_matches(asked(text), access, now or self.now, None)
        return [row.seq for row in self.shelf.rows(statement)]

    def number(self, access, text: str = "") -> int:
        statement = audit_sql.audit_count(asked(text), access, self.now)
        return int(self.shelf.rows(statement)[0][0])

    def walk(self, access, text: str):
        query, cursor = asked(text), None
        while True:
            rows = self.shelf.rows(audit_sql.audit_matches(query, access, self.now, cursor))
            yield [row.seq for row in rows[: query.wanted.count]]
            snapshot = self.now if cursor is None else cursor.snapshot
            cursor = audit_sql.audit_turn(query.wanted, rows, snapshot)
            if cursor is None:
                return


@pytest.fixture
def ledger(shelf) -> Ledger:
    return Ledger(shelf)


@pytest.fixture
def filled(ledger, people) -> Ledger:
    a, b = people.a, people.b
    ledger.add(
        1, patient=a, agent=f"Patient/{a}", entity="Observation/o1", entity_type="Observation"
    )
    ledger.add(2, patient=a, agent="Practitioner/p", subtype="search-type")
    ledger.add(3, patient=b, agent="Practitioner/p", entity="Observation/o1/_history/2")
    ledger.add(4, agent="Practitioner/p", outcome="4", entity="Observation/o10")
    ledger.add(5, agent="feed:mersey", subtype="message-filed", recorded=ledger.now - 48 * HOUR)
    return ledger


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [4, 3, 2, 1, 5]),
        ("_sort=-date", [4, 3, 2, 1, 5]),
        ("_sort=date", [5, 1, 2, 3, 4]),
        ("patient={a}", [2, 1]),
        ("patient={a},{b}", [3, 2, 1]),
        ("patient={a}&patient={b}", []),
        ("patient=x", []),
        ("agent=Practitioner/p", [4, 3, 2]),
        ("agent=p", [4, 3, 2]),
        ("agent=feed:mersey", [5]),
        ("outcome=4", [4]),
        ("outcome=0,4&agent=p", [4, 3, 2]),
        ("type=rest", [4, 3, 2, 1]),
        ("type=110107", [5]),
        ("subtype=search-type", [2]),
        ("entity=Observation/o1", [3, 1]),
        ("entity=o1", [3, 1]),
        ("entity=Patient/{b}", [3]),
        ("entity=Observation/o_", []),
        ("date=ge2026-05-28", [4, 3, 2, 1]),
        ("date=lt2026-05-28", [5]),
        ("_id={first}", [1]),
    ],
)
def test_an_auditor_finds_what_they_ask_for(filled, people, text, found):
    text = text.format(a=people.a, b=people.b, first=f"{1:032x}")
    assert filled.found(people.auditor(), text) == found
    assert filled.number(people.auditor(), text) == len(found)


@pytest.mark.parametrize("text", ["", "patient={a},{b}", "patient={a}", "_sort=-date"])
def test_a_patient_finds_the_entries_of_their_own_record(filled, people, text):
    text = text.format(a=people.a, b=people.b)
    assert filled.found(people.patient(), text) == [2, 1]
    assert filled.number(people.patient(), text) == 2


@pytest.mark.parametrize("text", ["patient={b}", "agent=feed:mersey", "outcome=4", "_id={third}"])
def test_a_patient_finds_nothing_about_others(filled, people, text):
    text = text.format(b=people.b, third=f"{3:032x}")
    assert filled.found(people.patient(), text) == []
    assert filled.number(people.patient(), text) == 0


@pytest.mark.parametrize("whose", ["clinician", "filing"])
def test_nobody_else_finds_any(filled, people, whose):
    assert filled.found(getattr(people, whose)()) == []
    assert filled.number(getattr(people, whose)()) == 0


def test_an_entry_can_be_read_where_it_can_be_found(filled, people):
    for access in (people.auditor(), people.patient(), people.clinician()):
        readable = {
            seq
            for seq in range(1, 6)
            if filled.shelf.rows(audit_sql.audit_entry_by_id(access, f"{seq:032x}"))
        }
        assert readable == set(filled.found(access))


def test_a_patient_without_a_record_finds_nothing(filled, people):
    nobody = people.patient(people.nobody)
    assert filled.found(nobody) == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ages=st.lists(st.integers(0, 3), max_size=8),
    sort=st.sampled_from(["", "&_sort=date", "&_sort=-date"]),
    count=st.integers(1, 3),
)
def test_a_walk_gives_each_entry_once(ledger, people, ages, sort, count):
    with ledger.shelf.connection.begin_nested() as nested:
        for seq, age in enumerate(ages):
            ledger.add(seq, recorded=ledger.now - age)
        pages = list(ledger.walk(people.auditor(), f"_count={count}{sort}"))
        nested.rollback()
    walked = [seq for page in pages for seq in page]
    by_time = sorted(range(len(ages)), key=lambda seq: (-ages[seq], seq))
    assert walked == (by_time if sort == "&_sort=date" else by_time[::-1])


def test_the_entries_that_a_walk_itself_leaves_stay_out_of_it(ledger, people):
    ledger.add(1), ledger.add(2)
    pages = ledger.walk(people.auditor(), "_count=1&_sort=date")
    assert next(pages) == [1]
    ledger.add(3, recorded=ledger.now + 1)
    assert list(pages) == [[2]]


@pytest.mark.parametrize(
    ("whose", "text", "expected"),
    [
        ("auditor", "", False),
        ("auditor", "patient={a}", True),
        ("auditor", "_total=accurate", True),
        ("auditor", "_summary=count", True),
        ("patient", "", True),
        ("patient", "_total=none", False),
    ],
)
def test_a_total_is_given_where_it_is_asked_for_or_cheap(people, whose, text, expected):
    query = asked(text.format(a=people.a))
    assert audit_sql.audit_wants_total(query, getattr(people, whose)()) is expected


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    ("whose", "text", "index"),
    [
        ("auditor", "", "audit_entry_by_time"),
        ("auditor", "date=ge2026-05-28", "audit_entry_by_time"),
        ("auditor", "patient={a}", "audit_entry_by_patient"),
        ("auditor", "agent=Practitioner/p", "audit_entry_by_agent"),
        ("auditor", "outcome=8", "audit_entry_by_outcome"),
        ("patient", "", "audit_entry_by_patient"),
        ("patient", "outcome=0", "audit_entry_by_patient"),
        ("patient", "agent=Practitioner/p&subtype=read", "audit_entry_by_patient"),
        ("auditor", "outcome=0&agent=Practitioner/p", "audit_entry_by_agent"),
    ],
)
def test_the_ledger_is_read_by_its_indexes_without_sorting(ledger, people, whose, text, index):
    access, query = getattr(people, whose)(), asked(text.format(a=people.a))
    for cursor in (None, Cursor(ledger.now, ledger.now, "5")):
        statement = audit_sql.audit_matches(query, access, ledger.now, cursor)
        engine = ledger.shelf.connection.engine
        compiled = str(statement.compile(engine, compile_kwargs={"literal_binds": True}))
        steps = [
            row[3]
            for row in ledger.shelf.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")
        ]
        assert len(steps) == 1
        assert f"USING INDEX {index}" in steps[0]
