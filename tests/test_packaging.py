"""What is shipped is whole: a wheel carries its pages, a lock has hashes and no addresses."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from portal_api.pages import assets

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-node.lock"]


def _names(requirements: list[str]) -> set[str]:
    names = (re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in requirements)
    return {name.replace(".", "-").lower() for name in names}


def _locked(lock: str) -> dict[str, str]:
    lines = re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    return dict(lines)


def test_a_wheel_carries_the_packages_their_migrations_and_the_page_assets(tmp_path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    served = {path.relative_to(ROOT).as_posix() for path in assets.SERVED.rglob("*.*")}
    assert len(served) >= 6
    assert served <= names
    kept = {
        path.relative_to(ROOT).as_posix()
        for package in ("portal_api", "adapters", "auth", "fhir_server")
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".jinja", ".mako", ".css", ".svg"}
        and "node_modules" not in path.parts
    }
    assert kept <= names
    assert not [name for name in names if "node_modules" in name or name.startswith("tests/")]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = re.findall(
        r"^[a-z0-9-]+==\S+.*(?:\n    --hash=sha256:[0-9a-f]{64} ?\\?)+$", text, re.MULTILINE
    )
    assert len(pins) == len(_locked(lock)) > 0
    assert [
        line
        for line in text.splitlines()
        if line and not re.match(r"[a-z0-9-]+==|    --hash=", line)
    ] == []
    assert "://" not in text


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    assert groups["build"] == PROJECT["build-system"]["requires"]
    running = _names(project["dependencies"]) | _names(groups["build"])
    assert running - _locked("requirements.lock").keys() == set()
    developing = running | _names(groups["dev"])
    assert developing - _locked("requirements-dev.lock").keys() == set()


def test_the_tests_run_against_what_is_shipped() -> None:
    shipped, tested = _locked("requirements.lock"), _locked("requirements-dev.lock")
    assert {name: tested.get(name) for name in shipped} == shipped


def test_no_browser_package_names_where_it_was_fetched() -> None:
    lock = (assets.HERE / "frontend" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity": "sha512-' in lock
    assert (
        "omit-lockfile-registry-resolved=true" in (assets.HERE / "frontend" / ".npmrc").read_text()
    )


def test_nothing_in_the_frontend_folder_runs_at_installation() -> None:
    assert "ignore-scripts=true" in (assets.HERE / "frontend" / ".npmrc").read_text()
