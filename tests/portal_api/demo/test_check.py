"""`portal-fhir demo --check`: the whole demonstration in a process of its own, on both engines."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal_api.demo.findings import Finding, Findings
from tests import postgres

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = "from portal_api.cli.main import main; main()"


def portal_fhir(folder: Path, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")
    }
    environment |= {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | settings
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def durable_url(engine_name: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database that keeps what it acknowledges, on each engine; SQLite's is the default."""
    if engine_name == "sqlite":
        yield ""
    elif os.environ.get("TEST_DATABASE_URL"):
        yield request.getfixturevalue("empty_postgresql_url")
    else:
        programs = postgres.find_programs()
        with postgres.server(programs, settings=postgres.DURABLE) as url:
            yield url


@pytest.mark.durable
def test_the_check_does_each_of_the_four_jobs_and_leaves_nothing(
    durable_url: str, tmp_path: Path
) -> None:
    given = {"PORTAL_DATABASE_URL": durable_url} if durable_url else {}
    done = portal_fhir(tmp_path, "demo", "--check", **given)
    assert (done.returncode, done.stderr) == (0, "")
    for job in (
        "1 A hospital pushes a result",
        "2 A patient's app pulls results",
        "3 A clinician messages a patient",
        "4 An auditor reviews accesses",
    ):
        assert job in done.stdout
    assert "0 wrong." in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_door_that_others_can_reach_is_not_opened(tmp_path: Path) -> None:
    done = portal_fhir(tmp_path, "demo", PORTAL_MLLP_ADDRESS="0.0.0.0:2575")
    assert done.returncode == 2
    assert done.stderr.startswith("portal-fhir: The demonstration listens on this machine alone")
    assert "PORTAL_MLLP_ADDRESS is 0.0.0.0:2575" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_step_without_a_demonstration_says_what_to_start(tmp_path: Path) -> None:
    done = portal_fhir(tmp_path, "demo", "step", "alan")
    assert (done.returncode, done.stderr) == (
        2,
        "portal-fhir: No demonstration is running here: start portal-fhir demo first.\n",
    )


def test_findings_are_sound_only_where_something_was_found_and_nothing_is_wrong() -> None:
    findings = Findings("a job")
    assert not findings.sound
    findings.expect("one", found=1, wanted=1)
    findings.ensure("two", holds=True)
    assert findings.sound
    findings.expect("three", found="x", wanted="y")
    assert not findings.sound
    assert findings.lines[-1] == Finding("a job", "three", "found 'x', not 'y'")
