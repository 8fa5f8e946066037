"""`portal-fhir` as whoever runs a site has it: a program, its settings, and what it says."""

import os
import socket
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
LAUNCH = "from portal_api.cli.main import main; main()"


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def environment(**settings: str) -> dict[str, str]:
    """Return an environment with *settings*, ports of its own, and none of another portal's."""
    named = {name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")}
    return named | {
        "PYTHONPATH": str(PROJECT),
        "COLUMNS": "200",
        "PORTAL_HTTP_ADDRESS": f"127.0.0.1:{free_port()}",
        "PORTAL_MLLP_ADDRESS": f"127.0.0.1:{free_port()}",
        **settings,
    }


def begun(
    words: list[str], folder: Path, settings: dict[str, str], until: str = ""
) -> tuple["subprocess.Popen[str]", str]:
    """Begin a program in *folder*; return it, and what it says up to a line that starts so."""
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    while until:
        line = process.stdout.readline()
        said += line
        assert line, said
        if line.startswith(until):
            break
    return process, said


def portal_fhir(*words: str) -> list[str]:
    """Return the words that start `portal-fhir`."""
    return [sys.executable, "-c", LAUNCH, *words]


def done(words: list[str], folder: Path, settings: dict[str, str]) -> tuple[int, str]:
    """Run a program to its end; return its status, and what it said."""
    ended = subprocess.run(
        words,
        cwd=folder,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout
