"""Hostile content, 35 to 44: each with its whole stated outcome, over a real socket."""

from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.hl7v2.dialect import Dialect
from adapters.intake.alerting import ALERT
from fhir_server.access import Interaction
from tests.adapters.hostile.hospital import Hospital, Sent, nhs_number
from tests.adapters.intake.ward import value_of

FILED = ("filed", "", "")
PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"
ACTIVE = PDF.replace(b"/Catalog", b"/Catalog /OpenAction << /JS (x) >>")


def set_aside(clinic: Hospital, sent: Sent, code: str, address: str) -> bool:
    """Tell whether a message waits for a person, whole, with its reason, and nothing else is."""
    return (clinic.fates(sent), clinic.raw(sent), clinic.known(sent, "Patient")) == (
        [("quarantined", code, address)],
        sent.raw,
        [],
    )


def statuses(clinic: Hospital, sent: Sent) -> tuple[str, str]:
    (report,), (result,) = clinic.known(sent, "DiagnosticReport"), clinic.known(sent)
    return report["status"], result["status"]


def again(clinic: Hospital, sent: Sent, **told: str) -> Sent:
    """Return a later message about the same order of the same person."""
    filler = sent.raw.split(b"ORC|RE|")[1].split(b"\r")[0].split(b"|")[1].decode()
    return clinic.message(**{"filler": filler, "nhs_number": sent.nhs_number, **told})


@pytest.mark.parametrize(
    ("kind", "written", "value", "is_text"),
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
        ("SN", "^<^5", "^<^5", True),
        ("", "7.3", "7.3", True),
    ],
)
def test_a_number_is_made_of_numbers_only_and_all_else_stays_as_sent(
    clinic: Hospital, kind: str, written: str, value: str, is_text: bool
) -> None:
    """hostile_35"""
    line = f"OBX|2|{kind}|1234-5^Other^LN||{written}|ug/L|0-6.5|H|||F\r"
    wire, sent = clinic.connect(), clinic.message(more=line)
    assert wire.tell(sent) == sent.accepted
    tree = clinic.about(sent, "1234-5")
    assert (value_of(tree), "valueString" in tree) == (value, is_text)
    assert (clinic.fates(sent), clinic.flags(sent)) == (
        [FILED],
        ["value-as-text OBX[2].5"] if is_text else [],
    )
    assert tree["interpretation"][0]["coding"][0]["code"] == "H"
    assert tree["referenceRange"][0]["text"] == "0-6.5"
    assert "ug/L" in str(tree)
    assert clinic.goes_on(wire)


def test_repeated_text_is_lines_and_a_literal_tilde_stays_where_agreed(clinic: Hospital) -> None:
    """hostile_36"""
    clinic.agree("RTILDE", Dialect(literal_tilde=True))
    wire = clinic.connect()
    lines = clinic.message(more="OBX|2|TX|1234-5^Note^LN||first~ second~~last||||||F\r")
    tilde = "OBX|2|TX|1234-5^Note^LN||a mass ~ 5 cm||||||F\r"
    literal = clinic.message(facility="RTILDE", more=tilde)
    assert [wire.tell(one) for one in (lines, literal)] == [lines.accepted, literal.accepted]
    assert [clinic.fates(one) for one in (lines, literal)] == [[FILED], [FILED]]
    assert value_of(clinic.about(lines, "1234-5")) == "first\n second\n\nlast"
    assert value_of(clinic.about(literal, "1234-5")) == "a mass ~ 5 cm"
    assert clinic.goes_on(wire)


