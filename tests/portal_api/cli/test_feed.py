"""`portal-fhir feed …` beside a running portal, and alone: agree, send, trace, mend, run again."""

from collections.abc import Callable

import pytest

from tests.faults.program import Program
from tests.portal_api.cli.results import psa

Done = Callable[..., str]
Written = Callable[[str, str], str]

AGREEMENT = """
name = "lims"
sources = ["127.0.0.0/8"]
sending_application = "LIMS"
sending_facility = "RXX"
receiving_application = "PORTAL"
receiving_facility = "CMCA"
contact = "the clinic"
"""


def test_a_message_is_sent_answered_and_found_by_its_numbers(
    running: Program, done: Done, written: Written
) -> None:
    good = written("good.hl7", psa(1) + psa(2))
    said = done("send", good, "--to", f"127.0.0.1:{running.mllp}")
    assert [said.count(f"MSA|AA|M{n}") for n in (1, 2)] == [1, 1]
    for key in ("M1", "LAB1", "ORD1"):
        found = done("trace", key)
        assert "message M1 of feed loopback from 127.0.0.1" in found
        assert "fate filed" in found
        assert "made: Observation/" in found
        assert "    OBX|1|NM|2857-1^PSA^LN||5.10|ug/L" in found
        assert "    MSA|AA|M1" in found
    assert "No message has" in done("trace", "M3", status=1)
    assert done("index").strip() == "0 keys were added."


@pytest.mark.usefixtures("running")
def test_a_refusal_ends_in_status_one_and_can_be_mended(done: Done, written: Written) -> None:
    # The running portal's own address is the default.
    bad = written("bad.hl7", psa(1).replace("19550301", "01/03/1955"))
    assert "|date-bad^^L|" in done("send", bad, status=1)
    waiting = done("errors")
    assert [word in waiting for word in ("M1", "quarantined", "date-bad", "PID.7")] == [True] * 4
    assert "quarantined date-bad PID.7" in done("retry", "M1", status=1)
    assert "No message" in done("retry", "M2", status=1)
    loopback = AGREEMENT.replace("lims", "loopback") + "[dialect]\nday_first = true\n"
    added = done("add", written("loopback.toml", loopback))
    assert "Agreed on the feed loopback." in added
    assert "message M1 of feed loopback: filed" in done("retry", "M1")
    assert "filed" in done("retry", "M1")
    assert "M1" not in done("errors")


def test_a_running_listener_takes_a_change_at_once(
    running: Program, done: Done, written: Written
) -> None:
    good = written("good.hl7", psa(1))
    to = ("--to", f"127.0.0.1:{running.mllp}")
    done("add", written("lims.toml", AGREEMENT.replace('"RXX"', '"RYY"')))
    assert "MSA|AR|M1" in done("send", good, *to, status=1)
    done("add", written("lims.toml", AGREEMENT))
    assert "MSA|AA|M1" in done("send", good, *to)
    done("end", "lims")
    assert "message M2 of feed loopback" in done("send", written("next.hl7", psa(2)), *to) + done(
        "trace", "M2"
    )


def test_where_nobody_listens_the_address_is_named(
    program: Program, done: Done, written: Written
) -> None:
    good = written("good.hl7", psa(1))
    said = done("send", good, status=2)
    assert f"127.0.0.1:{program.mllp} can't be sent to" in said
    assert "host:port" in done("send", good, "--to", "nonsense", status=2)
