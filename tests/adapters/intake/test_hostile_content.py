"""Hostile and odd content: values, texts, documents, dates, groups of segments."""

from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.hl7v2.dialect import Dialect
from adapters.intake.feeds import LOOPBACK
from tests.adapters.intake.ward import Ward, value_of

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"
DAY_FIRST = replace(LOOPBACK, dialect=Dialect(day_first=True))


def goes_on(ward: Ward) -> bool:
    return ward.psa(control_id="NEXT", filler="NEXT", nhs_number="9990000107").code == "AA"


def one(ward: Ward, code: str, resource_type: str = "Observation") -> dict[str, Any]:
    """Return the one resource about *code*, as a clinician finds it."""
    (found,) = [
        tree
        for tree in ward.known(resource_type)
        if any(coding.get("code") == code for coding in tree["code"].get("coding", ()))
    ]
    return found


@pytest.mark.parametrize(
    ("kind", "sent", "value", "is_text"),
    [
        ("NM", "<5", "<5", False),
        ("NM", ">90", ">90", False),
        ("SN", "<^5", "<5", False),
        ("NM", "5.2*", "5.2*", True),
        ("NM", "1,234", "1,234", True),
        ("NM", "NEG", "NEG", True),
        ("NM", "5..2", "5..2", True),
        ("NM", "1e400", "1e400", True),
        ("NM", "NaN", "NaN", True),
        ("SN", "<5", "<5", True),
        ("", "7.3", "7.3", True),
    ],
)
def test_a_number_is_made_of_numbers_only_and_all_else_stays_as_sent(
    ward: Ward, kind: str, sent: str, value: str, is_text: bool
) -> None:
    line = f"OBX|2|{kind}|1234-5^Other^LN||{sent}|ug/L|0-6.5|H|||F\r"
    assert ward.psa(more=line).code == "AA"
    tree = one(ward, "1234-5")
    assert (value_of(tree), "valueString" in tree) == (value, is_text)
    assert ward.flags() == (["value-as-text OBX[2].5"] if is_text else [])
    assert tree["interpretation"][0]["coding"][0]["code"] == "H"
    assert tree["referenceRange"][0]["text"] == "0-6.5"


def test_repeated_text_is_lines_and_a_literal_tilde_stays_where_agreed(ward: Ward) -> None:
    line = "OBX|2|TX|1234-5^Note^LN||first~second||||||F\r"
    assert ward.psa(more=line).code == "AA"
    assert value_of(one(ward, "1234-5")) == "first\nsecond"
    tilde = replace(LOOPBACK, dialect=Dialect(literal_tilde=True))
    line = "OBX|2|TX|5432-1^Note^LN||a mass ~ 5 cm||||||F\r"
    assert ward.psa(tilde, control_id="B", filler="LAB2", more=line).code == "AA"
    assert value_of(one(ward, "5432-1")) == "a mass ~ 5 cm"


def attached(encoded: str, *, place: int = 5, kind: str = "PDF", encoding: str = "Base64") -> str:
    parts = ["", "AP", kind, encoding, ""]
    parts[place - 1] = encoded
    return f"OBX|2|ED|LETTER^Letter^L||{'^'.join(parts)}||||||F\r"


@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_document_is_found_where_senders_put_it(ward: Ward, place: int) -> None:
    encoded = b64encode(PDF).decode()
    assert ward.psa(more=attached(encoded, place=place)).code == "AA"
    (report,) = ward.known("DiagnosticReport")
    assert report["presentedForm"][0]["data"] == encoded
    assert report["presentedForm"][0]["contentType"] == "application/pdf"


@pytest.mark.parametrize(
    "encoded",
    [
        "\\X0D0A\\".join(b64encode(PDF).decode()[n : n + 40] for n in range(0, 200, 40)),
        urlsafe_b64encode(PDF).decode(),
        b64encode(PDF).decode().rstrip("="),
    ],
)
def test_base64_is_read_with_line_ends_and_either_alphabet(ward: Ward, encoded: str) -> None:
    assert ward.psa(more=attached(encoded)).code == "AA"
    (report,) = ward.known("DiagnosticReport")
    assert report["presentedForm"][0]["data"] == b64encode(PDF).decode()


