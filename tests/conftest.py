"""What tests share: a fresh database for each test, on both engines, made by the real migrations.

A test that asks for `database_url` runs twice, once on SQLite and once on PostgreSQL. The schema
is migrated once a session and copied for each test: a file for SQLite, a template database for
PostgreSQL. Both stand in memory where there is room (`tests.memory`): to copy a database takes
longer than most tests.
"""

import gc
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest
import uvicorn
from hypothesis import settings
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from portal_api import http_server, migrations
from portal_api.app import build
from portal_api.demo.ports import free_port
from portal_api.opening import opened
from portal_api.portal import Portal
from portal_api.settings import Address, Settings
from tests import memory, postgres
from tests.faults.program import Kiln, kiln
from tests.world import people

ENGINES = ("sqlite", "postgresql")

# A property is right or wrong; how long a busy machine takes over it is no part of it.
settings.register_profile("portal", deadline=None)
settings.load_profile("portal")


def pytest_configure() -> None:
    """Let `tmp_path` be in memory, where there is room."""
    if folder := memory.folder():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


def pytest_collection_finish() -> None:
    """Keep what stays to the end, thousands of tests, out of the garbage collector's rounds."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Begin with what waits for clocks and programs, while the others keep the processors busy."""
    config.option.loadscopereorder = False
    return _ByRoom(config, log)


class _ByRoom(LoadFileScheduling):
    """A file's tests in one process, and all faults in one: they share what takes long to start."""

    def _split_scope(self, nodeid: str) -> str:
        return (
            "tests/faults"
            if nodeid.startswith("tests/faults/")
            else nodeid.split("::", maxsplit=1)[0]
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the rooms first whose tests are few and long."""
    rooms = ("tests/faults/", "tests/browser/", "tests/portal_api/demo/", "tests/portal_api/cli/")
    items.sort(key=lambda item: not item.nodeid.startswith(rooms))


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Let all engines of a kind share what they compiled, as one engine does in a real portal.

    A fresh database is a fresh engine, which would compile every statement anew.
    """
    with pytest.MonkeyPatch.context() as patched:
        for kind in (PGDialect_psycopg, SQLiteDialect_pysqlite):
            shared: LRUCache[object, object] = LRUCache(2000)
            patched.setattr(kind, "__eq__", lambda one, other: type(one) is type(other))
            patched.setattr(kind, "__hash__", lambda one: hash(type(one)))
            patched.setattr(
                kind,
                "engine_created",
                lambda engine, shared=shared: engine.update_execution_options(
                    compiled_cache=shared
                ),
            )
        yield


@pytest.fixture(scope="session")
def pg_server() -> Iterator[str]:
    """The URL of a PostgreSQL server: the one given, or one started for this session."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given.replace("postgresql://", "postgresql+psycopg://")
    else:
        with TemporaryDirectory(prefix="portal-pg-", dir=memory.folder()) as within:
            Path(within).chmod(0o755)
            with postgres.server(postgres.find_programs(), within=Path(within)) as url:
                yield url


@pytest.fixture(scope="session")
def pg_admin(pg_server: str) -> Iterator[psycopg.Connection]:
    """A connection that makes and drops databases."""
    with postgres.connect(pg_server) as connection:
        yield connection


@pytest.fixture(scope="session")
def _postgresql_template(pg_server: str, pg_admin: psycopg.Connection) -> Iterator[str]:
    name = f"portal_template_{uuid4().hex}"
    pg_admin.execute(f'CREATE DATABASE "{name}"')
    migrations.upgrade(postgres.in_database(pg_server, name))
    yield name
    pg_admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "portal.db"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _postgresql_peopled(
    pg_server: str, pg_admin: psycopg.Connection, _postgresql_template: str
) -> Iterator[str]:
    name = f"portal_peopled_{uuid4().hex}"
    postgres.copy(pg_admin, _postgresql_template, name)
    with closing(Record(open_engines(postgres.in_database(pg_server, name)))) as record:
        people(record)
    yield name
    pg_admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def _sqlite_peopled(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Path:
    path = tmp_path_factory.mktemp("peopled") / "portal.db"
    shutil.copy(_sqlite_template, path)
    with closing(Record(open_engines(f"sqlite:///{path}"))) as record:
        people(record)
    with closing(sqlite3.connect(path)) as connection:  # the log does not come with a copy
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    return path


@pytest.fixture
def empty_postgresql_url(pg_server: str, pg_admin: psycopg.Connection) -> Iterator[str]:
    """A fresh PostgreSQL database without a schema."""
    name = f"portal_{uuid4().hex}"
    pg_admin.execute(f'CREATE DATABASE "{name}"')
    yield postgres.in_database(pg_server, name)
    pg_admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgresql_url(
    pg_server: str, pg_admin: psycopg.Connection, _postgresql_template: str
) -> Iterator[str]:
    """A fresh PostgreSQL database with the schema in it."""
    name = f"portal_{uuid4().hex}"
    postgres.copy(pg_admin, _postgresql_template, name)
    yield postgres.in_database(pg_server, name)
    pg_admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """A fresh SQLite database with the schema in it."""
    path = tmp_path / "portal.db"
    shutil.copy(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine that this test runs on: `sqlite`, then `postgresql`."""
    return str(request.param)


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest) -> str:
    """A fresh database with the schema in it, on each engine in turn."""
    return str(request.getfixturevalue(f"{engine_name}_url"))


@pytest.fixture
def empty_database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema, on each engine in turn."""
    if engine_name == "sqlite":
        return f"sqlite:///{tmp_path / 'empty' / 'portal.db'}"
    return str(request.getfixturevalue("empty_postgresql_url"))


@pytest.fixture
def peopled_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with `tests.world.people` in it, on each engine in turn."""
    template = request.getfixturevalue(f"_{engine_name}_peopled")
    if engine_name == "sqlite":
        yield f"sqlite:///{shutil.copy(template, tmp_path / 'portal.db')}"
    else:
        admin = request.getfixturevalue("pg_admin")
        name = f"portal_{uuid4().hex}"
        postgres.copy(admin, template, name)
        yield postgres.in_database(request.getfixturevalue("pg_server"), name)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def record(database_url: str) -> Iterator[Record]:
    """A record on a fresh database, on each engine in turn, with the clock of the machine."""
    opened = Record(open_engines(database_url))
    yield opened
    opened.close()


@pytest.fixture
def portal(database_url: str, tmp_path: Path) -> Iterator[Portal]:
    """A portal on a fresh database, on each engine in turn, at a free port of this machine."""
    port = free_port()
    settings = Settings(
        database_url=database_url,
        http=Address("127.0.0.1", port),
        mllp=Address("127.0.0.1", 0),
        public_url=f"http://127.0.0.1:{port}",
        data_dir=tmp_path / "var",
    )
    with opened(settings, durable=False) as one:
        yield one


@pytest.fixture
def served(portal: Portal) -> Iterator[str]:
    """The address of the portal's HTTP server, on a real socket."""
    address = portal.settings.http
    config = http_server.config(build(portal), address, grace=1, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.01)
    yield portal.settings.public_url
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def warm() -> Iterator[Kiln]:
    """A warm process, out of which programs come ready; what came out ends with it."""
    with kiln() as one:
        yield one
