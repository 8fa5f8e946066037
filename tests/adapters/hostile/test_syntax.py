"""Hostile syntax, 27 to 34: each with its whole stated outcome, over a real socket."""

import re

import pytest
from sqlalchemy import update

from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.mllp import wrap
from adapters.intake.tables import inbox
from tests.adapters.hostile.hospital import Hospital, Sent
from tests.adapters.intake.ward import OPERATOR, Answer, answer_of

FILED = ("filed", "", "")


def translated(sent: Sent, field: str, others: str) -> Sent:
    """Return the message as a sender with these delimiters would write it."""
    head, rest = sent.raw.decode()[:9], sent.raw.decode()[9:]
    assert head == "MSH|^~\\&|"
    marks = {ord("|"): field, ord("^"): others[0], ord("~"): others[1]}
    raw = f"MSH{field}{others}{field}" + rest.translate(marks)
    return Sent(raw.encode(), sent.control_id, sent.nhs_number)


def acknowledged(raw: bytes) -> tuple[str, str]:
    """Return MSA-1 and MSA-2 of an answer in whatever version and delimiters."""
    found = re.search(rb"MSA(.)(..)\1([^\r]*?)(?:\1|\r)", raw)
    assert found is not None
    return found[2].decode(), found[3].decode()


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
    clinic: Hospital, field: str, others: str, flags: list[str]
) -> None:
    """hostile_27"""
    wire, sent = clinic.connect(), translated(clinic.message(), field, others)
    assert wire.tell(sent) == sent.accepted
    assert clinic.heard[-1].startswith(f"MSH{field}{others}{field}".encode())
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], flags)
    assert len(clinic.seen(sent)) == 1
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("others", ["^^\\&", "", "^~\\\\&", "^~\\&#@"])
def test_delimiters_that_are_alike_or_absent_are_refused(clinic: Hospital, others: str) -> None:
    """hostile_27"""
    wire = clinic.connect()
    sent = clinic.message().changed("MSH|^~\\&|", f"MSH|{others}|")
    assert wire.tell(sent) == sent.refused("AR", "102", "delimiters-bad", "MSH.2")
    assert clinic.fates(sent) == [("refused", "delimiters-bad", "MSH.2")]
    assert (clinic.raw(sent), clinic.known(sent, "Patient")) == (sent.raw, [])
    assert clinic.goes_on(wire)


def test_a_doubled_escape_is_read_as_one_where_the_feed_agreed_on_it(clinic: Hospital) -> None:
    """hostile_27"""
    clinic.agree("RDOUBLE", Dialect(doubled_escape=True))
    note = "OBX|2|ST|1234-5^Note^LN||a\\F\\b||||||F\r"
    plain, wire = clinic.message(facility="RDOUBLE", more=note), clinic.connect()
    sent = plain.changed("MSH|^~\\&|", "MSH|^~\\\\&|")
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], ["delimiters-doubled"])
    assert clinic.about(sent, "1234-5")["valueString"] == "a|b"
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("form", ["ORU^R01", "ORU^R01^ORU_R01^x"])
def test_the_type_is_taken_with_whatever_follows_it(clinic: Hospital, form: str) -> None:
    """hostile_28"""
    wire, sent = clinic.connect(), clinic.message().changed("ORU^R01^ORU_R01", form)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], [])
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    ("form", "hl7"), [("ORU", "201"), ("oru^r01", "200"), ("ORU_R01", "200"), ("XYZ^A01", "200")]
)
def test_a_form_of_the_type_that_nobody_agreed_on_is_refused(
    clinic: Hospital, form: str, hl7: str
) -> None:
    """hostile_28"""
    wire, sent = clinic.connect(), clinic.message().changed("ORU^R01^ORU_R01", form)
    assert wire.tell(sent) == sent.refused("AR", hl7, "type-unsupported", "MSH.9")
    assert clinic.fates(sent) == [("refused", "type-unsupported", "MSH.9")]
    assert (clinic.raw(sent), clinic.known(sent, "Patient")) == (sent.raw, [])
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("form", ["ORU", "ORU_R01", "oru^r01"])
def test_a_form_of_the_type_that_the_feed_agreed_on_is_taken(clinic: Hospital, form: str) -> None:
    """hostile_28"""
    clinic.agree("RFORM", Dialect(message_forms=frozenset({"ORU", "ORU_R01", "oru^r01"})))
    sent = clinic.message(facility="RFORM").changed("ORU^R01^ORU_R01", form)
    wire = clinic.connect()
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.goes_on(wire)) == ([FILED], True)


