"""What scenes of faults need: warm programs, databases that really write, and a server to stop."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from portal_api import migrations
from tests import postgres
from tests.faults import mutants
from tests.faults.program import Kiln, Program

ENGINES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL server that writes durably, and can be stopped, killed and started."""

    url: str
    folder: Path

    def stop(self) -> None:
        """Stop the server at once, in the middle of whatever it does."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start the server as it was started before, and wait until it has recovered."""
        options = (self.folder / "postmaster.opts").read_text().split('" "')[2:]
        self._control(
            "-l", str(self.folder.parent / "log"), "-o", " ".join(options).strip('" \n'), "start"
        )

    def pause(self) -> None:
        """Let every process of the server stand still: who asks gets no answer, and no end."""
        for process in self._processes():
            os.kill(process, signal.SIGSTOP)

    def resume(self) -> None:
        """Let every process of the server go on where it stood still."""
        for process in self._processes():
            os.kill(process, signal.SIGCONT)

    def _processes(self) -> list[int]:
        first = int((self.folder / "postmaster.pid").read_text().split("\n")[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def _control(self, *words: str) -> None:
        program = Path((self.folder / "postmaster.opts").read_text().split(" ")[0])
        postgres._run(
            postgres._account(), program.parent / "pg_ctl", "-D", self.folder, "-w", *words
        )


@dataclass(slots=True)
class Stage:
    """Makes databases with the schema in them, and programs on them; all end with it."""

    kiln: Kiln
    folder: Path
    _ends: ExitStack
    _template: Path | None = None
    _cluster: Cluster | None = None
    _databases: int = 0

    def place(self) -> Path:
        """Return an empty folder."""
        self._databases += 1
        made = self.folder / str(self._databases)
        made.mkdir()
        return made

    def sqlite(self, folder: Path) -> str:
        """Return the URL of a fresh embedded database in *folder*."""
        if self._template is None:
            self._template = self.folder / "template.db"
            migrations.upgrade(f"sqlite:///{self._template}")
        path = folder / "portal.db"
        shutil.copyfile(self._template, path)
        with path.open("rb") as made:
            os.fsync(made)
        return f"sqlite:///{path}"

    @property
    def cluster(self) -> Cluster:
        """The server, which is started for the first who asks."""
        if self._cluster is None:
            self._cluster = self._ends.enter_context(cluster())
            name = postgres.in_database(self._cluster.url, _TEMPLATE)
            _command(self._cluster.url, f"CREATE DATABASE {_TEMPLATE}")
            migrations.upgrade(name)
        return self._cluster

    def postgresql(self) -> str:
        """Return the URL of a fresh database on the server."""
        name = f"portal_{uuid4().hex}"
        with postgres.connect(self.cluster.url) as connection:
            postgres.copy(connection, _TEMPLATE, name)
        return postgres.in_database(self.cluster.url, name)

    def database(self, engine: str, folder: Path) -> str:
        """Return the URL of a fresh database on *engine*, one of ENGINES."""
        return self.sqlite(folder) if engine == "sqlite" else self.postgresql()

    def program(
        self,
        url: str,
        folder: Path,
        mutant: Callable[[], None] | None = None,
        data_dir: Path | None = None,
    ) -> Program:
        """Return a portal on the database at *url*, broken by *mutant*."""
        made = Program(self.kiln, url, folder, before=mutants.planted(mutant), data_dir=data_dir)
        self._ends.callback(made.close)
        return made


_TEMPLATE = "portal_template"


@contextmanager
def stage(warm: Kiln) -> Iterator[Stage]:
    """Give a stage with programs out of *warm*, and take everything on it down after."""
    with TemporaryDirectory(prefix="portal-faults-") as folder, ExitStack() as ends:
        yield Stage(warm, Path(folder), ends)


@contextmanager
def cluster(within: Path | None = None) -> Iterator[Cluster]:
    """Start a server of our own that writes durably, its files *within* a folder or elsewhere."""
    programs = postgres.find_programs()
    with postgres.server(programs, settings=postgres.DURABLE, within=within) as url:
        home = Path(url.rpartition("host=")[2])
        yield Cluster(url, (within or home) / "cluster")


def _command(url: str, words: str) -> None:
    with postgres.connect(url) as connection:
        connection.execute(words)