def attached(encoded: str, place: int = 5, kind: str = "PDF", encoding: str = "Base64") -> str:
    parts = ["", "AP", kind, encoding, ""]
    parts[place - 1] = encoded
    return f"OBX|2|ED|LETTER^Letter^L||{'^'.join(parts)}||||||F\r"


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        (attached(b64encode(PDF).decode(), 1), []),
        (attached(b64encode(PDF).decode(), 3), []),
        (attached(b64encode(PDF).decode()), []),
        (attached(b64encode(PDF).decode(), encoding=""), []),
        (attached(PDF.hex(), encoding="Hex"), []),
        (
            attached(
                "\\X0D0A\\".join((b64encode(PDF).decode()[:40], b64encode(PDF).decode()[40:]))
            ),
            [],
        ),
        (
            attached("\r\n".join((b64encode(PDF).decode()[:40], b64encode(PDF).decode()[40:]))),
            ["document-lines", "segment-ends"],
        ),
        (attached(urlsafe_b64encode(PDF).decode()), []),
        (attached(b64encode(PDF).decode().rstrip("=")), []),
        (attached(b64encode(PDF).decode(), kind="RTF"), ["type-differs OBX[2].5"]),
    ],
)
def test_a_document_is_found_and_decoded_where_and_as_senders_put_it(
    clinic: Hospital, line: str, flags: list[str]
) -> None:
    """hostile_37"""
    wire, sent = clinic.connect(), clinic.message(more=line)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), sorted(clinic.flags(sent))) == ([FILED], flags)
    (report,) = clinic.seen(sent, "DiagnosticReport")
    (form,) = report["presentedForm"]
    assert (form["contentType"], form["data"]) == ("application/pdf", b64encode(PDF).decode())
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    ("content", "kind", "flags"),
    [
        (b"{\\rtf1 hello}", "PDF", ["type-differs OBX[2].5"]),
        (b"II*\x00 tiff", "PDF", ["type-differs OBX[2].5"]),
        (b"PK\x03\x04 zip", "PDF", ["type-differs OBX[2].5", "document-active OBX[2].5"]),
        (ACTIVE, "PDF", ["document-active OBX[2].5"]),
    ],
)
def test_the_content_decides_what_a_document_is_and_a_person_looks_first(
    clinic: Hospital, content: bytes, kind: str, flags: list[str]
) -> None:
    """hostile_37"""
    line = attached(b64encode(content).decode(), kind=kind)
    wire, sent = clinic.connect(), clinic.message(more=line)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], flags)
    (report,) = clinic.known(sent, "DiagnosticReport")
    assert report["presentedForm"][0]["data"] == b64encode(content).decode()
    assert clinic.seen(sent, "DiagnosticReport") == clinic.seen(sent) == []
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("encoded", [b64encode(PDF[:-8]).decode(), "%%%%", "A"])
def test_a_document_that_is_cut_or_cannot_be_decoded_is_set_aside(
    clinic: Hospital, encoded: str
) -> None:
    """hostile_37"""
    wire, sent = clinic.connect(), clinic.message(more=attached(encoded))
    assert wire.tell(sent) == sent.refused("AE", "102", "document-broken", "OBX[2].5")
    assert set_aside(clinic, sent, "document-broken", "OBX[2].5")
    assert clinic.goes_on(wire)


def test_the_order_of_identifiers_does_not_matter(clinic: Hospital) -> None:
    """hostile_38"""
    number = nhs_number()
    spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
    pid = f"PID|1||A-{number}^^^RXX^MR~{spaced}^^^NHS^NH||Quillfeather^Zebedee||19550301|M"
    wire, sent = clinic.connect(), clinic.message(pid=pid, nhs_number=number)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), len(clinic.seen(sent))) == ([FILED], 1)
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    ("identifiers", "hl7", "code"),
    [
        ("A123", "204", "identity-unclear"),
        ("{0}^^^NHS^NH~{1}^^^NHS^NH", "204", "identity-unclear"),
        ("0000000000^^^NHS^NH", "204", "identity-unclear"),
        ("9990000017^^^NHS^NH", "102", "nhs-number-bad"),
        ("", "101", "identity-missing"),
    ],
)
def test_an_identity_that_is_not_clear_is_never_resolved_here(
    clinic: Hospital, identifiers: str, hl7: str, code: str
) -> None:
    """hostile_38"""
    first, second = nhs_number(), nhs_number()
    pid = f"PID|1||{identifiers.format(first, second)}||Quillfeather^Zebedee||19550301|M"
    wire, sent = clinic.connect(), clinic.message(pid=pid, nhs_number=first)
    assert wire.tell(sent) == sent.refused("AE", hl7, code, "PID.3")
    assert set_aside(clinic, sent, code, "PID.3")
    assert clinic.goes_on(wire)


