"""A watched folder: which files are complete, and that no crash loses or doubles one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.intake import drop_folder
from adapters.intake.drop_folder import (
    InUse,
    Seen,
    claim,
    claimed,
    complete,
    look,
    put_away,
    watched,
)


class Crash(BaseException):
    """The process is gone."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with watched(tmp_path):
        pass
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_a_file_is_complete_once_it_has_not_changed_for_a_while(folder: Path) -> None:
    file = folder / "a.hl7"
    file.write_bytes(b"MSH|\r")
    seen = look(folder, {}, 100.0)
    assert complete(seen, 5, 104.9) == []
    with file.open("ab") as more:
        more.write(b"PID|\r")
    seen = look(folder, seen, 104.0)
    assert complete(seen, 5, 108.9) == []
    seen = look(folder, seen, 109.0)
    assert names(complete(seen, 5, 109.0)) == ["a.hl7"]


def test_a_file_whose_last_segment_does_not_end_has_to_rest_longer(folder: Path) -> None:
    (folder / "a.hl7").write_bytes(b"MSH|\rPID|1||99")
    (folder / "empty.hl7").touch()
    seen = look(folder, {}, 0.0)
    assert complete(seen, 5, 59.9) == []
    assert names(complete(seen, 5, 60.0)) == ["a.hl7", "empty.hl7"]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\x1c\r", b"\x1c"])
def test_what_is_renamed_into_place_is_taken_at_once(folder: Path, end: bytes) -> None:
    half = folder / "a.hl7.tmp"
    half.write_bytes(b"MSH|" + end)
    assert look(folder, {}, 0.0) == {}
    half.rename(folder / "a.hl7")
    assert names(complete(look(folder, {}, 0.0), 0, 0.0)) == ["a.hl7"]


@pytest.mark.parametrize("name", [".hidden", "a.tmp", "a.PART", "a.filepart", "a.hl7.ack"])
def test_what_is_still_being_written_by_its_name_is_left_alone(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"MSH|\r")
    assert look(folder, {}, 0.0) == {}


def test_folders_and_links_are_no_files(folder: Path, tmp_path: Path) -> None:
    (folder / "more").mkdir()
    outside = tmp_path / ".outside"
    outside.write_bytes(b"MSH|\r")
    (folder / "link.hl7").symlink_to(outside)
    assert look(folder, {}, 0.0) == {}


def test_files_are_taken_in_the_order_in_which_they_were_written(folder: Path) -> None:
    for name, moment in (("c", 1), ("a", 2), ("b", 2)):
        (folder / name).write_bytes(b"MSH|\r")
        os.utime(folder / name, (moment, moment))
    assert names(complete(look(folder, {}, 0.0), 0, 0.0)) == ["c", "a", "b"]


def test_one_folder_is_watched_by_one(folder: Path) -> None:
    with watched(folder), pytest.raises(InUse, match=r"watches .* already"), watched(folder):
        pass


def test_answers_lie_beside_the_file_and_namesakes_beside_each_other(folder: Path) -> None:
    for content, is_taken in ((b"1\r", True), (b"2\r", True), (b"3\r", False)):
        (folder / "a.hl7").write_bytes(content)
        put_away(folder, claim(folder, folder / "a.hl7"), b"ACK " + content, is_taken=is_taken)
    done = {path.name: path.read_bytes() for path in (folder / "done").iterdir()}
    twin = next(name for name in done if name not in {"a.hl7", "a.hl7.ack"} and name[-1] == "7")
    assert done == {
        "a.hl7": b"1\r",
        "a.hl7.ack": b"ACK 1\r",
        twin: b"2\r",
        f"{twin}.ack": b"ACK 2\r",
    }
    failed = {path.name: path.read_bytes() for path in (folder / "failed").iterdir()}
    assert failed == {"a.hl7": b"3\r", "a.hl7.ack": b"ACK 3\r"}


def crashing_at(step: int, act: Callable[..., Any], count: list[int]) -> Callable[..., Any]:
    """Do *act*, but crash instead of the *step*-th thing that is done, and after the one before."""

    def done(*words: Any, **named: Any) -> Any:
        count[0] += 1
        if count[0] == step:
            raise Crash
        return act(*words, **named)

    return done


def taken(folder: Path, handed_in: list[bytes]) -> None:
    """Do what the command does with a folder, once."""
    for path in claimed(folder):
        handed_in.append(path.read_bytes())
        put_away(folder, path, b"ACK", is_taken=True)
    for path in complete(look(folder, {}, 0.0), 0, 0.0):
        mine = claim(folder, path)
        handed_in.append(mine.read_bytes())
        put_away(folder, mine, b"ACK", is_taken=True)


@pytest.mark.parametrize("step", range(1, 12))
def test_a_crash_anywhere_loses_no_file_and_leaves_none_without_its_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    (folder / "a.hl7").write_bytes(b"MSH|1\r")
    (folder / "b.hl7").write_bytes(b"MSH|2\r")
    handed_in: list[bytes] = []
    count = [0]
    with monkeypatch.context() as patch:
        for owner, name in ((Path, "replace"), (drop_folder.os, "fsync")):
            patch.setattr(owner, name, crashing_at(step, getattr(owner, name), count))
        with pytest.raises(Crash):
            taken(folder, handed_in)
    for path in (folder / "done").iterdir():
        if path.suffix == ".hl7":
            assert path.with_name(f"{path.name}.ack").read_bytes() == b"ACK"
    taken(folder, handed_in)
    assert set(handed_in) == {b"MSH|1\r", b"MSH|2\r"}
    done = sorted(path.name for path in (folder / "done").iterdir() if path.name[0] != ".")
    assert done == ["a.hl7", "a.hl7.ack", "b.hl7", "b.hl7.ack"]
    assert claimed(folder) == []
    assert look(folder, {}, 0.0) == {}


def test_what_is_seen_is_what_was_seen(folder: Path) -> None:
    (folder / "a.hl7").write_bytes(b"MSH|\r")
    seen = look(folder, {}, 1.0)
    assert [isinstance(one, Seen) and one.since for one in look(folder, seen, 9.0).values()] == [
        1.0
    ]


@pytest.mark.parametrize(
    "name", [b"B\xf6hm.hl7", b"a\nb\x1b[2J.hl7", b"x" * 251 + b".hl7", "ä".encode() * 120 + b".hl7"]
)
def test_a_file_with_an_odd_name_is_taken_under_a_plain_one(folder: Path, name: bytes) -> None:
    odd = Path(os.fsdecode(bytes(folder) + b"/" + name))
    odd.write_bytes(b"MSH|\r")
    (ready,) = complete(look(folder, {}, 0.0), 0, 0.0)
    taken = claim(folder, ready)
    assert (taken.name.isprintable(), taken.suffix) == (True, ".hl7")
    assert len(taken.name.encode()) <= 200
    away = put_away(folder, taken, b"MSA|AA|1\r", is_taken=True)
    assert away.read_bytes() == b"MSH|\r"
    assert away.with_name(f"{away.name}.ack").read_bytes() == b"MSA|AA|1\r"
