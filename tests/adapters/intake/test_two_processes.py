"""Two processes that file into one database: neither loses, doubles or moves what the other does.

Each has its own committer and its own locks, as processes have.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest
from sqlalchemy import event, select

from adapters.intake.feeds import LOOPBACK
from adapters.intake.reception import receive
from adapters.intake.tables import claim, inbox, unmapped_code
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from tests.adapters.intake.ward import ALAN, BRIAN, Answer, Ward, answer_of

Message = Callable[..., str]
Both = Callable[[list[str]], list[Answer]]


@pytest.fixture
def records(postgresql_url: str) -> Iterator[tuple[Record, Record]]:
    one, other = Record(open_engines(postgresql_url)), Record(open_engines(postgresql_url))
    yield one, other
    one.close()
    other.close()


@pytest.fixture
def both(records: tuple[Record, Record]) -> Both:
    """Send messages through the two processes in turn, all at once."""

    def sent(messages: list[str]) -> list[Answer]:
        def one(pair: tuple[Record, str]) -> Answer:
            record, text = pair
            answers = receive(record, (LOOPBACK,), text.encode(), "127.0.0.1").result(timeout=60)
            return answer_of(answers[0])

        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(one, zip(cycle(records), messages, strict=False)))

    return sent


@pytest.fixture
def ward(records: tuple[Record, Record], message: Message) -> Ward:
    return Ward(records[0], message)


def test_one_message_in_both_is_filed_once(both: Both, ward: Ward) -> None:
    answers = both([ward.message()] * 60)
    assert {one.code for one in answers} == {"AA"}
    (row,) = ward.record.select(select(inbox))
    assert (row.copies, ward.values()) == (59, ["7.3"])


def test_one_control_id_with_many_contents_is_filed_once(both: Both, ward: Ward) -> None:
    answers = both([ward.message(value=str(n), filler=f"L{n}") for n in range(40)])
    assert Counter((one.code, one.name) for one in answers) == {
        ("AA", ""): 1,
        ("AE", "control-id-reused"): 39,
    }
    assert len(ward.known()) == 1


def test_many_messages_about_one_new_person_and_one_new_laboratory_are_all_filed(
    both: Both, ward: Ward
) -> None:
    answers = both([ward.message(control_id=f"M{n}", filler=f"L{n}") for n in range(60)])
    assert {one.code for one in answers} == {"AA"}
    assert (len(ward.values()), len(ward.known("Patient"))) == (60, 1)
    (laboratory,) = ward.found(ward.as_clinician(), "Organization")
    assert laboratory["meta"]["versionId"] == "1"


def test_one_order_number_never_belongs_to_two_persons(both: Both, ward: Ward) -> None:
    messages = [
        ward.message(control_id=f"{who}{n}", filler=f"L{n}", nhs_number=who)
        for n in range(30)
        for who in (ALAN, BRIAN)
    ]
    answers = both(messages)
    assert Counter(one.code for one in answers) == {"AA": 30, "AE": 30}
    assert {one.name for one in answers} == {"", "order-other-patient"}
    holders = ward.record.select(select(claim.c.number).where(claim.c.kind == "filler"))
    assert sorted(row.number for row in holders) == sorted(f"L{n}" for n in range(30))


def test_persons_found_by_their_local_number_are_one_person(both: Both, ward: Ward) -> None:
    full = "PID|1||9990000018^^^NHS^NH~A1^^^RXX^MR||Example^Alan||19550301|M"
    local = "PID|1||A1^^^RXX^MR||Example^Alan||19550301|M"
    assert ward.psa(pid=full).code == "AA"
    answers = both(
        [
            ward.message(control_id=f"M{n}", filler=f"L{n}", pid=local if n % 2 else full)
            for n in range(40)
        ]
    )
    assert {one.code for one in answers} == {"AA"}
    assert (len(ward.known("Patient")), len(ward.values())) == (1, 41)


def test_codes_that_nobody_knows_are_counted_once_each_by_both(both: Both, ward: Ward) -> None:
    answers = both(
        [
            ward.message(
                control_id=f"M{n}",
                filler=f"L{n}",
                code="X1^One^L",
                more=f"OBX|2|NM|X{n % 3}^T^L||1|u|||||F\r",
            )
            for n in range(45)
        ]
    )
    assert {one.code for one in answers} == {"AA"}
    counts = {row.code: row.count for row in ward.record.select(select(unmapped_code))}
    assert counts == {"X0": 15, "X1": 45, "X2": 15}


def test_versions_of_one_report_end_with_the_newest(both: Both, ward: Ward) -> None:
    messages = [
        ward.message(control_id=f"M{n}", value=str(n), issued=f"2026112408{n:02}00")
        for n in range(40)
    ]
    answers = both(messages)
    assert {one.code for one in answers} == {"AA"}
    assert ward.values() == ["39"]


def test_every_bucket_that_a_message_writes_was_locked(
    records: tuple[Record, Record], ward: Ward
) -> None:
    locked, written = set[int](), set[int]()

    def watch(_c: object, _u: object, statement: str, parameters: object, *_: object) -> None:
        rows = parameters if isinstance(parameters, list) else [parameters]
        if "FOR UPDATE" in statement and "bucket_lock" in statement:
            locked.update(v for row in rows for v in row.values())
        elif statement.startswith(("INSERT INTO", "COPY")) and "audit" not in statement:
            table = statement.removeprefix("INSERT INTO ").removeprefix("COPY ").split()[0]
            names = statement.partition("(")[2].partition(")")[0].split(", ")
            lines = [
                row if isinstance(row, dict) else dict(zip(names, row, strict=True)) for row in rows
            ]
            buckets = {line["bucket"] for line in lines if "bucket" in line}
            if table != "inbox_key":
                written.update(buckets)

    event.listen(records[0].engines.writer, "before_cursor_execute", watch)
    local = "PID|1||9990000018^^^NHS^NH~A1^^^RXX^MR||Example^Alan||19550301|M"
    doctor = "ORC|RE|ORD1|LAB1|||||||||C1234567^Smith^Jo^^^^^^GMC"
    sent = ward.message(pid=local, code="X1^One^L").replace("ORC|RE|ORD1|LAB1", doctor)
    assert ward.send(sent).code == "AA"
    event.remove(records[0].engines.writer, "before_cursor_execute", watch)
    assert len(written) > 4
    assert written <= locked