def test_a_baby_without_a_number_is_filed_by_the_local_one_and_found_again(
    clinic: Hospital,
) -> None:
    """hostile_38"""
    pid = "PID|1||BABY7^^^RXX^MR||Quillfeather^Baby||20261101|F"
    wire, first, later = clinic.connect(), clinic.message(pid=pid), clinic.message(pid=pid)
    assert [wire.tell(one) for one in (first, later)] == [first.accepted, later.accepted]
    pairs = ("identifier", "|BABY7")
    (patient,) = clinic.ward.found(clinic.ward.as_clinician(), "Patient", pairs)
    about = ("patient", patient["id"])
    assert len(clinic.ward.found(clinic.ward.as_clinician(), "Observation", about)) == 2
    assert clinic.goes_on(wire)


def test_results_of_somebody_who_died_are_held(clinic: Hospital) -> None:
    """hostile_38"""
    number = nhs_number()
    pid = f"PID|1||{number}^^^NHS^NH||Quillfeather^Zebedee||19550301|M{'|' * 21}20261101"
    wire, sent = clinic.connect(), clinic.message(pid=pid, nhs_number=number)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), len(clinic.known(sent)), clinic.seen(sent)) == ([FILED], 1, [])
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    ("told", "flags"),
    [
        ({"name": "QUILLFEATHER^ZEBEDEE"}, []),
        ({"name": "Mr Quillfeather^Z"}, []),
        ({"name": "Someone^Zebedee"}, ["identity-differs PID.5"]),
        ({"sex": "F"}, ["identity-differs PID.8"]),
    ],
)
def test_one_small_difference_of_the_person_is_flagged(
    clinic: Hospital, told: dict[str, str], flags: list[str]
) -> None:
    """hostile_39"""
    wire, first = clinic.connect(), clinic.message()
    later = clinic.message(nhs_number=first.nhs_number, **told)
    assert [wire.tell(one) for one in (first, later)] == [first.accepted, later.accepted]
    assert (clinic.fates(later), clinic.flags(later)) == ([FILED], flags)
    assert len(clinic.seen(first)) == 2
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("facility", ["RXX", "RTOLD"])
@pytest.mark.parametrize(
    ("told", "address"),
    [
        ({"name": "Someone^Zebedee", "sex": "F"}, "PID.5"),
        ({"birth_date": "19600101"}, "PID.7"),
        ({"name": "Someone^Else", "sex": "F", "birth_date": "19600101"}, "PID.7"),
    ],
)
def test_two_differences_or_a_birth_date_wait_for_a_human(
    clinic: Hospital, told: dict[str, str], address: str, facility: str
) -> None:
    """hostile_39"""
    clinic.agree("RTOLD", identity_ack="AE")
    wire, first = clinic.connect(), clinic.message(facility=facility)
    later = clinic.message(nhs_number=first.nhs_number, facility=facility, **told)
    assert wire.tell(first) == first.accepted
    # AA where the feed did not ask to be told: many laboratories stop their queue on AE.
    refused = later.refused("AE", "204", "identity-conflict", address)
    assert wire.tell(later) == (refused if facility == "RTOLD" else later.accepted)
    assert clinic.fates(later) == [("quarantined", "identity-conflict", address)]
    assert (clinic.raw(later), len(clinic.known(first))) == (later.raw, 1)
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    "birth_date", ["00000000", "10660101", "20990101", "01/03/1955", "195503012400", "19551301"]
)
def test_dates_that_cannot_be_believed_are_set_aside(clinic: Hospital, birth_date: str) -> None:
    """hostile_40"""
    wire, sent = clinic.connect(), clinic.message(birth_date=birth_date)
    assert wire.tell(sent) == sent.refused("AE", "102", "date-bad", "PID.7")
    assert set_aside(clinic, sent, "date-bad", "PID.7")
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("field", [7, 22])
def test_a_result_of_the_future_is_set_aside_with_its_field(clinic: Hospital, field: int) -> None:
    """hostile_40"""
    later = (clinic.record.clock() + timedelta(days=3)).strftime("%Y%m%d%H%M%S")
    sent, wire = clinic.message(), clinic.connect()
    lines = sent.raw.decode().split("\r")
    obr = lines[3].split("|")
    obr[field] = later
    lines[3] = "|".join(obr)
    sent = Sent("\r".join(lines).encode(), sent.control_id, sent.nhs_number)
    assert wire.tell(sent) == sent.refused("AE", "102", "date-bad", f"OBR.{field}")
    assert set_aside(clinic, sent, "date-bad", f"OBR[1].{field}")
    assert clinic.goes_on(wire)