@pytest.mark.parametrize("encoded", [b64encode(PDF[:-8]).decode(), "%%%%", "A"])
def test_a_document_that_is_cut_or_no_document_is_set_aside(ward: Ward, encoded: str) -> None:
    answer = ward.psa(more=attached(encoded))
    assert answer.fault == ("AE", "102", "document-broken", "OBX[2].5")
    assert (ward.fate()[:2], goes_on(ward)) == (("quarantined", "document-broken"), True)


@pytest.mark.parametrize(
    ("content", "flag"),
    [
        (b"{\\rtf1 hello}", "type-differs"),
        (b"II*\x00 tiff", "type-differs"),
        (b"PK\x03\x04 zip", "document-active"),
        (PDF.replace(b"/Catalog", b"/Catalog /OpenAction << /JS (x) >>"), "document-active"),
    ],
)
def test_the_content_decides_what_a_document_is_and_a_person_looks_first(
    ward: Ward, content: bytes, flag: str
) -> None:
    assert ward.psa(more=attached(b64encode(content).decode())).code == "AA"
    assert f"{flag} OBX[2].5" in ward.flags()
    assert len(ward.known("DiagnosticReport")) == 1
    assert ward.seen("DiagnosticReport") == ward.seen() == []


@pytest.mark.parametrize(
    "birth_date", ["00000000", "10660101", "20990101", "01/03/1955", "195503012400"]
)
def test_dates_that_cannot_be_believed_are_set_aside(ward: Ward, birth_date: str) -> None:
    assert ward.psa(birth_date=birth_date).fault == ("AE", "102", "date-bad", "PID.7")
    assert (ward.fate(), goes_on(ward)) == (("quarantined", "date-bad", "PID.7"), True)


def test_a_result_of_the_future_is_set_aside_with_its_field(ward: Ward) -> None:
    later = (ward.record.clock() + timedelta(days=3)).strftime("%Y%m%d%H%M%S")
    answer = ward.send(ward.message().replace("20261124083000|||", f"{later}|||", 1))
    assert answer.fault == ("AE", "102", "date-bad", "OBR.7")


def test_days_may_come_first_where_the_feed_says_so(ward: Ward) -> None:
    assert ward.psa(DAY_FIRST, birth_date="01/03/1955").code == "AA"
    (patient,) = ward.seen("Patient")
    assert patient["birthDate"] == "1955-03-01"


def test_a_birth_date_with_a_time_keeps_both(ward: Ward) -> None:
    assert ward.psa(birth_date="195503011130").code == "AA"
    (patient,) = ward.seen("Patient")
    assert patient["birthDate"] == "1955-03-01"
    (extension,) = patient["_birthDate"]["extension"]
    assert extension["valueDateTime"] == "1955-03-01T11:30:00+00:00"


def test_the_hour_that_comes_twice_is_the_first_and_flagged(ward: Ward) -> None:
    sent = ward.message(issued="20261025013000").replace("20261124083000", "20261025013000")
    assert ward.send(sent).code == "AA"
    assert "time-ambiguous OBR[1].7" in ward.flags()
    assert one(ward, "2857-1")["effectiveDateTime"] == "2026-10-25T01:30:00+01:00"


def test_the_same_result_twice_in_a_message_is_one(ward: Ward) -> None:
    again = "OBX|7|NM|2857-1^PSA^LN||7.3|ug/L|0-6.5|H|||F|||20261124083000\r"
    assert ward.psa(more=again).code == "AA"
    assert (ward.values(), ward.flags()) == (["7.3"], ["obx-twice OBX[2]"])


