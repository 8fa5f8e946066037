"""`portal-fhir` as a process of its own, to be stopped, killed and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from portal_api.demo.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0
"""Seconds that a start or an end may take on a busy machine."""


@dataclass(frozen=True, slots=True)
class Kiln:
    """A warm process, out of which programs come ready: see `tests.faults.warm`."""

    socket: Path

    def fork(self, request: dict[str, object]) -> IO[bytes]:
        """Start a program; return what it says, line by line."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self.socket))
            connection.sendall(json.dumps(request).encode() + b"\n")
            return connection.makefile("rb")


@contextmanager
def kiln() -> Iterator[Kiln]:
    """Warm a process up; end it, and all that came out of it, after."""
    with TemporaryDirectory(prefix="portal-warm-") as folder:
        path = Path(folder) / "socket"
        warm = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.warm", path],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        assert warm.stdin is not None
        try:
            deadline = time.monotonic() + PATIENCE
            while not path.exists():
                assert warm.poll() is None, "the warm process ended"
                assert time.monotonic() < deadline, "the warm process is not ready"
                time.sleep(0.01)
            yield Kiln(path)
        finally:
            warm.stdin.close()
            warm.wait(PATIENCE)


class Program:
    """One portal's database, folder and ports; started, it is a process.

    *before* is Python that runs ahead of the program, to break it on purpose. What the process
    writes to stderr stands in `log` in *folder*; its own folder is *data_dir*, or beside that.
    """

    def __init__(
        self,
        kiln: Kiln,
        database_url: str,
        folder: Path,
        *,
        before: str = "",
        data_dir: Path | None = None,
    ) -> None:
        self.database_url = database_url
        self.http, self.mllp = free_port(), free_port()
        self.before = before
        self._kiln = kiln
        self._log = folder / "log"
        self._environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")},
            "PORTAL_DATABASE_URL": database_url,
            "PORTAL_DATA_DIR": str(data_dir or folder / "var"),
            "PORTAL_HTTP_ADDRESS": f"127.0.0.1:{self.http}",
            "PORTAL_MLLP_ADDRESS": f"127.0.0.1:{self.mllp}",
            "PORTAL_PUBLIC_URL": f"http://127.0.0.1:{self.http}",
        }
        self._said: IO[bytes] | None = None
        self._pid = 0

    def start(self) -> None:
        """Run the portal, and return when its doors are open."""
        self._fork("run")
        assert self._said is not None
        assert any(line.startswith(b"MLLP on") for line in self._said), self._log.read_text()

    def kill(self) -> None:
        """End the process as a loss of power to it would: nothing more of it runs."""
        os.kill(self._pid, signal.SIGKILL)
        self.ended()

    def ask_to_stop(self) -> None:
        """Ask the process to stop, as a supervisor does."""
        os.kill(self._pid, signal.SIGTERM)

    def ended(self) -> int:
        """Return the exit status, once the process has ended."""
        assert self._said is not None
        with self._said as said:
            status = next(line for line in said if line.startswith(b"ended "))
        self._said = None
        return int(status.split()[1])

    def close(self) -> None:
        """End what still runs."""
        if self._said is not None:
            self.kill()

    def verify(self) -> str:
        """Return what `portal-fhir audit verify` finds wrong with the ledger; empty for nothing."""
        self._fork("audit", "verify")
        assert self._said is not None
        with self._said as said:
            *lines, last = said
        self._said = None
        return "" if last == b"ended 0\n" else b"".join(lines).decode()

    def _fork(self, *arguments: str) -> None:
        self._said = self._kiln.fork(
            {
                "arguments": arguments,
                "environment": self._environment,
                "before": self.before if arguments == ("run",) else "",
                "log": str(self._log),
            }
        )
        self._pid = int(self._said.readline().split()[1])
