"""`portal-fhir feed watch` beside a running portal: files in, answers out, through kills."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.program import LAUNCH, PROJECT, Program
from tests.portal_api.cli.results import psa

Watch = Callable[..., "subprocess.Popen[str]"]
AGREEMENT = ("sending_application=LIMS", "sending_facility=RXX")


@pytest.fixture
def portal(sqlite_url: str, tmp_path: Path) -> Iterator[Program]:
    """A portal that runs and has agreed with a site that drops files."""
    one = Program(sqlite_url, tmp_path)
    one.start()
    added = one.command("feed", "add", "dropped", *AGREEMENT)
    assert added.returncode == 0, added.stderr
    yield one
    one.close()


@pytest.fixture
def watch(portal: Program) -> Iterator[Watch]:
    """Begin to watch a folder; what still watches is ended after the test."""
    begun: list[subprocess.Popen[str]] = []

    def begin(folder: Path, *more: str) -> subprocess.Popen[str]:
        words = ["feed", "watch", str(folder), "--feed", "dropped", "--settle", "0", *more]
        begun.append(
            subprocess.Popen(
                [sys.executable, "-c", LAUNCH, *words],
                cwd=PROJECT,
                env=portal._environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return begun[-1]

    yield begin
    for one in begun:
        one.kill()
        one.communicate()


def there(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def test_files_are_filed_answered_and_put_away(
    portal: Program, watch: Watch, tmp_path: Path
) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "good.hl7").write_text(psa(1) + psa(2))
    (folder / "bad.hl7").write_text(psa(3).replace("19550301", "10660101"))
    said, _ = (one := watch(folder, "--once")).communicate(timeout=60)
    assert one.returncode == 0, said
    assert there(folder / "done") == {"good.hl7", "good.hl7.ack"}
    assert there(folder / "failed") == {"bad.hl7", "bad.hl7.ack"}
    answers = (folder / "done" / "good.hl7.ack").read_text()
    assert ["MSA|AA|M1" in answers, "MSA|AA|M2" in answers] == [True, True]
    assert "MSA|AE|M3" in (folder / "failed" / "bad.hl7.ack").read_text()
    assert "fate filed" in portal.command("feed", "trace", "M2").stdout
    nobody = portal.command("feed", "watch", str(tmp_path), "--feed", "nobody")
    assert (nobody.returncode, "there is no feed nobody" in nobody.stderr) == (2, True)


def test_files_are_each_filed_once_through_kills_of_either_side(
    portal: Program, watch: Watch, tmp_path: Path
) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    for number in range(1, 31):
        (folder / f"{number:03}.hl7").write_text(psa(number))
    one = watch(folder)
    until(lambda: len(there(folder / "done")) >= 10)
    one.send_signal(signal.SIGKILL)
    one.wait(30)
    portal.kill()
    watch(folder)
    portal.start()
    until(lambda: len(there(folder / "done")) == 60)
    assert there(folder / "failed") == there(folder / "working") == set()
    for number in range(1, 31):
        assert f"MSA|AA|M{number}" in (folder / "done" / f"{number:03}.hl7.ack").read_text()
    traced = portal.command("feed", "trace", "M1").stdout
    assert traced.count("fate filed") == 1
