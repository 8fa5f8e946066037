"""The demonstration as a user starts it: a program of its own, with its own database and doors."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.intake.sending import send
from portal_api import control
from portal_api.demo.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).with_name("portal-fhir")
_SECONDS = 120
_READY = "Sign in at"


class Demonstration:
    """A demonstration that runs; *address* is where its pages are."""

    def __init__(self, folder: Path) -> None:
        http, mllp = free_port(), free_port()
        self.address = f"http://127.0.0.1:{http}"
        self.said = folder / "said"
        self.environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")},
            "PORTAL_DATABASE_URL": f"sqlite:///{folder / 'portal.db'}",
            "PORTAL_DATA_DIR": str(folder / "var"),
            "PORTAL_HTTP_ADDRESS": f"127.0.0.1:{http}",
            "PORTAL_MLLP_ADDRESS": f"127.0.0.1:{mllp}",
            "PORTAL_PUBLIC_URL": self.address,
        }

    def step(self, name: str) -> str:
        """Have the next message of a story sent; return its answer and what it says."""
        asked = {"command": "demo-step", "name": name}
        answer = control.ask(Path(self.environment["PORTAL_DATA_DIR"]), asked)
        assert answer is not None
        return f"{answer['answer']} {answer['sent']}"

    def send(self, message: str, control_id: str) -> None:
        """Send a message, a line a segment, to the MLLP door."""
        raw = message.replace("\n", "\r").encode()
        host, _, port = self.environment["PORTAL_MLLP_ADDRESS"].rpartition(":")
        with send(host, int(port)) as exchange:
            assert control_id.encode() in exchange(raw)

    def amend(self, feed: str, change: str) -> None:
        """Change an agreement as `portal-fhir feed edit` does."""
        command = [PROGRAM, "feed", "edit", feed, change]
        subprocess.run(command, check=True, env=self.environment, stdout=subprocess.DEVNULL)


@contextmanager
def playing(folder: Path) -> Iterator[Demonstration]:
    """Give a demonstration that is ready to be visited, and stop it as Ctrl-C does."""
    demonstration = Demonstration(folder)
    with demonstration.said.open("w") as said:
        program = subprocess.Popen(
            [PROGRAM, "demo"],
            cwd=PROJECT,
            env=demonstration.environment,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(demonstration, program)
        yield demonstration
    finally:
        program.terminate()
        program.wait(_SECONDS)


def _await(demonstration: Demonstration, program: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _SECONDS
    while _READY not in demonstration.said.read_text(encoding="utf-8"):
        ended = program.poll() is not None or time.monotonic() > until
        assert not ended, demonstration.said.read_text(encoding="utf-8")
        time.sleep(0.1)


def words_of(text: str) -> str:
    """Return *text* with one blank between words, as it is read aloud."""
    return re.sub(r"\s+", " ", text).strip()
