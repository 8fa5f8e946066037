"""A full disk: messages are asked for again, reads are refused, and it goes on by itself."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import event

from adapters.intake import reception
from adapters.intake.feeds import LOOPBACK
from adapters.intake.reception import receive
from fhir_server.access import Access, Agent, Interaction, WholeStore
from fhir_server.errors import Unavailable
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id
from fhir_server.record import Record
from fhir_server.store.engine import Engines, open_engines
from tests.faults import mutants
from tests.faults.hospital import Sent, messages, nhs_numbers
from tests.faults.reckoning import findings

ROOM, DISK = 2 * 1024 * 1024, 4 * 1024 * 1024
"""Bytes that a limited database may have, and those of a small disk, with the log."""
READER = Access(
    Agent("client"), "r", WholeStore(), {"Patient": frozenset(Interaction)}, bound_by_release=False
)


def answered(record: Record, sent: Sent) -> bytes:
    return b"".join(receive(record, (LOOPBACK,), sent.raw, "127.0.0.1").result(timeout=30))


def filled(record: Record, sent: list[Sent]) -> list[str]:
    """Send until a message is asked for again; return what was acknowledged before."""
    acknowledged: list[str] = []
    for one in sent:
        answer = answered(record, one)
        if b"MSA|AA" not in answer:
            assert b"MSA|AR|" + one.control_id.encode() in answer
            assert b"ERR|" in answer
            assert b"|207^" in answer
            return acknowledged
        acknowledged.append(one.control_id)
    raise AssertionError("the disk had room for everything")


def read_patient(record: Record) -> bytes:
    number = next(nhs_numbers())
    return (
        record.read(READER, "Patient", derived_id(record.id_key, "Patient", NHS_NUMBER, number))
        .result(timeout=30)
        .body
    )


def through_a_full_disk(url: str, record: Record, widen: Callable[[], None]) -> None:
    sent = messages(2000)
    by_id = {one.control_id: one for one in sent}
    acknowledged = filled(record, sent)
    assert len(acknowledged) > 20
    while True:  # what is smaller may still fit; in the end nothing does
        try:
            assert read_patient(record)
        except Unavailable:
            break
    assert findings(url, by_id, acknowledged) == []
    widen()
    assert read_patient(record)
    rest = sent[len(acknowledged) : len(acknowledged) + 100]
    acknowledged += [one.control_id for one in rest if b"MSA|AA" in answered(record, one)]
    assert findings(url, by_id, acknowledged) == []
    assert acknowledged == [one.control_id for one in sent[: len(acknowledged)]]


@dataclass(frozen=True, slots=True)
class Narrow:
    """A database with little room, and how it gets more."""

    url: str
    engines: Engines
    widen: Callable[[], None]


@pytest.fixture(params=["limit", "disk"])
def narrow(request: pytest.FixtureRequest, tmp_path: Path, sqlite_url: str) -> Iterator[Narrow]:
    """A database under a limit of its own; then, where we may make one, on a disk that is small."""
    small = tmp_path / "small"
    small.mkdir()
    if request.param == "disk" and _mounted(small, f"size={DISK}"):
        url = f"sqlite:///{shutil.copy(sqlite_url.removeprefix('sqlite:///'), small)}"
        yield Narrow(url, open_engines(url), lambda: _grow(small))
        subprocess.run(["umount", small], check=True)
        return
    engines, pages = open_engines(sqlite_url), [ROOM // 4096]
    event.listen(engines.writer, "connect", lambda made, _: _limit(made, pages[0]))

    def widen() -> None:
        pages[0] *= 20
        engines.writer.dispose()

    yield Narrow(sqlite_url, engines, widen)


def _mounted(folder: Path, options: str) -> bool:
    command: list[str | Path] = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    return os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0


def _grow(small: Path) -> None:
    assert _mounted(small, f"remount,size={DISK * 20}")


def _limit(connection: sqlite3.Connection, pages: int) -> None:
    connection.execute(f"PRAGMA max_page_count={pages}").close()


@pytest.mark.parametrize("narrow", ["limit"], indirect=True)
def test_an_answer_of_success_on_a_full_disk_is_noticed(
    narrow: Narrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("busy", "_busy"):  # to be put back
        monkeypatch.setattr(reception, name, getattr(reception, name, None), raising=False)
    mutants.acknowledge_what_was_not_kept()
    record, sent = Record(narrow.engines), messages(200)
    try:
        acknowledged = [one.control_id for one in sent if b"MSA|AA" in answered(record, one)]
        found = findings(narrow.url, {one.control_id: one for one in sent}, acknowledged)
    finally:
        record.close()
    assert [one for one in found if one.kind == "lost"]


def test_a_full_disk_costs_no_message_and_no_restart(narrow: Narrow) -> None:
    record = Record(narrow.engines)
    try:
        through_a_full_disk(narrow.url, record, narrow.widen)
    finally:
        record.close()