@pytest.mark.parametrize(
    ("version", "flags"), [("", ["version-assumed"]), ("2.4^GBR", []), ("2.9", ["version-assumed"])]
)
def test_versions_that_can_be_read_are(clinic: Hospital, version: str, flags: list[str]) -> None:
    """hostile_29"""
    wire, sent = clinic.connect(), clinic.message().changed("|P|2.5.1", f"|P|{version}")
    wire.send(wrap(sent.raw))
    assert acknowledged(wire.raw_answer()) == ("AA", sent.control_id)
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], flags)
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("version", ["2.3.z", "2.8.1000.1", "three"])
def test_what_is_no_version_is_refused(clinic: Hospital, version: str) -> None:
    """hostile_29"""
    wire, sent = clinic.connect(), clinic.message().changed("|P|2.5.1", f"|P|{version}")
    wire.send(wrap(sent.raw))
    answer = wire.raw_answer()
    assert acknowledged(answer) == ("AR", sent.control_id)
    assert b"203" in answer
    assert b"version-unknown" in answer
    assert clinic.fates(sent) == [("refused", "version-unknown", "MSH.12")]
    assert clinic.goes_on(wire)


def test_a_message_without_a_control_id_is_set_aside(clinic: Hospital) -> None:
    """hostile_30"""
    wire, sent = clinic.connect(), clinic.message(control_id="")
    assert wire.tell(sent) == sent.refused("AE", "101", "control-id-missing", "MSH.10")
    assert clinic.fates(sent) == [("quarantined", "control-id-missing", "MSH.10")]
    assert (clinic.raw(sent), clinic.known(sent, "Patient")) == (sent.raw, [])
    assert clinic.goes_on(wire)


def test_a_control_id_of_199_characters_comes_back_exactly(clinic: Hospital) -> None:
    """hostile_30"""
    wire, sent = clinic.connect(), clinic.message(control_id="X" * 198 + "1")
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.goes_on(wire)) == ([FILED], True)


def test_a_control_id_used_again_is_the_same_message_or_is_set_aside(clinic: Hospital) -> None:
    """hostile_30"""
    wire, sent = clinic.connect(), clinic.message()
    wire.send(wrap(sent.raw) * 2)
    assert wire.raw_answer() == wire.raw_answer()
    assert (clinic.fates(sent), clinic.rows(sent.control_id)[0].copies) == ([FILED], 1)
    other = clinic.message(control_id=sent.control_id)
    assert wire.tell(other) == other.refused("AE", "205", "control-id-reused", "MSH.10")
    assert clinic.fates(sent) == [FILED, ("quarantined", "control-id-reused", "MSH.10")]
    assert (clinic.known(other, "Patient"), clinic.goes_on(wire)) == ([], True)


