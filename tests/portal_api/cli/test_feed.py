"""`portal-fhir feed …` beside a running portal, and alone: agree, send, trace, mend, run again."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal_api.cli.main import main
from tests.faults.program import Program
from tests.portal_api.cli.results import psa

Done = Callable[..., str]

AGREEMENT = """
name = "lims"
sources = ["127.0.0.0/8"]
sending_application = "LIMS"
sending_facility = "RXX"
receiving_application = "PORTAL"
receiving_facility = "CMCA"
contact = "the clinic"
"""


@pytest.fixture
def program(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """A portal that is not running yet; commands of this process see its settings."""
    one = Program(sqlite_url, tmp_path)
    for name, value in one._environment.items():
        monkeypatch.setenv(name, value)
    yield one
    one.close()


@pytest.fixture
def running(program: Program) -> Program:
    """A portal that runs."""
    program.start()
    return program


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Done:
    """Run `portal-fhir feed …` and return what it said, having ended with *status*."""

    def run(*words: str, status: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["portal-fhir", "feed", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert ended.value.code == status, out + err
        return out + err

    return run


def written(tmp_path: Path, name: str, content: str) -> str:
    path = tmp_path / name
    path.write_bytes(content.encode())
    return str(path)


def test_a_message_is_sent_answered_and_found_by_its_numbers(
    running: Program, done: Done, tmp_path: Path
) -> None:
    good = written(tmp_path, "good.hl7", psa(1) + psa(2))
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


@pytest.mark.usefixtures("running")
def test_a_refusal_ends_in_status_one_and_can_be_mended(done: Done, tmp_path: Path) -> None:
    # The running portal's own address is the default.
    bad = written(tmp_path, "bad.hl7", psa(1).replace("19550301", "01/03/1955"))
    assert "|date-bad^^L|" in done("send", bad, status=1)
    waiting = done("errors")
    assert [word in waiting for word in ("M1", "quarantined", "date-bad", "PID.7")] == [True] * 4
    assert "quarantined date-bad PID.7" in done("retry", "M1", status=1)
    assert "No message" in done("retry", "M2", status=1)
    loopback = AGREEMENT.replace("lims", "loopback") + "[dialect]\nday_first = true\n"
    added = done("add", written(tmp_path, "loopback.toml", loopback))
    assert "Agreed on the feed loopback." in added
    assert "message M1 of feed loopback: filed" in done("retry", "M1")
    assert "filed" in done("retry", "M1")
    assert "M1" not in done("errors")


@pytest.mark.usefixtures("program")
def test_feeds_are_agreed_on_listed_and_ended(done: Done, tmp_path: Path) -> None:
    added = done("add", written(tmp_path, "lims.toml", AGREEMENT))
    assert "Agreed on the feed lims." in added
    listed = done("list")
    assert [word in listed for word in ("lims", "LIMS RXX", "PORTAL CMCA", "live")] == [True] * 4
    wrong = written(tmp_path, "wrong.toml", AGREEMENT + 'control_ids = "weekly"\n')
    assert "control_ids: it is one of forever, day, never." in done("add", wrong, status=2)
    nonsense = written(tmp_path, "nonsense.toml", "name = ")
    assert "The feed can't be used" in done("add", nonsense, status=2)
    good = written(tmp_path, "good.hl7", psa(1))
    shown = done("convert", "--feed", "lims", good)
    assert "message 1: AA" in shown
    assert "there is no feed nobody" in done("convert", "--feed", "nobody", good, status=2).replace(
        "\n", " "
    )
    assert "has ended" in done("end", "lims")
    assert "There is no feed lims." in done("end", "lims", status=1)


def test_a_running_listener_takes_a_change_at_once(
    running: Program, done: Done, tmp_path: Path
) -> None:
    good = written(tmp_path, "good.hl7", psa(1))
    to = ("--to", f"127.0.0.1:{running.mllp}")
    done("add", written(tmp_path, "lims.toml", AGREEMENT.replace('"RXX"', '"RYY"')))
    assert "MSA|AR|M1" in done("send", good, *to, status=1)
    done("add", written(tmp_path, "lims.toml", AGREEMENT))
    assert "MSA|AA|M1" in done("send", good, *to)
    done("end", "lims")
    assert "message M2 of feed loopback" in done(
        "send", written(tmp_path, "next.hl7", psa(2)), *to
    ) + done("trace", "M2")


@pytest.mark.usefixtures("running")
def test_a_code_gets_its_meaning_by_the_name_on_the_list(done: Done, tmp_path: Path) -> None:
    local = psa(1).replace("2857-1^PSA^LN", "PSA9^PSA^L")
    done("send", written(tmp_path, "local.hl7", local))
    meaning = "http://loinc.org|2857-1"
    assert "no message yet" in done("map", "loopback", "NONE", meaning, status=2)
    assert "LOINC" in done("map", "loopback", "PSA9", "urn:x|1", status=2).upper()
    said = done("map", "loopback", "PSA9", meaning, "--display", "PSA")
    assert "PSA9 of loopback means http://loinc.org|2857-1 from now on." in said


def test_where_nobody_listens_the_address_is_named(
    program: Program, done: Done, tmp_path: Path
) -> None:
    good = written(tmp_path, "good.hl7", psa(1))
    said = done("send", good, status=2)
    assert f"127.0.0.1:{program.mllp} can't be sent to" in said
    assert "host:port" in done("send", good, "--to", "nonsense", status=2)
