"""What faults are made with: dice whose seed is printed, programs, and a server to be stopped."""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests import postgres
from tests.faults.program import Program


@pytest.fixture
def chance() -> random.Random:
    """The dice of this run. `FAULTS_SEED=…` throws them again as they fell."""
    seed = int(os.environ.get("FAULTS_SEED") or random.randrange(2**32))
    print(f"FAULTS_SEED={seed}")  # noqa: T201 - pytest shows it where a test fails
    return random.Random(seed)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL server that writes durably, and can be stopped and started."""

    url: str
    folder: Path

    def stop(self) -> None:
        """Stop the server at once, in the middle of whatever it does."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start the server as it was started before, and wait until it has recovered."""
        options = (self.folder / "postmaster.opts").read_text().split('" "')[2:]
        self._control(
            "-l", str(self.folder / "log"), "-o", " ".join(options).strip('" \n'), "start"
        )

    def _control(self, *words: str) -> None:
        program = Path((self.folder / "postmaster.opts").read_text().split(" ")[0])
        postgres._run(
            postgres._account(), program.parent / "pg_ctl", "-D", self.folder, "-w", *words
        )


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A server of our own, since the tests' own may be anyone's, and need not be durable."""
    with postgres.server(postgres.find_programs(), settings=postgres.DURABLE) as url:
        yield Cluster(url, Path(url.rpartition("host=")[2]) / "cluster")


@pytest.fixture
def durable_postgresql_url(cluster: Cluster) -> Iterator[str]:
    """An empty database on that server."""
    name = f"portal_{uuid4().hex}"
    with postgres.connect(cluster.url) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield postgres.in_database(cluster.url, name)
    with postgres.connect(cluster.url) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def durable_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database that writes durably, on each engine in turn."""
    if engine_name == "sqlite":
        return f"sqlite:///{tmp_path / 'portal.db'}"
    return str(request.getfixturevalue("durable_postgresql_url"))


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """The maker of programs; those that still run are ended after the test."""
    made: list[Program] = []

    def make(database_url: str, before: str = "") -> Program:
        made.append(Program(database_url, tmp_path, before))
        return made[-1]

    yield make
    for one in made:
        one.close()
