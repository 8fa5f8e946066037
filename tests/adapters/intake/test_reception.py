"""One message, one transaction: filed or set aside, acknowledged after the commit, never twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text

from adapters.intake.feeds import LOOPBACK
from adapters.intake.tables import inbox
from fhir_server.access import Access, Agent, Interaction, OwnRecord, WholeStore
from fhir_server.model import json
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id
from fhir_server.record import Record
from fhir_server.search.query import parse
from fhir_server.searching import search

Send = Callable[..., bytes]
Message = Callable[..., str]
ALL = frozenset(Interaction)
TYPES = ("Patient", "Observation", "DiagnosticReport", "Specimen", "ServiceRequest", "Provenance")


def patient_id(record: Record, nhs_number: str = "9990000018") -> str:
    return derived_id(record.id_key, "Patient", NHS_NUMBER, nhs_number)


def found(record: Record, resource_type: str, *, as_patient: bool = False) -> list[dict[str, Any]]:
    patient = patient_id(record)
    reach = OwnRecord((patient,)) if as_patient else WholeStore()
    access = Access(
        Agent("patient" if as_patient else "client"),
        "r",
        reach,
        dict.fromkeys(TYPES, ALL),
        bound_by_release=as_patient,
    )
    page = search(record, access, parse(resource_type, [], "http://x/fhir"), "").result(timeout=10)
    return [json.decode(one.body) for one in page.matches]


def fates(record: Record) -> list[tuple[str, str, str]]:
    rows = record.select(select(inbox.c.fate, inbox.c.code, inbox.c.address))
    return [tuple(row) for row in rows]


def test_a_final_result_is_filed_and_the_patient_sees_it_at_once(
    record: Record, send: Send, message: Message
) -> None:
    assert b"MSA|AA|MSG1" in send(message())
    (observation,) = found(record, "Observation", as_patient=True)
    assert observation["valueQuantity"]["value"] == Decimal("7.3")
    assert observation["status"] == "final"
    (report,) = found(record, "DiagnosticReport", as_patient=True)
    assert report["result"] == [{"reference": f"Observation/{observation['id']}"}]
    (patient,) = found(record, "Patient", as_patient=True)
    assert patient["birthDate"] == "1955-03-01"
    assert fates(record) == [("filed", "", "")]


def test_the_same_message_again_gets_the_same_bytes_and_changes_nothing(
    record: Record, send: Send, message: Message
) -> None:
    first = send(message())
    before = found(record, "Observation")
    assert send(message()) == first
    assert found(record, "Observation") == before
    (row,) = record.select(select(inbox.c.copies))
    assert row.copies == 1


def test_three_hundred_duplicates_at_once_are_one_message(
    record: Record, send: Send, message: Message
) -> None:
    with ThreadPoolExecutor(32) as pool:
        answers = set(pool.map(lambda _: send(message()), range(300)))
    assert len(answers) == 1
    assert len(found(record, "Observation")) == 1
    (row,) = record.select(select(inbox.c.copies))
    assert row.copies == 299


def test_preliminary_then_final_then_corrected_is_one_result_with_three_versions(
    record: Record, send: Send, message: Message
) -> None:
    send(message(control_id="A", status="P", value="7.1", issued="20261124090000"))
    assert found(record, "Observation", as_patient=True) == []
    send(message(control_id="B", status="F", value="7.3", issued="20261124091000"))
    (final,) = found(record, "Observation", as_patient=True)
    send(message(control_id="C", status="C", value="7.2", issued="20261124092000"))
    (corrected,) = found(record, "Observation", as_patient=True)
    assert (final["id"], final["meta"]["versionId"]) == (corrected["id"], "2")
    assert (corrected["meta"]["versionId"], corrected["status"]) == ("3", "corrected")
    assert str(corrected["valueQuantity"]["value"]) == "7.2"


def test_an_older_version_that_arrives_late_is_kept_and_not_applied(
    record: Record, send: Send, message: Message
) -> None:
    send(message(control_id="B", value="7.3", issued="20261124091000"))
    assert b"MSA|AA|A" in send(message(control_id="A", value="7.1", issued="20261124090000"))
    (observation,) = found(record, "Observation")
    assert str(observation["valueQuantity"]["value"]) == "7.3"
    rows = record.select(select(inbox.c.control_id, inbox.c.fate, inbox.c.flags))
    assert ("A", "filed", "version-older OBR.22") in [tuple(row) for row in rows]


def test_an_nhs_number_with_another_birth_date_waits_for_a_human(
    record: Record, send: Send, message: Message
) -> None:
    send(message())
    answer = send(message(control_id="OTHER", birth_date="19600101", filler="LAB2"))
    assert b"MSA|AA|OTHER" in answer
    assert ("quarantined", "identity-conflict", "PID.7") in fates(record)
    assert len(found(record, "Observation")) == 1


def test_a_filler_number_of_another_patient_waits_for_a_human(
    record: Record, send: Send, message: Message
) -> None:
    send(message())
    answer = send(message(control_id="OTHER", nhs_number="9990000026"))
    assert b"MSA|AE|OTHER" in answer
    assert b"205" in answer
    assert ("quarantined", "order-other-patient", "OBR.3") in fates(record)


def test_a_control_id_used_again_with_other_content_is_quarantined(
    record: Record, send: Send, message: Message
) -> None:
    send(message())
    assert b"MSA|AE|MSG1" in send(message(value="9.9"))
    assert ("quarantined", "control-id-reused", "MSH.10") in fates(record)


def test_a_result_never_overwrites_a_known_persons_demographics(
    record: Record, send: Send, message: Message
) -> None:
    send(message())
    changed = message(control_id="B", filler="LAB2").replace("Example^Alan", "Example^Alan^Xavier")
    send(changed)
    (patient,) = found(record, "Patient")
    assert patient["name"][0]["given"] == ["Alan"]
    assert patient["meta"]["versionId"] == "1"


def test_histology_is_held_and_a_notice_says_when_it_opens(
    record: Record, send: Send, message: Message
) -> None:
    send(message(section="SP"))
    assert found(record, "DiagnosticReport", as_patient=True) == []
    assert found(record, "Observation", as_patient=True) == []
    assert len(found(record, "DiagnosticReport")) == 1
    rows = record.select(text("SELECT title, category, opens FROM held_notice").columns())
    assert [(row.title, row.category, row.opens is None) for row in rows] == [
        ("PSA", "histology", False)
    ]


def test_a_code_that_nobody_mapped_is_counted_and_held(
    record: Record, send: Send, message: Message
) -> None:
    send(message(code="HE4X^HE4^L"))
    assert found(record, "Observation", as_patient=True) == []
    rows = record.select(text("SELECT code, count FROM unmapped_code").columns())
    assert [tuple(row) for row in rows] == [("HE4X", 1)]


def test_a_message_for_another_type_is_refused_and_kept(record: Record, send: Send) -> None:
    adt = "MSH|^~\\&|A|B|C|D|20261124||ADT^A24|X1|P|2.4\rPID|1||1\r"
    assert b"MSA|AR|X1" in send(adt)
    assert fates(record) == [("refused", "type-unsupported", "MSH.9")]


def test_a_message_that_fits_no_feed_is_refused_and_kept(
    record: Record, send: Send, message: Message
) -> None:
    assert b"MSA|AR|MSG1" in send(message(), peer="10.0.0.9")
    assert fates(record) == [("refused", "source-unknown", "MSH.4")]


@pytest.mark.parametrize("raw", [b"", b"\x00\x01", b"MSH", b"MSH|^~\\&|", b"PID|1"])
def test_what_is_no_message_gets_an_answer_and_is_kept(
    record: Record, send: Send, raw: bytes
) -> None:
    assert b"MSA|A" in send(raw)
    assert len(fates(record)) == 1


def test_when_nothing_can_be_written_the_sender_is_asked_to_send_again(
    record: Record, send: Send, message: Message
) -> None:
    with record.engines.writer.begin() as connection:
        connection.execute(text("ALTER TABLE inbox RENAME TO inbox_gone"))
    answer = send(message())
    assert b"MSA|AR|MSG1" in answer
    assert b"207" in answer
    with record.engines.writer.begin() as connection:
        connection.execute(text("ALTER TABLE inbox_gone RENAME TO inbox"))
    assert found(record, "Patient") == []
    assert b"MSA|AA|MSG1" in send(message())


def test_a_feed_in_backload_mode_counts_every_hold_from_when_a_result_was_issued(
    record: Record, send: Send, message: Message
) -> None:
    feed = replace(LOOPBACK, backload=True)
    send(message(section="SP", issued="20250301091500"), feed)
    assert len(found(record, "DiagnosticReport", as_patient=True)) == 1
    days_ago = (record.clock() - timedelta(days=2)).strftime("%Y%m%d%H%M%S")
    send(message(control_id="B", filler="LAB2", section="SP", issued=days_ago), feed)
    assert len(found(record, "DiagnosticReport", as_patient=True)) == 1
    assert len(found(record, "DiagnosticReport")) == 2
    assert record.select(text("SELECT report FROM held_notice").columns()) == []
