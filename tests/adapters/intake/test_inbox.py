"""What became of a message can be found by its control id and by its accession numbers."""

import pytest

from adapters.intake import inbox, waiting
from adapters.intake.inbox import KEY_LIMIT, key_of
from fhir_server.prepared import prepared
from fhir_server.store.engine import open_engines
from tests.adapters.intake.ward import BRIAN, Ward


def found(ward: Ward, key: str) -> list[str]:
    return [row.control_id for row in inbox.trace(ward.record, key)]


def test_a_message_is_found_by_control_id_filler_and_placer(ward: Ward) -> None:
    ward.psa(control_id="A")
    ward.psa(control_id="B", status="C", value="8", issued="20261124093000")
    assert found(ward, "A") == ["A"]
    assert sorted(found(ward, "LAB1")) == sorted(found(ward, "ORD1")) == ["A", "B"]
    assert found(ward, "NOBODY") == []
    (row,) = inbox.trace(ward.record, "A")
    assert (row.fate, row.copies, row.message_type) == ("filed", 0, "ORU^R01")
    assert bytes(row.raw) == ward.message(control_id="A").encode()
    made = [line.split("/")[0] for line in row.made.split("\n")]
    assert sorted(set(made)) == [
        *("DiagnosticReport", "Observation", "Organization", "Patient"),
        *("Provenance", "ServiceRequest"),
    ]


def test_a_message_that_waits_for_a_human_is_found_by_its_accession(ward: Ward) -> None:
    ward.psa(control_id="A")
    ward.psa(control_id="B", nhs_number=BRIAN)
    assert sorted(found(ward, "LAB1")) == ["A", "B"]


def test_the_error_queue_holds_what_was_not_filed_newest_first_without_its_bytes(
    ward: Ward,
) -> None:
    ward.psa(control_id="A")
    ward.psa(control_id="B", birth_date="10660101", filler="LAB2")
    ward.send(ward.message(control_id="C").replace("ORU^R01", "ADT^A24"))
    rows = ward.record.select(waiting.queue())
    assert [(row.control_id, row.fate) for row in rows] == [("C", "refused"), ("B", "quarantined")]
    assert not {"raw", "ack"} & set(rows[0]._fields)
    assert len(ward.record.select(waiting.queue(most=1))) == 1


@pytest.mark.parametrize("length", [1, KEY_LIMIT])
def test_a_number_is_kept_whole(length: int) -> None:
    assert key_of("7" * length) == "7" * length


def test_a_number_that_is_too_long_is_told_from_every_other() -> None:
    one, other = key_of("7" * 5000 + "a"), key_of("7" * 5000 + "b")
    assert len(one) == len(other) == KEY_LIMIT
    assert one != other
    assert key_of("a\0b") == "a\ufffdb"


def test_a_control_id_is_looked_up_by_its_key_however_much_a_feed_sends(sqlite_url: str) -> None:
    engines = open_engines(sqlite_url)
    asked = prepared(inbox._UNDER_THIS_ID, engines.reader.dialect)
    with engines.reader.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {asked.text}", ("x",) * len(asked.names)
        ).all()
    engines.dispose()
    (step,) = [row[3] for row in plan]
    assert step.endswith("(bucket=? AND feed=? AND control_id=?)")