def test_a_control_id_may_come_again_after_its_span_where_the_feed_agreed_on_one(
    clinic: Hospital,
) -> None:
    """hostile_30"""
    clinic.agree("RDAY", control_ids="day")
    clinic.agree("RNEVER", control_ids="never")
    wire, first = clinic.connect(), clinic.message(facility="RDAY")
    same_day, next_day = (
        clinic.message(facility="RDAY", control_id=first.control_id) for _ in range(2)
    )
    assert wire.tell(first) == first.accepted
    assert wire.tell(same_day) == same_day.refused("AE", "205", "control-id-reused", "MSH.10")
    yesterday = (
        update(inbox)
        .where(inbox.c.control_id == first.control_id)
        .values(received=inbox.c.received - 86_400_000_001)
    )
    clinic.record.submit(OPERATOR, lambda writer: writer.execute(yesterday)).result(timeout=30)
    assert wire.tell(next_day) == next_day.accepted
    constant = [clinic.message(facility="RNEVER", control_id="1") for _ in range(3)]
    assert [wire.tell(one) for one in constant] == [one.accepted for one in constant]
    assert clinic.fates(constant[0]) == [FILED] * 3
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("processing_id", ["T", "D", "", "p"])
def test_only_production_reaches_the_live_record(clinic: Hospital, processing_id: str) -> None:
    """hostile_31"""
    wire, sent = clinic.connect(), clinic.message().changed("|P|2.5.1", f"|{processing_id}|2.5.1")
    assert wire.tell(sent) == sent.refused("AR", "202", "not-production", "MSH.11")
    assert clinic.fates(sent) == [("refused", "not-production", "MSH.11")]
    assert (clinic.raw(sent), clinic.known(sent, "Patient")) == (sent.raw, [])
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(("ours", "field"), [("|PORTAL|", "MSH.5"), ("|CMCA|", "MSH.6")])
def test_a_message_for_somebody_else_is_refused(clinic: Hospital, ours: str, field: str) -> None:
    """hostile_31"""
    wire, sent = clinic.connect(), clinic.message().changed(ours, "|ELSEWHERE|")
    assert wire.tell(sent) == sent.refused("AR", "103", "not-for-us", field)
    assert clinic.fates(sent) == [("refused", "not-for-us", field)]
    assert (clinic.raw(sent), clinic.known(sent, "Patient")) == (sent.raw, [])
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        ("ZPI|1|site", []),
        ("ZU|1|two letters", []),
        ("QQQ|1|unknown", ["segment-unknown"]),
        ("nte|1|L|lower case", ["segment-form"]),
        ("  NTE|1|L|indented", ["segment-form"]),
        ("NTE|1|L|spaces behind   ", []),
    ],
)
def test_odd_segments_are_kept_and_flagged(clinic: Hospital, line: str, flags: list[str]) -> None:
    """hostile_32"""
    wire, sent = clinic.connect(), clinic.message(more=f"{line}\r")
    assert wire.tell(sent) == sent.accepted
    found = [flag for flag in clinic.flags(sent) if not (line[:3] == "ZU|" and flag)]
    assert (clinic.fates(sent), found) == ([FILED], flags)
    assert (clinic.raw(sent), clinic.goes_on(wire)) == (sent.raw, True)


@pytest.mark.parametrize("line", ["the rest of a text Quillfeather", "ab|two letters"])
def test_a_line_that_is_no_segment_is_a_cut_text_and_never_filed(
    clinic: Hospital, line: str
) -> None:
    """hostile_32"""
    wire, sent = clinic.connect(), clinic.message(more=f"{line}\r")
    assert wire.tell(sent) == sent.refused("AE", "100", "segment-broken", "OBX")
    assert clinic.fates(sent) == [("quarantined", "segment-broken", "OBX[1]")]
    assert (clinic.raw(sent), clinic.known(sent, "Patient")) == (sent.raw, [])
    assert clinic.goes_on(wire)