def test_two_values_of_one_test_in_a_message_are_both_kept_and_held(ward: Ward) -> None:
    other = "OBX|2|NM|2857-1^PSA^LN||9.9|ug/L|0-6.5|H|||F|||20261124083000\r"
    assert ward.psa(more=other).code == "AA"
    assert (ward.values(), ward.values(clinician=True)) == ([], ["7.3", "9.9"])
    assert ward.flags() == ["obx-conflict OBX[2]"]


@pytest.mark.parametrize(
    ("change", "address"),
    [
        (lambda text: text.replace("OBR|1", "OBX|9|NM|1^A^L||1||||||F\rOBR|1", 1), "OBX"),
        (lambda text: text + "ORC|RE|ORD2|LAB2\r", "ORC"),
    ],
)
def test_segments_out_of_order_are_set_aside(ward: Ward, change: Any, address: str) -> None:
    answer = ward.send(change(ward.message()))
    assert answer.fault[:3] == ("AE", "100", "segment-order")
    assert answer.field.startswith(address)
    assert (ward.fate()[0], goes_on(ward)) == ("quarantined", True)


def test_one_order_control_serves_all_the_orders_after_it(ward: Ward) -> None:
    more = (
        "OBR|2|ORD1|LAB2|1234-5^Other^LN|||20261124083000|||||||||||||||20261124091500||CH|F\r"
        "OBX|1|NM|1234-5^Other^LN||5|ug/L|||||F\r"
    )
    assert ward.psa(more=more).code == "AA"
    assert (ward.values(), len(ward.seen("DiagnosticReport"))) == (["5", "7.3"], 2)


def test_a_comment_before_any_order_is_kept_for_staff(ward: Ward) -> None:
    sent = ward.message().replace("ORC|", "NTE|1|L|for the ward\rORC|", 1)
    sent = sent.replace("\rPID", "\rNTE|1|L|before the patient\rPID", 1)
    assert ward.send(sent).code == "AA"
    assert [flag for flag in ward.flags() if flag.startswith("note-unplaced")]
    assert "for the ward" not in str(ward.seen()) + str(ward.seen("DiagnosticReport"))
    assert b"for the ward" in bytes(ward.row().raw)


def test_a_result_never_deletes_demographics(ward: Ward) -> None:
    assert ward.psa().code == "AA"
    assert ward.psa(control_id="B", filler="LAB2", name='""').code == "AA"
    (patient,) = ward.known("Patient")
    assert patient["name"][0]["family"] == "Example"


def test_a_deleted_value_is_gone_and_its_history_stays(ward: Ward) -> None:
    assert ward.psa().code == "AA"
    assert ward.psa(control_id="B", value='""', status="C", issued="20261124093000").code == "AA"
    assert "value-deleted OBX[1].5" in ward.flags("B")
    tree = one(ward, "2857-1")
    assert (value_of(tree), "dataAbsentReason" in tree) == ("-", True)
    assert [value_of(old) for old in ward.versions(ward.as_clinician(), tree)] == ["-", "7.3"]


def test_a_message_of_its_head_alone_is_set_aside(ward: Ward) -> None:
    assert ward.send(ward.message().split("\r")[0] + "\r").fault[:3] == (
        *("AE", "100", "message-empty"),
    )
    assert (ward.fate()[0], goes_on(ward)) == ("quarantined", True)


@pytest.mark.parametrize("event", ["A24", "A44", "A60"])
def test_events_that_are_not_taken_here_are_kept(ward: Ward, event: str) -> None:
    sent = (
        f"MSH|^~\\&|PAS|RXX|PORTAL|CMCA|20261124||ADT^{event}|X1|P|2.5.1\r"
        'PID|1||9990000018^^^NHS^NH||""||19550301|M\rMRG|9990000018^^^NHS^NH\r'
    )
    assert ward.send(sent).fault == ("AR", "201", "type-unsupported", "MSH.9")
    assert ward.fate("X1") == ("refused", "type-unsupported", "MSH.9")
    assert (bytes(ward.row("X1").raw), goes_on(ward)) == (sent.encode(), True)
