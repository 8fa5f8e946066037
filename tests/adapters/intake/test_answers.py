"""The answers that a sender asks for, in original and in enhanced mode."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from adapters.hl7v2.header import glimpse
from adapters.intake.feeds import LOOPBACK
from adapters.intake.reception import busy
from fhir_server.clock import now
from tests.adapters.intake.ward import Ward, answer_of


def codes(raw: bytes) -> list[str]:
    return [line[4:6].decode() for line in raw.split(b"\r") if line.startswith(b"MSA|")]


@pytest.mark.parametrize(
    ("wants", "taken", "aside", "refused"),
    [
        ("", ["AA"], ["AE"], ["AR"]),
        ("AL|AL", ["CA", "AA"], ["CA", "AE"], ["CR"]),
        ("AL|NE", ["CA"], ["CA"], ["CR"]),
        ("NE|AL", ["AA"], ["AE"], ["AR"]),
        ("NE|NE", [], [], []),
        ("ER|ER", [], ["AE"], ["CR"]),
        ("AL|ER", ["CA"], ["CA", "AE"], ["CR"]),
        ("AL|SU", ["CA", "AA"], ["CA"], ["CR"]),
    ],
)
def test_a_sender_gets_the_answers_that_it_asks_for(
    ward: Ward, wants: str, taken: list[str], aside: list[str], refused: list[str]
) -> None:
    assert codes(ward.raw(ward.message(control_id="A", wants=wants))) == taken
    bad = ward.message(control_id="B", wants=wants, birth_date="10660101")
    assert codes(ward.raw(bad)) == aside
    other = ward.message(control_id="C", wants=wants).replace("ORU^R01^ORU_R01", "ADT^A24")
    assert codes(ward.raw(other)) == refused
    assert [ward.fate(one)[0] for one in "ABC"] == ["filed", "quarantined", "refused"]


def test_a_sender_whose_queue_would_stop_on_an_error_is_told_that_we_have_it(ward: Ward) -> None:
    feed = replace(LOOPBACK, quarantine_ack="AA")
    for control_id, wants, expected in (("A", "", ["AA"]), ("B", "AL|AL", ["CA", "AA"])):
        bad = ward.message(control_id=control_id, wants=wants, birth_date="10660101")
        assert codes(ward.raw(bad, feed)) == expected
        assert ward.fate(control_id)[:3] == ("quarantined", "date-bad", "PID.7")
    again = ward.message(control_id="A", birth_date="10660101", value="8")
    assert codes(ward.raw(again, feed)) == ["AE"]
    other = ward.message(control_id="C").replace("ORU^R01^ORU_R01", "ACK")
    assert codes(ward.raw(other, feed)) == ["AR"]


def test_the_answers_of_enhanced_mode_come_again_byte_for_byte(ward: Ward) -> None:
    first = ward.raw(ward.message(wants="AL|AL"))
    assert ward.raw(ward.message(wants="AL|AL")) == first


def test_a_control_id_used_again_is_not_accepted(ward: Ward) -> None:
    ward.raw(ward.message(wants="AL|AL"))
    assert codes(ward.raw(ward.message(wants="AL|AL", value="8"))) == ["CE"]


def test_an_order_of_another_person_is_accepted_and_then_set_aside(ward: Ward) -> None:
    ward.raw(ward.message(wants="AL|AL"))
    other = ward.message(control_id="B", wants="AL|AL", nhs_number="9990000026")
    assert codes(ward.raw(other)) == ["CA", "AE"]


def test_an_answer_speaks_as_the_sender_does_and_knows_nothing_of_the_patient(ward: Ward) -> None:
    bad = ward.message(birth_date="10660101")
    raw = ward.raw(bad)
    assert raw.startswith(b"MSH|^~\\&|PORTAL|CMCA|LIMS|RXX|")
    assert b"|ACK^R01^ACK|" in raw
    for private in (b"Example", b"9990000018", b"1066", b"7.3"):
        assert private not in raw


def test_who_can_not_be_served_is_told_the_time_and_to_send_again() -> None:
    moment = now()
    header = glimpse(b"MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|20261124||ORU^R01|M1|P|2.5.1")
    (answer,) = busy(header, moment)
    assert answer_of(answer).fault == ("AR", "207", "busy", "MSH.10")
    assert answer.split(b"|")[6] == moment.strftime("%Y%m%d%H%M%S%z").encode()


def test_a_fault_of_ours_keeps_the_message_and_the_feed_goes_on(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("9990000018 Example")

    with monkeypatch.context() as patch:
        patch.setattr("adapters.intake.reading.convert", broken)
        assert ward.psa(control_id="A").fault == ("AE", "207", "fault", "MSH.9")
    with monkeypatch.context() as patch:
        patch.setattr("adapters.intake.results.file_group", broken)
        assert ward.psa(control_id="B").fault == ("AE", "207", "fault", "MSH.9")
    assert [ward.fate(one)[0] for one in "AB"] == ["quarantined", "quarantined"]
    assert "Example" not in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert ward.psa(control_id="C").code == "AA"


def test_a_row_that_is_there_already_does_not_block_the_feed(ward: Ward) -> None:
    """What the schema refuses is refused again each time: it must not be sent for ever."""
    with ward.record.engines.writer.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX planted ON report_standing (status)"))
    assert ward.psa(control_id="A").code == "AA"
    answer = ward.psa(control_id="B", filler="LAB2")
    assert (answer.fault, ward.fate("B")[0]) == (("AE", "207", "fault", "MSH.9"), "quarantined")
    assert ward.values() == ["7.3"]