def test_a_batch_of_a_feed_that_agreed_on_them_is_answered_in_one_frame(clinic: Hospital) -> None:
    """hostile_33"""
    clinic.agree("RBATCH", Dialect(batches=True))
    one, two = (clinic.message(facility="RBATCH") for _ in range(2))
    bad = clinic.message(facility="RBATCH", birth_date="10660101")
    wire = clinic.connect()
    content = one.raw + bad.raw + two.raw
    wire.send(wrap(b"FHS|^~\\&\rBHS|^~\\&\r" + content + b"BTS|4\rFTS|1\r"))
    answers = wire.raw_answer()
    assert answers.startswith(b"BHS|")
    told = [acknowledged(b"MSA" + part) for part in answers.split(b"MSA")[1:]]
    assert told == [("AA", one.control_id), ("AE", bad.control_id), ("AA", two.control_id)]
    assert [clinic.fates(each) for each in (one, two)] == [[FILED]] * 2
    assert clinic.fates(bad) == [("quarantined", "date-bad", "PID.7")]
    assert [clinic.flags(each) for each in (one, bad, two)] == [["batch-count"]] * 3
    assert clinic.goes_on(wire)


def test_bare_messages_in_one_frame_are_answered_with_the_worst_that_came_first(
    clinic: Hospital,
) -> None:
    """hostile_33"""
    clinic.agree("RBATCH", Dialect(batches=True))
    one, two = (clinic.message(facility="RBATCH") for _ in range(2))
    bad, worse = (clinic.message(facility="RBATCH", birth_date="10660101") for _ in range(2))
    wire = clinic.connect()
    wire.send(wrap(one.raw + bad.raw + worse.raw + two.raw))
    assert wire.answer() == bad.refused("AE", "102", "date-bad", "PID.7")
    assert [clinic.fates(each) for each in (one, two)] == [[FILED]] * 2
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("enveloped", [True, False])
def test_a_batch_that_nobody_agreed_on_is_refused_whole(clinic: Hospital, enveloped: bool) -> None:
    """hostile_33"""
    one, two = clinic.message(), clinic.message()
    raw = one.raw + two.raw
    if enveloped:
        raw = b"FHS|^~\\&\rBHS|^~\\&\r" + raw + b"BTS|2\rFTS|1\r"
    wire = clinic.connect()
    wire.send(wrap(raw))
    answer = answer_of(wire.raw_answer())
    place = "FHS" if enveloped else "MSH[2]"
    assert answer == Answer("AR", one.control_id, "200", "batch-unexpected", place)
    assert clinic.fates(one) == [("refused", "batch-unexpected", place)]
    assert (clinic.raw(one), clinic.fates(two), clinic.known(one, "Patient")) == (raw, [], [])
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("number", [600, 1_200])
def test_hundreds_of_results_are_filed(clinic: Hospital, number: int) -> None:
    """hostile_34"""
    more = "".join(f"OBX|{n}|NM|X{n}^T{n}^L||{n}||||||F\r" for n in range(2, number + 1))
    wire, sent = clinic.connect(), clinic.message(more=more)
    assert wire.tell(sent) == sent.accepted
    (report,) = clinic.known(sent, "DiagnosticReport")
    assert (clinic.fates(sent), len(report["result"])) == ([FILED], number)
    assert clinic.goes_on(wire)


def test_a_field_of_a_megabyte_is_filed(clinic: Hospital) -> None:
    """hostile_34"""
    text = "long " * 200_000 + "x"
    wire = clinic.connect()
    sent = clinic.message(more=f"OBX|2|TX|1234-5^Note^LN||{text}||||||F\r")
    assert wire.tell(sent) == sent.accepted
    assert clinic.fates(sent) == [FILED]
    assert clinic.about(sent, "1234-5")["valueString"] == text
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("mark", ["^", "&"])
def test_a_field_past_the_limit_of_its_parts_is_set_aside(clinic: Hospital, mark: str) -> None:
    """hostile_34"""
    wire = clinic.connect()
    sent = clinic.message(more=f"OBX|2|CE|1234-5^Note^LN||{mark * 40_000}||||||F\r")
    assert wire.tell(sent) == sent.refused("AE", "102", "field-too-large", "OBX[2].5")
    assert clinic.fates(sent) == [("quarantined", "field-too-large", "OBX[2].5")]
    assert (clinic.raw(sent), clinic.known(sent, "Patient")) == (sent.raw, [])
    assert clinic.goes_on(wire)
