"""One process writes an embedded database: it holds `<database>.lock` while it runs."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url


class Locked(Exception):
    """Another process holds the database."""


@contextmanager
def held(database_url: str) -> Iterator[None]:
    """Hold the lock of an embedded database for as long as the block runs; PostgreSQL needs none.

    Raises Locked where another process holds it. The lock goes with the process, however it ends.
    """
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        yield
        return
    path = Path(f"{url.database}.lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(
                f"Another process is using {url.database}: only one may write it."
            ) from None
        yield
    finally:
        os.close(descriptor)
