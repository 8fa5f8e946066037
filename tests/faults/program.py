"""`portal-fhir` as a process of its own, to be stopped, killed and started again."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LAUNCH = "from portal_api.cli.main import main; main()"


class Program:
    """One portal's database, folder and ports; started, it is a process.

    *before* is Python that runs ahead of the program, to break it on purpose.
    """

    def __init__(self, database_url: str, folder: Path, before: str = "") -> None:
        self.http, self.mllp = _free_port(), _free_port()
        self._launch = f"{before}\n{LAUNCH}"
        self._log = folder / "log"
        self._environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")},
            "PORTAL_DATABASE_URL": database_url,
            "PORTAL_DATA_DIR": str(folder / "var"),
            "PORTAL_HTTP_ADDRESS": f"127.0.0.1:{self.http}",
            "PORTAL_MLLP_ADDRESS": f"127.0.0.1:{self.mllp}",
            "PORTAL_PUBLIC_URL": f"http://127.0.0.1:{self.http}",
        }
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Run the portal, and return when its doors are open."""
        with self._log.open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", self._launch, "run"],
                cwd=PROJECT,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._process = process
        assert process.stdout is not None
        with process.stdout as said:
            assert any(line.startswith("MLLP on") for line in said), self._log.read_text()

    def kill(self) -> None:
        """End the process as a loss of power to it would: nothing more of it runs."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def ask_to_stop(self) -> None:
        """Ask the process to stop, as a supervisor does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        """Return the exit status, once the process has ended."""
        assert self._process is not None
        return self._process.wait(60)

    def close(self) -> None:
        """End what still runs."""
        if self._process is not None:
            self.kill()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another command of `portal-fhir` on the same database."""
        return subprocess.run(
            [sys.executable, "-c", LAUNCH, *words],
            cwd=PROJECT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