def test_days_may_come_first_where_the_feed_says_so(clinic: Hospital) -> None:
    """hostile_40"""
    clinic.agree("RDAYS", Dialect(day_first=True))
    wire, sent = clinic.connect(), clinic.message(facility="RDAYS", birth_date="01/03/1955")
    assert wire.tell(sent) == sent.accepted
    (patient,) = clinic.seen(sent, "Patient")
    assert (clinic.fates(sent), patient["birthDate"]) == ([FILED], "1955-03-01")
    assert clinic.goes_on(wire)


def test_a_birth_date_with_a_time_keeps_both_and_a_time_that_comes_twice_is_the_first(
    clinic: Hospital,
) -> None:
    """hostile_40"""
    october = "20261025013000"
    wire, sent = clinic.connect(), clinic.message(birth_date="195503011130", issued=october)
    sent = sent.changed("|||20261124083000", f"|||{october}").changed("20261124083000", october)
    assert wire.tell(sent) == sent.accepted
    (patient,) = clinic.seen(sent, "Patient")
    (extension,) = patient["_birthDate"]["extension"]
    assert patient["birthDate"] == "1955-03-01"
    assert extension["valueDateTime"] == "1955-03-01T11:30:00+00:00"
    assert clinic.about(sent, "2857-1")["effectiveDateTime"] == "2026-10-25T01:30:00+01:00"
    assert clinic.fates(sent) == [FILED]
    assert "time-ambiguous OBR[1].7" in clinic.flags(sent)
    assert clinic.goes_on(wire)


T1, T2 = "20261124050000", "20261124060000"


def test_an_order_of_somebody_else_never_moves(clinic: Hospital) -> None:
    """hostile_41"""
    wire, first = clinic.connect(), clinic.message()
    other = again(clinic, first, nhs_number=nhs_number())
    assert wire.tell(first) == first.accepted
    assert wire.tell(other) == other.refused("AE", "205", "order-other-patient", "OBR.3")
    assert set_aside(clinic, other, "order-other-patient", "OBR.3")
    assert (len(clinic.seen(first)), clinic.goes_on(wire)) == (1, True)


def test_an_older_version_that_comes_late_is_kept_and_not_applied(clinic: Hospital) -> None:
    """hostile_41"""
    wire, newer = clinic.connect(), clinic.message(issued=T2)
    older = again(clinic, newer, issued=T1, value="6.1")
    assert [wire.tell(one) for one in (newer, older)] == [newer.accepted, older.accepted]
    assert (clinic.fates(older), clinic.flags(older)) == ([FILED], ["version-older OBR.22"])
    assert [value_of(one) for one in clinic.seen(newer)] == ["7.394"]
    assert clinic.goes_on(wire)


def test_a_final_result_stays_when_a_preliminary_one_follows(clinic: Hospital) -> None:
    """hostile_41"""
    wire, final = clinic.connect(), clinic.message(issued=T1)
    back = again(clinic, final, issued=T2, status="P", value="6.1")
    assert [wire.tell(one) for one in (final, back)] == [final.accepted, back.accepted]
    assert clinic.flags(back) == ["status-backwards OBR.25"]
    assert (statuses(clinic, final), value_of(clinic.seen(final)[0])) == (
        ("final", "final"),
        "7.394",
    )
    assert clinic.goes_on(wire)


