"""`portal-fhir` as whoever runs a site has it: started in a folder, with settings, in no time.

The programs come out of a warm process (`tests.faults.warm`), which has read them already.
"""

import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.faults.program import Kiln

_SCRIPT = """#!{python} -S
import json, os, socket, sys

asked = {{
    "arguments": sys.argv[1:],
    "environment": dict(os.environ),
    "before": f"import os; os.chdir({{os.getcwd()!r}})",
    "log": f"{log}.{{os.getpid()}}",
}}
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect("{socket}")
    connection.sendall(json.dumps(asked).encode() + b"\\n")
    for line in connection.makefile("rb"):
        if line.startswith(b"ended "):
            sys.stderr.write(open(asked["log"]).read())
            sys.exit(int(line.split()[1]))
        if not line.startswith(b"pid "):
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
"""


@dataclass(frozen=True, slots=True)
class Process:
    """A program that runs, and what it says; once this is let go, nobody hears what it says."""

    pid: int
    said: IO[bytes]
    log: Path

    def until(self, beginning: bytes) -> None:
        """Wait for a line that begins so."""
        assert any(line.startswith(beginning) for line in self.said), self.log.read_text()

    def kill(self) -> None:
        """End it as a loss of power to it would, and wait for that."""
        os.kill(self.pid, signal.SIGKILL)
        self.until(b"ended ")

    def ended(self) -> tuple[int, str]:
        """Wait for its end; return its status, and what it said and complained of."""
        *lines, last = self.said
        return int(last.split()[1]), b"".join(lines).decode() + self.log.read_text()


def begun(kiln: Kiln, words: tuple[str, ...], folder: Path, settings: dict[str, str]) -> Process:
    """Begin `portal-fhir` with *words* in *folder*."""
    log = folder / f"log-{len(list(folder.glob('log-*')))}"
    asked = {
        "arguments": words,
        "environment": settings,
        "before": f"import os; os.chdir({str(folder)!r})",
        "log": str(log),
    }
    said = kiln.fork(asked)
    return Process(int(said.readline().split()[1]), said, log)


def install(kiln: Kiln, folder: Path) -> None:
    """Put a `portal-fhir` into *folder* that comes out of the warm process."""
    script = folder / "portal-fhir"
    text = _SCRIPT.format(python=sys.executable, socket=kiln.socket, log=folder / "log")
    script.write_text(text)
    script.chmod(0o755)


def environment(**settings: str) -> dict[str, str]:
    """Return an environment with *settings*, ports of its own, and none of another portal's."""
    named = {name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")}
    return named | {
        "COLUMNS": "200",
        "PORTAL_HTTP_ADDRESS": f"127.0.0.1:{free_port()}",
        "PORTAL_MLLP_ADDRESS": f"127.0.0.1:{free_port()}",
        **settings,
    }


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
