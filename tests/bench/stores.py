"""Databases to measure on, and the servers over them: fresh, durable, on this machine's disk."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import uvloop

from portal_api import migrations
from tests import postgres

Tasks = set[asyncio.Task[None]]
Fresh = Callable[[], str]
"""Makes an empty database with the schema in it, and returns its URL."""


@contextmanager
def sqlite() -> Iterator[Fresh]:
    """Give a maker of embedded databases."""
    with TemporaryDirectory(prefix="portal-bench-") as folder:

        def fresh() -> str:
            url = f"sqlite:///{Path(folder) / uuid4().hex}.db"
            migrations.upgrade(url)
            return url

        yield fresh


@contextmanager
def postgresql() -> Iterator[Fresh]:
    """Give a maker of databases on a PostgreSQL server that writes durably."""
    with postgres.server(postgres.find_programs(), settings=postgres.DURABLE) as server:

        def fresh() -> str:
            name = f"bench_{uuid4().hex}"
            with postgres.connect(server) as connection:
                connection.execute(f'CREATE DATABASE "{name}"')
            url = postgres.in_database(server, name)
            migrations.upgrade(url)
            return url

        yield fresh


@contextmanager
def in_a_loop(begin: Callable[[Tasks], Coroutine[Any, Any, int]]) -> Iterator[int]:
    """Run an event loop in a thread; give what *begin* returns, the port that it listens on.

    *begin* puts what has to go on meanwhile among the tasks that it is given.
    """
    port: Future[int] = Future()
    ended = threading.Event()

    async def serve() -> None:
        tasks: Tasks = set()
        port.set_result(await begin(tasks))
        await asyncio.to_thread(ended.wait)
        for task in tasks:
            task.cancel()

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    try:
        yield port.result(30)
    finally:
        ended.set()
        thread.join(10)


def load(kind: str, *words: object) -> float:
    """Return what the load says that it measured."""
    command = [sys.executable, "-m", "tests.bench.load", kind, *map(str, words)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
