"""Every wall of the house holds: for each import contract and each ban, a breach that is found.

The breaches are planted in a copy of the packages. A contract that lets its own breach through
is no contract, and a breach that was not really planted proves nothing; so each test looks for
the planted import in what the linter says.
"""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("portal_api", "adapters", "auth", "fhir_server")
BIN = Path(sys.executable).parent
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())

BREACHES = [
    ("packages", "auth/planted.py", "import portal_api.settings"),
    ("packages", "auth/planted.py", "import adapters.hl7v2"),
    ("packages", "adapters/planted.py", "import auth.tables"),
    ("packages", "fhir_server/model/planted.py", "import adapters"),
    ("record", "fhir_server/model/planted.py", "import fhir_server.access"),
    ("record", "fhir_server/search/planted.py", "import fhir_server.record"),
    ("record", "fhir_server/store/planted.py", "import fhir_server.rest"),
    ("record", "fhir_server/access.py", "import fhir_server.release"),
    ("record", "fhir_server/access.py", "import fhir_server.store.engine"),
    ("tables", "fhir_server/store/tables.py", "import fhir_server.model.ids"),
    ("store", "portal_api/planted.py", "import fhir_server.store.tables"),
    ("store", "adapters/intake/planted.py", "from fhir_server.store import engine"),
    ("store", "fhir_server/rest/planted.py", "import fhir_server.store.engine"),
    ("ledger", "fhir_server/rest/planted.py", "import fhir_server.audit.ledger"),
    ("ledger", "portal_api/planted.py", "from fhir_server.audit import ledger"),
    ("fhir-resources", "adapters/planted.py", "from fhir.resources.R4B.patient import Patient"),
    ("hl7apy", "adapters/hl7v2/planted.py", "from hl7apy.parser import parse_message"),
    ("authlib", "auth/planted.py", "import authlib.oauth2"),
    ("json", "portal_api/planted.py", "import json"),
    ("json", "portal_api/planted.py", "import orjson"),
    ("json", "fhir_server/rest/planted.py", "import msgspec"),
    ("pure", "adapters/hl7v2/planted.py", "import socket"),
    ("pure", "fhir_server/model/planted.py", "import sqlalchemy"),
    ("synchronous", "fhir_server/store/planted.py", "import asyncio"),
]  # fmt: skip

BANS = [
    ("hl7apy", "import hl7apy", "adapters/hl7v2/conformance.py"),
    ("fhir", "from fhir.resources.R4B.patient import Patient", "fhir_server/model/r4.py"),
    ("authlib", "from authlib.oauth2 import OAuth2Error", "auth/grants.py"),
    ("authlib", "import authlib.oauth2", "auth/authorization_server.py"),
    ("json", "import json", "fhir_server/model/json.py"),
    ("orjson", "import orjson", "fhir_server/model/json.py"),
    ("msgspec.json", "from msgspec.json import decode", "fhir_server/model/json.py"),
    ("datetime.datetime.now", "import datetime\ndatetime.datetime.now()", "fhir_server/clock.py"),
    (
        "datetime.datetime.utcnow",
        "from datetime import datetime\ndatetime.utcnow()",
        "fhir_server/clock.py",
    ),
    (
        "datetime.datetime.today",
        "from datetime import datetime\ndatetime.today()",
        "fhir_server/clock.py",
    ),
    ("datetime.date.today", "from datetime import date\ndate.today()", "fhir_server/clock.py"),
    ("time.time", "import time\ntime.time()", "fhir_server/clock.py"),
    ("os.environ", "import os\nos.environ['HOME']", "portal_api/settings.py"),
    ("os.getenv", "from os import getenv\ngetenv('HOME')", "portal_api/settings.py"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and of the contracts that hold them."""
    copy = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            copy / package,
            ignore=shutil.ignore_patterns("node_modules", "static", "templates", "__pycache__"),
        )
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@contextmanager
def _planted(file: Path, source: str) -> Iterator[None]:
    before = file.read_text() if file.exists() else None
    file.write_text((before or "") + source)
    try:
        yield
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_text(before)


def _contracts(house: Path, *only: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "lint-imports"), "--no-cache", "--no-logo"]
    for contract in only:
        command += ["--contract", contract]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)


def _bans(path: str, source: str) -> str:
    command = [str(BIN / "ruff"), "check", "--select", "TID251", "--output-format", "concise"]
    command += ["--stdin-filename", path, "-"]
    return subprocess.run(
        command, cwd=ROOT, input=source + "\n", capture_output=True, text=True, check=False
    ).stdout


def test_the_house_keeps_its_contracts(house: Path) -> None:
    judged = _contracts(house)
    assert judged.returncode == 0, judged.stdout
    assert " 0 broken." in judged.stdout


@pytest.mark.parametrize(("contract", "path", "planted"), BREACHES)
def test_a_planted_breach_is_found(house: Path, contract: str, path: str, planted: str) -> None:
    with _planted(house / path, planted + "\n"):
        judged = _contracts(house, contract)
    assert judged.returncode == 1, judged.stdout + judged.stderr
    assert " 1 broken." in judged.stdout
    assert path.removesuffix(".py").replace("/", ".") + " -> " in judged.stdout.replace("\n", " ")


def test_a_file_that_no_layer_has_a_place_for_is_found(house: Path) -> None:
    with _planted(house / "fhir_server" / "leftovers.py", ""):
        judged = _contracts(house, "record")
    assert judged.returncode == 1
    assert "leftovers" in judged.stdout + judged.stderr


def test_each_contract_has_a_breach() -> None:
    contracts = {contract["id"] for contract in CONFIGURATION["tool"]["importlinter"]["contracts"]}
    assert {contract for contract, _, _ in BREACHES} == contracts


@pytest.mark.parametrize(("name", "planted", "door"), BANS)
def test_a_banned_name_is_found_everywhere_but_at_its_door(
    name: str, planted: str, door: str
) -> None:
    found = _bans("portal_api/planted.py", planted)
    assert f"TID251 `{name}` is banned" in found
    assert _bans(door, planted) == "All checks passed!\n"


def test_each_ban_has_a_breach() -> None:
    tidy = CONFIGURATION["tool"]["ruff"]["lint"]["flake8-tidy-imports"]
    assert {name for name, _, _ in BANS} == set(tidy["banned-api"])


def test_no_door_stands_where_there_is_no_room() -> None:
    ignores = CONFIGURATION["tool"]["ruff"]["lint"]["per-file-ignores"]
    doors = [path for path, rules in ignores.items() if "TID251" in rules and path != "tests/**"]
    assert [path for path in doors if not (ROOT / path).is_file()] == []
