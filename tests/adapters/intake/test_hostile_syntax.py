"""Hostile and odd syntax: delimiters, types, versions, control ids, segments, batches, sizes."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from adapters.hl7v2.dialect import Dialect
from adapters.intake.feeds import LOOPBACK
from adapters.intake.tables import inbox
from tests.adapters.intake.ward import OPERATOR, Ward

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

NAMED = replace(
    LOOPBACK,
    sending_application="LIMS",
    sending_facility="RXX",
    receiving_application="PORTAL",
    receiving_facility="CMCA",
)


def goes_on(ward: Ward) -> bool:
    return ward.psa(control_id="NEXT", filler="NEXT").code == "AA"


def with_delimiters(message: str, field: str, others: str) -> str:
    """Return the message as a sender with these delimiters would write it."""
    head, rest = message[:9], message[9:]
    assert head == "MSH|^~\\&|"
    return f"MSH{field}{others}{field}" + rest.translate(
        {ord("|"): field, ord("^"): others[0], ord("~"): others[1]}
    )


@pytest.mark.parametrize(
    ("field", "others", "flags"),
    [
        ("|", "^~\\&#", []),
        ("|", "~^\\&", []),
        ("#", "^~\\&", []),
        ("|", "^~\\", ["delimiters-short"]),
    ],
)
def test_delimiters_are_the_messages_own(
    ward: Ward, field: str, others: str, flags: list[str]
) -> None:
    assert ward.send(with_delimiters(ward.message(), field, others)).code == "AA"
    assert (ward.flags(), ward.values(), goes_on(ward)) == (flags, ["7.3"], True)


@pytest.mark.parametrize("others", ["^^\\&", "", "^~\\\\&"])
def test_delimiters_that_are_alike_or_absent_are_refused(ward: Ward, others: str) -> None:
    sent = ward.message().replace("MSH|^~\\&|", f"MSH|{others}|")
    assert ward.send(sent).fault == ("AR", "102", "delimiters-bad", "MSH.2")
    assert (ward.fate()[:2], goes_on(ward)) == (("refused", "delimiters-bad"), True)


@pytest.mark.parametrize("form", ["ORU^R01", "ORU^R01^ORU_R01^x"])
def test_the_type_is_taken_with_whatever_follows_it(ward: Ward, form: str) -> None:
    assert ward.send(ward.message().replace("ORU^R01^ORU_R01", form)).code == "AA"


@pytest.mark.parametrize(
    ("form", "code"), [("ORU", "201"), ("oru^r01", "200"), ("ORU_R01", "200"), ("ADT^A24", "201")]
)
def test_a_form_of_the_type_that_nobody_agreed_on_is_refused(
    ward: Ward, form: str, code: str
) -> None:
    sent = ward.message().replace("ORU^R01^ORU_R01", form)
    assert ward.send(sent).fault == ("AR", code, "type-unsupported", "MSH.9")
    assert (ward.fate(), goes_on(ward)) == (("refused", "type-unsupported", "MSH.9"), True)


def test_a_form_of_the_type_that_the_feed_agreed_on_is_taken(ward: Ward) -> None:
    feed = replace(LOOPBACK, dialect=Dialect(message_forms=frozenset({"ORU"})))
    assert ward.send(ward.message().replace("ORU^R01^ORU_R01", "ORU"), feed).code == "AA"


@pytest.mark.parametrize(
    ("version", "flags"), [("", ["version-assumed"]), ("2.4^GBR", []), ("2.9", ["version-assumed"])]
)
def test_versions_that_can_be_read_are(ward: Ward, version: str, flags: list[str]) -> None:
    assert b"MSA|AA|MSG1" in ward.raw(ward.message().replace("|2.5.1", f"|{version}"))
    assert (ward.fate(), ward.flags()) == (("filed", "", ""), flags)


@pytest.mark.parametrize("version", ["2.3.z", "2.8.1000.1"])
def test_what_is_no_version_is_refused(ward: Ward, version: str) -> None:
    answer = ward.raw(ward.message().replace("|2.5.1", f"|{version}"))
    assert b"MSA|AR|MSG1" in answer
    assert (ward.fate(), goes_on(ward)) == (("refused", "version-unknown", "MSH.12"), True)


def test_a_message_without_a_control_id_is_set_aside(ward: Ward) -> None:
    answer = ward.send(ward.message(control_id=""))
    assert (answer.fault, answer.control_id) == (("AE", "101", "control-id-missing", "MSH.10"), "")
    assert ward.fate("") == ("quarantined", "control-id-missing", "MSH.10")
    assert ward.send(ward.message(control_id="", value="8.1")).name == "control-id-missing"
    assert goes_on(ward)


@pytest.mark.parametrize("length", [199, 5000])
def test_a_long_control_id_comes_back_whole(ward: Ward, length: int) -> None:
    first = "X" * (length - 1) + "1"
    assert ward.psa(control_id=first).control_id == first
    other = "X" * (length - 1) + "2"
    assert ward.psa(control_id=other, filler="LAB2").code == "AA"


def test_the_same_bytes_get_the_same_answer_and_other_content_is_set_aside(ward: Ward) -> None:
    first = ward.raw(ward.message())
    assert ward.raw(ward.message()) == first
    again = ward.send(ward.message(value="9.9"))
    assert again.fault == ("AE", "205", "control-id-reused", "MSH.10")
    assert sorted(ward.fates()) == ["filed", "quarantined"]
    assert (ward.values(), goes_on(ward)) == (["7.3"], True)


def test_two_senders_on_one_feed_may_use_the_same_control_id(ward: Ward) -> None:
    assert ward.psa().code == "AA"
    other = ward.message(filler="OTHER").replace("|LIMS|RXX|", "|LIMS|RYY|")
    assert ward.send(other).code == "AA"
    assert ward.fates() == ["filed", "filed"]


def test_a_control_id_may_come_again_the_next_day_where_the_feed_says_so(ward: Ward) -> None:
    daily = replace(LOOPBACK, control_ids="day")
    assert ward.psa(daily).code == "AA"
    assert ward.psa(daily, filler="LAB2").name == "control-id-reused"
    yesterday = update(inbox).values(received=inbox.c.received - 86_400_000_001)
    ward.record.submit(OPERATOR, lambda writer: writer.execute(yesterday)).result(timeout=30)
    assert ward.psa(daily, filler="LAB3").code == "AA"


def test_a_constant_control_id_is_filed_where_the_feed_says_so(ward: Ward) -> None:
    constant = replace(LOOPBACK, control_ids="never")
    answers = [ward.psa(constant, filler=f"LAB{n}") for n in range(3)]
    assert [one.code for one in answers] == ["AA", "AA", "AA"]
    assert ward.raw(ward.message(filler="LAB1"), constant)
    assert ward.fates() == ["filed", "filed", "filed"]


def test_what_was_refused_took_no_control_id(ward: Ward) -> None:
    refused = ward.message().replace("ORU^R01^ORU_R01", "ORU_R01")
    assert ward.send(refused).code == "AR"
    assert ward.psa().code == "AA"


@pytest.mark.parametrize("processing_id", ["T", "D", "", "p"])
def test_only_production_reaches_the_live_record(ward: Ward, processing_id: str) -> None:
    sent = ward.message().replace("|P|2.5.1", f"|{processing_id}|2.5.1")
    assert ward.send(sent, NAMED).fault == ("AR", "202", "not-production", "MSH.11")
    row = ward.row()
    assert (row.fate, row.code, bytes(row.raw)) == ("refused", "not-production", sent.encode())
    assert ward.known("Patient") == []


@pytest.mark.parametrize(
    ("ours", "field"),
    [("|PORTAL|", "MSH.5"), ("|CMCA|", "MSH.6"), ("|LIMS|", "MSH.3"), ("|RXX|", "MSH.4")],
)
def test_a_message_between_others_is_refused(ward: Ward, ours: str, field: str) -> None:
    sent = ward.message().replace(ours, "|ELSEWHERE|", 1)
    assert ward.send(sent, NAMED).fault == ("AR", "103", "not-for-us", field)
    assert ward.fate()[:2] == ("refused", "not-for-us")
    assert ward.send(ward.message(), NAMED).code == "AA"


@pytest.mark.parametrize(
    ("line", "flag"),
    [
        ("ZPI|1|site", ""),
        ("ZU1|x", ""),
        ("QQQ|1|unknown", "segment-unknown"),
        ("nte|1|L|lower case", "segment-form"),
        ("  NTE|1|L|indented", "segment-form"),
        ("NTE|1|L|spaces behind   ", ""),
    ],
)
def test_odd_segments_are_kept_and_flagged(ward: Ward, line: str, flag: str) -> None:
    assert ward.send(ward.message(more=f"{line}\r")).code == "AA"
    assert (ward.fate(), ward.flags()) == (("filed", "", ""), [flag] if flag else [])


@pytest.mark.parametrize("line", ["the rest of a text", "ab|two letters"])
def test_a_line_that_is_no_segment_is_a_cut_text_and_never_filed(ward: Ward, line: str) -> None:
    answer = ward.send(ward.message(more=f"{line}\r"))
    assert answer.fault[:3] == ("AE", "100", "segment-broken")
    assert (ward.fate()[:2], ward.known("Patient")) == (("quarantined", "segment-broken"), [])
    assert goes_on(ward)


def test_a_batch_has_to_be_agreed_on(ward: Ward) -> None:
    batch = "FHS|^~\\&\rBHS|^~\\&\r" + ward.message() + "BTS|1\rFTS|1\r"
    assert b"|AR|" in ward.raw(batch)
    assert ward.fates() == ["refused"]
    agreed = replace(LOOPBACK, dialect=Dialect(batches=True))
    assert b"MSA|AA|MSG1" in ward.raw(batch, agreed)
    counted = batch.replace("BTS|1", "BTS|2").replace("MSG1", "MSG2").replace("LAB1", "LAB2")
    assert b"MSA|AA|MSG2" in ward.raw(counted, agreed)
    assert "batch-count" in ward.flags("MSG2")
    assert goes_on(ward)


def test_six_hundred_results_are_filed(ward: Ward) -> None:
    more = "".join(f"OBX|{n}|NM|X{n}^T{n}^L||{n}||||||F\r" for n in range(2, 601))
    assert ward.psa(more=more).code == "AA"
    (report,) = ward.known("DiagnosticReport")
    assert len(report["result"]) == 600


def test_a_field_of_a_megabyte_is_filed(ward: Ward) -> None:
    text = "long " * 200_000
    assert ward.psa(more=f"OBX|2|TX|1234-5^Note^LN||{text}x||||||F\r").code == "AA"
    assert f"{text}x" in ward.values(clinician=True)


@pytest.mark.parametrize("mark", ["^", "&"])
def test_a_field_past_the_limit_of_its_parts_is_set_aside(ward: Ward, mark: str) -> None:
    answer = ward.psa(more=f"OBX|2|CE|1234-5^Note^LN||{mark * 40_000}||||||F\r")
    assert answer.fault == ("AE", "102", "field-too-large", "OBX[2].5")
    assert (ward.fate()[:2], goes_on(ward)) == (("quarantined", "field-too-large"), True)