def test_a_correction_that_is_the_first_to_come_is_filed_as_corrected(clinic: Hospital) -> None:
    """hostile_41"""
    wire, sent = clinic.connect(), clinic.message(status="C")
    assert wire.tell(sent) == sent.accepted
    assert (statuses(clinic, sent), clinic.flags(sent)) == (
        ("corrected", "corrected"),
        ["correction-first OBR.25"],
    )
    assert (len(clinic.seen(sent)), clinic.goes_on(wire)) == (1, True)


def test_what_is_taken_back_and_never_came_is_filed_and_shown_to_nobody(clinic: Hospital) -> None:
    """hostile_41"""
    wire, sent = clinic.connect(), clinic.message(more="OBX|2|NM|1234-5^Other^LN||5|u|||||D\r")
    assert wire.tell(sent) == sent.accepted
    # The whole report is new: a result taken back before it came is seen by nobody.
    assert clinic.fates(sent) == [FILED]
    assert clinic.flags(sent) == ["delete-unseen OBX.11"]
    assert [value_of(one) for one in clinic.seen(sent)] == ["7.394"]
    assert clinic.goes_on(wire)


def test_a_status_alone_without_a_value_that_came_before_is_set_aside(clinic: Hospital) -> None:
    """hostile_41"""
    wire, sent = clinic.connect(), clinic.message(obx_status="U", value="")
    assert wire.tell(sent) == sent.refused("AE", "204", "value-missing", "OBX.11")
    assert set_aside(clinic, sent, "value-missing", "OBX.11")
    assert clinic.goes_on(wire)


def test_a_final_report_with_a_preliminary_result_is_released_as_preliminary(
    clinic: Hospital,
) -> None:
    """hostile_41"""
    wire, sent = clinic.connect(), clinic.message(obx_status="P")
    assert wire.tell(sent) == sent.accepted
    assert (statuses(clinic, sent), clinic.flags(sent)) == (
        ("final", "preliminary"),
        ["status-differs OBR[1].25"],
    )
    assert (clinic.seen(sent), clinic.goes_on(wire)) == ([], True)


@pytest.mark.parametrize("taken_back", ["W", "D"])
def test_a_result_taken_back_after_it_was_read_is_hidden_at_once_and_the_team_is_told(
    clinic: Hospital, taken_back: str
) -> None:
    """hostile_41"""
    wire, first = clinic.connect(), clinic.message(issued=T1)
    gone = again(clinic, first, issued=T2, status="C", obx_status=taken_back)
    assert wire.tell(first) == first.accepted
    (read,) = clinic.seen(first)
    patient = clinic.ward.as_patient(first.nhs_number)
    clinic.record.read(patient, "Observation", read["id"]).result(timeout=30)
    assert wire.tell(gone) == gone.accepted
    assert (clinic.fates(gone), statuses(clinic, first)) == ([FILED], ("entered-in-error",) * 2)
    assert clinic.seen(first) == clinic.seen(first, "DiagnosticReport") == []
    assert clinic.ward.versions(patient, read) == []
    (known,) = clinic.known(first)
    assert value_of(known) == "-"
    anybody = clinic.ward.as_clinician()
    staff = replace(anybody, grants={**anybody.grants, "Communication": frozenset(Interaction)})
    about = ("patient", clinic.ward.patient(first.nhs_number))
    (alert,) = clinic.ward.found(staff, "Communication", about, ("category", ALERT))
    (told,) = alert["payload"]
    assert told["contentString"] == "The laboratory took back PSA. It had been read by the patient."
    assert clinic.goes_on(wire)


