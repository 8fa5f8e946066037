"""Where there is no memory for the tests' files, or too little, they are on the disk."""

from pathlib import Path

import pytest

from tests import memory


def test_files_are_in_memory_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SHARED", tmp_path)
    monkeypatch.setattr(memory, "ENOUGH", 1)
    assert memory.folder() == tmp_path


def test_files_are_on_the_disk_where_there_is_no_memory_or_too_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SHARED", tmp_path)
    monkeypatch.setattr(memory, "ENOUGH", 2**70)
    assert memory.folder() is None
    monkeypatch.setattr(memory, "SHARED", tmp_path / "nowhere")
    monkeypatch.setattr(memory, "ENOUGH", 1)
    assert memory.folder() is None
