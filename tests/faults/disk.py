"""A disk that can lose its power, fail and fill up: a mounted `tests.faults.forgetfs`."""

import errno
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.forgetfs import CONTROL
from tests.faults.program import PROJECT

PATIENCE = 60.0
"""Seconds that mounting may take on a busy machine."""


class NoDisk(Exception):
    """Nothing can be mounted here; the text says what that needs."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted file system that forgets what was not synced."""

    path: Path

    def cut(self) -> list[str]:
        """Cut the power: forget all un-synced bytes; return the names of the files that lost some.

        Kill the processes that write to the disk first; a survivor would write on after the cut.
        """
        self._do("cut")
        return (self.path / CONTROL[1:]).read_text().splitlines()

    def keep(self) -> None:
        """Make durable all that is there."""
        self._do("keep")

    def fail(self, syncs: int) -> None:
        """Fail so many of the next syncs, and never make durable what they were for."""
        self._do(f"fail {syncs}")

    def shrink(self, room: int) -> None:
        """Have room for so many bytes in all."""
        self._do(f"room {room}")

    def _do(self, words: str) -> None:
        (self.path / CONTROL[1:]).write_text(words)


@contextmanager
def mounted(path: Path) -> Iterator[Disk]:
    """Mount a forgetting file system at *path*, made if absent, and take it down after.

    Raises NoDisk where that can't be done here.
    """
    if path.is_mount():
        raise FileExistsError(errno.EEXIST, "something is mounted there already", str(path))
    path.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.forgetfs", str(path)], cwd=PROJECT
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not path.is_mount():
            if server.poll() is not None or time.monotonic() > deadline:
                raise NoDisk(
                    f"Nothing can be mounted at {path}: it needs /dev/fuse, the Debian package "
                    "fuse3, and the development requirements."
                )
            time.sleep(0.01)
        yield Disk(path)
    finally:
        if path.is_mount():
            # -z: even where a file is still open
            subprocess.run(["fusermount3", "-u", "-z", str(path)], check=False)
        try:
            server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
