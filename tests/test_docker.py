"""The image and the compose file say what the code says: commands, ports, settings, secrets.

No engine runs in the tests, so this is what keeps the two from drifting away from the program.
"""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from starlette.types import ASGIApp

from portal_api.app import build
from portal_api.cli.main import main
from portal_api.opening import opened
from portal_api.settings import DEFAULTS, SECRET, from_environment

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if name != "database"}
PORTS = {"serve": ("PORTAL_HTTP_ADDRESS", "8000"), "listen": ("PORTAL_MLLP_ADDRESS", "2575")}


def _image_settings() -> dict[str, str]:
    [block] = re.findall(r"^ENV (.*?[^\\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    pairs = (word.split("=", 1) for word in block.replace("\\\n", " ").split())
    return {name: value for name, value in pairs if name.startswith("PORTAL_")}


def _commands() -> list[str]:
    [own] = re.findall(r'^CMD \["portal-fhir", "(\w+)"\]$', DOCKERFILE, re.MULTILINE)
    return [own, *(service["command"][1] for service in OURS.values())]


def test_the_programs_are_these() -> None:
    assert {name: service["command"] for name, service in OURS.items()} == {
        name: ["portal-fhir", name] for name in ("migrate", "serve", "listen", "work")
    }


@pytest.mark.parametrize("command", _commands())
def test_every_command_is_one_of_the_program(command: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["portal-fhir", command, "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (0, "")
    assert f"portal-fhir {command}" in out


def test_the_image_starts_with_settings_that_the_program_takes() -> None:
    settings = from_environment(_image_settings())
    assert str(settings.http) == "0.0.0.0:8000"
    assert str(settings.mllp) == "0.0.0.0:2575"
    assert "WORKDIR /var/lib/portal\nVOLUME /var/lib/portal\n" in DOCKERFILE
    assert settings.database_url == "sqlite:///var/portal.db"  # in that volume
    assert str(settings.data_dir) == "/var/lib/portal"


@pytest.mark.parametrize("name", OURS)
def test_every_service_has_settings_that_the_program_takes(name: str, tmp_path) -> None:
    given = _image_settings() | OURS[name]["environment"]
    assert given.keys() <= DEFAULTS.keys() | {f"{secret}_FILE" for secret in SECRET}
    secret = tmp_path / "database_url"
    secret.write_text("postgresql://portal:secret@database/portal\n")
    assert given["PORTAL_DATABASE_URL_FILE"] == "/run/secrets/database_url"
    given |= {
        "PORTAL_DATABASE_URL_FILE": str(secret),
        "PORTAL_PUBLIC_URL": "https://portal.example",
    }
    assert from_environment(given).database_url == (
        "postgresql+psycopg://portal:secret@database/portal"
    )


async def _asked(app: ASGIApp, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        return await client.get(path)


def test_the_health_check_asks_what_the_program_answers(sqlite_url: str, tmp_path) -> None:
    [path] = re.findall(r"http://127\.0\.0\.1:8000(/\w+)", DOCKERFILE)
    given = {"PORTAL_DATABASE_URL": sqlite_url, "PORTAL_DATA_DIR": str(tmp_path / "var")}
    with opened(from_environment(given)) as portal:
        answer = asyncio.run(_asked(build(portal), path))
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_the_ports_are_those_that_the_settings_say() -> None:
    settings = _image_settings()
    exposed = re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)
    assert exposed == [" ".join(port for _, port in PORTS.values())]
    for service, (setting, port) in PORTS.items():
        assert settings[setting].rpartition(":")[2] == port
        assert DEFAULTS[setting].rpartition(":")[2] == port
        [published] = OURS[service]["ports"]
        assert published.endswith(f"{port}:{port}")


def test_http_is_published_on_loopback_alone() -> None:
    assert OURS["serve"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in COMPOSE["services"]["database"]


def test_nobody_runs_as_root_and_no_tool_of_the_build_stays() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert [stage.splitlines()[0].partition(" AS ")[2] for stage in stages] == [
        "assets",
        "build",
        "",
    ]
    last = stages[-1]
    assert re.search(r"^USER portal$", last, re.MULTILINE)
    assert "npm" not in last
    assert re.search(r"^HEALTHCHECK ", last, re.MULTILINE)
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_everything_is_installed_from_the_lock_with_hashes() -> None:
    installs = re.findall(r"pip install (.*)$", DOCKERFILE, re.MULTILINE)
    assert installs == [
        "--no-cache-dir --require-hashes -r requirements.lock",
        "--no-cache-dir --no-deps --no-build-isolation .",
    ]


def test_what_the_build_copies_exists_and_is_not_left_out() -> None:
    kept = (ROOT / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    copies = re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
    for source in (word for copy in copies for word in copy.split()[:-1]):
        assert (ROOT / source).exists()
        assert f"!{source.split('/')[0]}" in kept


def test_secrets_come_from_files_that_git_does_not_keep() -> None:
    assert COMPOSE["secrets"] == {
        "database_url": {"file": "./secrets/database_url"},
        "postgres_password": {"file": "./secrets/postgres_password"},
    }
    ignored = subprocess.run(
        ["git", "check-ignore", "--quiet", "docker/secrets/database_url"], cwd=ROOT, check=False
    )
    assert ignored.returncode == 0
    environments = [service.get("environment", {}) for service in COMPOSE["services"].values()]
    names = {name for environment in environments for name in environment}
    assert not [name for name in names if "PASSWORD" in name and not name.endswith("_FILE")]


def test_nothing_is_served_before_the_schema_is_there() -> None:
    assert OURS["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in ("serve", "listen", "work"):
        assert OURS[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"}
        }