def test_a_correction_replaces_the_value_and_the_earlier_one_stays_in_the_history(
    clinic: Hospital,
) -> None:
    """hostile_41"""
    wire, first = clinic.connect(), clinic.message(issued=T1)
    corrected = again(clinic, first, issued=T2, status="C", value="6.1")
    assert [wire.tell(one) for one in (first, corrected)] == [first.accepted, corrected.accepted]
    (result,) = clinic.seen(first)
    assert (value_of(result), result["status"]) == ("6.1", "corrected")
    versions: list[Any] = clinic.ward.versions(clinic.ward.as_patient(first.nhs_number), result)
    assert [value_of(one) for one in versions] == ["6.1", "7.394"]
    assert (clinic.flags(corrected), clinic.goes_on(wire)) == ([], True)


def test_the_same_result_twice_is_one_whatever_its_number(clinic: Hospital) -> None:
    """hostile_42"""
    line = "OBX|1|NM|2857-1^PSA^LN||7.394|ug/L|0-6.5|H|||F|||20261124083000\r"
    wire, sent = clinic.connect(), clinic.message(more=line.replace("OBX|1|", "OBX|7|"))
    restarting = clinic.message(more="OBX|1|NM|1234-5^Other^LN||5|ug/L|||||F\r")
    assert [wire.tell(one) for one in (sent, restarting)] == [sent.accepted, restarting.accepted]
    assert (clinic.flags(sent), len(clinic.seen(sent))) == (["obx-twice OBX[2]"], 1)
    assert (clinic.flags(restarting), len(clinic.seen(restarting))) == ([], 2)
    assert clinic.goes_on(wire)


def test_two_values_of_one_test_are_both_kept_and_held(clinic: Hospital) -> None:
    """hostile_42"""
    line = "OBX|2|NM|2857-1^PSA^LN||9.9|ug/L|0-6.5|H|||F|||20261124083000\r"
    wire, sent = clinic.connect(), clinic.message(more=line)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], ["obx-conflict OBX[2]"])
    assert sorted(map(value_of, clinic.known(sent))) == ["7.394", "9.9"]
    assert (clinic.seen(sent), clinic.goes_on(wire)) == ([], True)


def test_a_result_that_the_final_report_leaves_out_stays_and_is_flagged(clinic: Hospital) -> None:
    """hostile_42"""
    other = "OBX|2|NM|1234-5^Other^LN||5|ug/L|||||F\r"
    wire, first = clinic.connect(), clinic.message(status="P", issued=T1, more=other)
    final = again(clinic, first, issued=T2)
    assert [wire.tell(one) for one in (first, final)] == [first.accepted, final.accepted]
    assert clinic.flags(final) == ["result-lost OBR.25"]
    assert sorted(map(value_of, clinic.known(first))) == ["5", "7.394"]
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("place", ["OBX", "ORC[2]"])
def test_segments_out_of_order_are_set_aside(clinic: Hospital, place: str) -> None:
    """hostile_42"""
    sent, wire = clinic.message(), clinic.connect()
    if place == "OBX":
        sent = sent.changed("OBR|1", "OBX|9|NM|1^A^L||1||||||F\rOBR|1")
    else:
        sent = Sent(sent.raw + b"ORC|RE|ORD2|LAB2\r", sent.control_id, sent.nhs_number)
    assert wire.tell(sent) == sent.refused("AE", "100", "segment-order", place)
    assert set_aside(clinic, sent, "segment-order", "OBX[1]" if place == "OBX" else place)
    assert clinic.goes_on(wire)


def test_a_result_about_the_person_alone_is_kept_where_the_feed_says_so(clinic: Hospital) -> None:
    """hostile_42"""
    clinic.agree("RLEVEL", Dialect(patient_level_results=True))
    wire = clinic.connect()
    sent = clinic.message(facility="RLEVEL").changed("ORC|", "OBX|9|NM|1^A^L||1||||||F\rORC|")
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), len(clinic.known(sent))) == ([FILED], 1)
    assert clinic.goes_on(wire)


