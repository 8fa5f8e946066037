"""What scenes of faults need: warm programs, databases that really write, and a server to stop."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from portal_api import migrations
from tests import postgres
from tests.faults import mutants
from tests.faults.disk import Disk
from tests.faults.program import Kiln, Program

ENGINES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL server that writes durably, and can be stopped, killed and started."""

    url: str
    folder: Path
    command: str
    """The words with which it was started."""

    def moved(self, folder: Path, sockets: Path) -> "Cluster":
        """Return the server as it is with its files in *folder*, and to be reached by *sockets*."""
        before = str(_sockets(self.url))
        command = self.command.replace(before, str(sockets))
        return Cluster(self.url.replace(before, str(sockets)), folder, command)

    def stop(self) -> None:
        """Stop the server at once, in the middle of whatever it does."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start the server as it was started before, and wait until it has recovered."""
        options = self.command.split('" "')[2:]
        self._control(
            "-l", str(self.folder.parent / "log"), "-o", " ".join(options).strip('" \n'), "start"
        )

    def revive(self) -> None:
        """Start the server unless it runs."""
        with suppress(subprocess.CalledProcessError):
            self.start()

    def kill(self) -> None:
        """End every process of the server as a loss of power would, and wait until they are gone.

        Its first process goes first: it can't start another.
        """
        processes = self._processes()
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(map(_runs, processes)):
            time.sleep(0.005)
        # After a restart of the machine nobody has the number that stands there.
        for lock in (self.folder / "postmaster.pid", _sockets(self.url) / ".s.PGSQL.5432.lock"):
            lock.unlink()

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
        program = Path(self.command.split(" ")[0])
        postgres._run(
            postgres._account(), program.parent / "pg_ctl", "-D", self.folder, "-w", *words
        )


@dataclass(slots=True)
class Stage:
    """Makes databases with the schema in them, and programs on them; all end with it."""

    kiln: Kiln
    folder: Path
    _ends: ExitStack
    _schema: threading.Lock
    """Held while a schema is made: Alembic does one at a time."""
    _template: Path | None = None
    _cluster: Cluster | None = None
    _resting: Cluster | None = None
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
            with self._schema:
                migrations.upgrade(f"sqlite:///{self._template}")
        path = folder / "portal.db"
        shutil.copyfile(self._template, path)
        with path.open("rb") as made:
            os.fsync(made)
        return f"sqlite:///{path}"

    @property
    def resting(self) -> Cluster:
        """A server that was stopped, with the schema in its database, to be copied."""
        if self._resting is None:
            home = self.folder / "resting"
            home.mkdir()
            with cluster(home) as made:
                with self._schema:
                    migrations.upgrade(made.url)
                _command(made.url, "CHECKPOINT")
            self._resting = made
        return self._resting

    @property
    def cluster(self) -> Cluster:
        """The server, which is started for the first who asks."""
        if self._cluster is None:
            self._cluster = self._ends.enter_context(cluster())
            name = postgres.in_database(self._cluster.url, _TEMPLATE)
            _command(self._cluster.url, f"CREATE DATABASE {_TEMPLATE}")
            with self._schema:
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
def stage(warm: Kiln, schema: "threading.Lock | None" = None) -> Iterator[Stage]:
    """Give a stage with programs out of *warm*, and take everything on it down after.

    Stages that are used side by side share one *schema*, the lock with which schemas are made.
    """
    with TemporaryDirectory(prefix="portal-faults-") as folder, ExitStack() as ends:
        Path(folder).chmod(0o711)  # a server of another user's goes through it
        yield Stage(warm, Path(folder), ends, schema or threading.Lock())


@contextmanager
def cluster(within: Path | None = None) -> Iterator[Cluster]:
    """Start a server of our own that writes durably, its files *within* a folder or elsewhere."""
    programs = postgres.find_programs()
    with postgres.server(programs, settings=postgres.DURABLE, within=within) as url:
        folder = (within or _sockets(url)) / "cluster"
        yield Cluster(url, folder, (folder / "postmaster.opts").read_text())


@contextmanager
def on_disk(stage: Stage, disk: Disk) -> Iterator[Cluster]:
    """Start a server whose files are all on *disk*, with the schema in its database."""
    resting = stage.resting
    with TemporaryDirectory(prefix="portal-pg-", dir="/tmp") as sockets:
        made = resting.moved(disk.path / "cluster", Path(sockets))
        shutil.copytree(resting.folder, made.folder)
        owner = (resting.folder / "PG_VERSION").stat()
        for path in (made.folder, *made.folder.rglob("*"), Path(sockets)):
            os.chown(path, owner.st_uid, owner.st_gid)
        disk.keep()
        made.start()
        try:
            yield made
        finally:
            with suppress(subprocess.CalledProcessError):  # where it is stopped, that is well
                made.stop()


def _sockets(url: str) -> Path:
    return Path(url.rpartition("host=")[2])


def _runs(process: int) -> bool:
    """Tell whether there is more left of *process* than that somebody may ask how it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _command(url: str, words: str) -> None:
    with postgres.connect(url) as connection:
        connection.execute(words)
