"""The file system that forgets: what was synced stays, what was not goes with the power."""

import errno
import os

import pytest

from tests.faults.forgetfs import CONTROL, ForgettingFileSystem

HANDLE, SYNCED_HANDLE = 0, 1


@pytest.fixture
def disk() -> ForgettingFileSystem:
    made = ForgettingFileSystem(lambda: (0, 0, 0))
    made.create("/log", 0o600, os.O_RDWR)
    return made


def test_a_cut_forgets_what_was_not_synced(disk: ForgettingFileSystem) -> None:
    disk.write("/log", b"kept", 0, HANDLE)
    disk.fsync("/log", 1, HANDLE)
    disk.write("/log", b"lost!", 2, HANDLE)
    assert disk.read("/log", 100, 0, HANDLE) == b"kelost!"
    disk.write(CONTROL, b"cut", 0, HANDLE)
    assert disk.read("/log", 100, 0, HANDLE) == b"kept"
    assert disk.read(CONTROL, 100, 0, HANDLE) == b"log\n"


def test_a_write_through_a_synchronous_handle_is_kept(disk: ForgettingFileSystem) -> None:
    disk.write("/log", b"kept", 0, SYNCED_HANDLE)
    disk.cut()
    assert disk.read("/log", 100, 0, HANDLE) == b"kept"


def test_what_is_kept_by_hand_survives_a_cut(disk: ForgettingFileSystem) -> None:
    disk.write("/log", b"kept", 0, HANDLE)
    disk.write(CONTROL, b"keep", 0, HANDLE)
    disk.cut()
    assert disk.read("/log", 100, 0, HANDLE) == b"kept"


def test_what_a_failed_sync_was_for_is_never_kept(disk: ForgettingFileSystem) -> None:
    disk.write("/log", b"lost", 0, HANDLE)
    disk.write(CONTROL, b"fail 1", 0, HANDLE)
    with pytest.raises(OSError, match="the disk failed") as failed:
        disk.fsync("/log", 1, HANDLE)
    assert failed.value.errno == errno.EIO
    disk.fsync("/log", 1, HANDLE)  # a retry falsely succeeds
    assert disk.read("/log", 100, 0, HANDLE) == b"lost"
    disk.cut()
    assert disk.read("/log", 100, 0, HANDLE) == b"\0\0\0\0"


def test_a_full_disk_takes_what_was_there_and_no_more(disk: ForgettingFileSystem) -> None:
    disk.write("/log", b"four", 0, HANDLE)
    disk.write(CONTROL, b"room 4", 0, HANDLE)
    disk.write("/log", b"FOUR", 0, HANDLE)
    with pytest.raises(OSError, match="the disk is full") as full:
        disk.write("/log", b"five!", 0, HANDLE)
    assert full.value.errno == errno.ENOSPC
    assert disk.read("/log", 100, 0, HANDLE) == b"FOUR"