def test_one_order_control_serves_all_the_orders_after_it(clinic: Hospital) -> None:
    """hostile_42"""
    order = "OBR|2|ORDX|LABX-{}|1234-5^Other^LN|||20261124083000|{}20261124091500||CH|F\r"
    wire, number = clinic.connect(), nhs_number()
    more = order.format(number[-4:], "|" * 14) + "OBX|1|NM|1234-5^Other^LN||5|ug/L|||||F\r"
    sent = clinic.message(more=more, nhs_number=number)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), len(clinic.seen(sent, "DiagnosticReport"))) == ([FILED], 2)
    assert sorted(map(value_of, clinic.seen(sent))) == ["5", "7.394"]
    assert clinic.goes_on(wire)


def test_a_comment_before_any_order_is_kept_for_staff(clinic: Hospital) -> None:
    """hostile_42"""
    wire = clinic.connect()
    sent = clinic.message().changed("\rPID", "\rNTE|1|L|before the patient\rPID")
    sent = sent.changed("ORC|", "NTE|1|L|for the ward\rORC|")
    assert wire.tell(sent) == sent.accepted
    assert clinic.fates(sent) == [FILED]
    assert [one.split()[0] for one in clinic.flags(sent)] == ["note-unplaced"] * 2
    shown = str(clinic.seen(sent)) + str(clinic.seen(sent, "DiagnosticReport"))
    assert ("for the ward" in shown, b"for the ward" in clinic.raw(sent)) == (False, True)
    assert clinic.goes_on(wire)


def test_a_result_never_deletes_a_name(clinic: Hospital) -> None:
    """hostile_44"""
    wire, first = clinic.connect(), clinic.message()
    later = clinic.message(nhs_number=first.nhs_number, name='""')
    assert [wire.tell(one) for one in (first, later)] == [first.accepted, later.accepted]
    (patient,) = clinic.known(first, "Patient")
    assert (clinic.fates(later), patient["name"][0]["family"]) == ([FILED], "Quillfeather")
    assert clinic.goes_on(wire)


def test_nobody_is_left_without_a_name(clinic: Hospital) -> None:
    """hostile_44"""
    wire, first = clinic.connect(), clinic.message()
    nameless = clinic.message(nhs_number=first.nhs_number, name='""')
    adt = nameless.changed("ORU^R01^ORU_R01", "ADT^A08^ADT_A01")
    sent = replace(adt, raw=adt.raw.split(b"\rORC")[0] + b"\r")
    assert wire.tell(first) == first.accepted
    assert wire.tell(sent) == sent.refused("AE", "101", "name-deleted", "PID.5")
    assert clinic.fates(sent) == [("quarantined", "name-deleted", "PID.5")]
    (patient,) = clinic.known(first, "Patient")
    assert (clinic.raw(sent), patient["name"][0]["family"]) == (sent.raw, "Quillfeather")
    assert clinic.goes_on(wire)


def test_a_deleted_value_is_gone_and_its_history_stays(clinic: Hospital) -> None:
    """hostile_44"""
    wire, first = clinic.connect(), clinic.message(issued=T1)
    gone = again(clinic, first, issued=T2, status="C", value='""')
    assert [wire.tell(one) for one in (first, gone)] == [first.accepted, gone.accepted]
    assert (clinic.fates(gone), clinic.flags(gone)) == ([FILED], ["value-deleted OBX[1].5"])
    (result,) = clinic.seen(first)
    assert (value_of(result), "dataAbsentReason" in result) == ("-", True)
    versions: list[Any] = clinic.ward.versions(clinic.ward.as_clinician(), result)
    assert [value_of(one) for one in versions] == ["-", "7.394"]
    assert clinic.goes_on(wire)


def test_a_message_of_its_head_alone_is_set_aside(clinic: Hospital) -> None:
    """hostile_44"""
    sent, wire = clinic.message(), clinic.connect()
    sent = Sent(sent.raw.split(b"\r")[0] + b"\r", sent.control_id, sent.nhs_number)
    assert wire.tell(sent) == sent.refused("AE", "100", "message-empty", "PID")
    assert set_aside(clinic, sent, "message-empty", "PID")
    assert clinic.goes_on(wire)
