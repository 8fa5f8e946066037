"""A demonstration's storage: made anew each time, and never taken from anybody else.

A database is a demonstration's where it has logins and every one of them is marked so, or where
nobody has used it yet. Only such a database is cleared.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, exists, make_url, not_, select, text

from auth.tables import client, login
from fhir_server.store.engine import open_engines
from fhir_server.store.tables import resource
from portal_api import migrations
from portal_api.migrations.schema import metadatas


class NotADemonstration(Exception):
    """The database holds a portal that is no demonstration: it is left alone."""


def renew(url: str) -> None:
    """Leave an empty database with the newest schema at *url*.

    Raises NotADemonstration, with nothing changed, where somebody else's portal is in it, and
    SchemaUnknown for a schema that this program does not know.
    """
    found = migrations.current(url)
    if found is not None and found != migrations.head():
        raise NotADemonstration(
            "PORTAL_DATABASE_URL names a database with another version's schema: "
            "the demonstration leaves it alone. Name another one, or remove it yourself."
        )
    if found is not None:
        _clear(url)
    migrations.upgrade(url)


def is_here(url: str) -> bool:
    """Tell whether the database at *url* has logins of a demonstration, which anybody can use."""
    engines = open_engines(url)
    standing = exists().where(login.c.demo, login.c.ended_at.is_(None))
    try:
        with engines.reader.connect() as connection:
            return bool(connection.scalar(select(standing)))
    finally:
        engines.dispose()


@contextmanager
def apart(url: str) -> Iterator[str]:
    """Give the URL of an empty schema in the PostgreSQL database at *url*; drop it at the end."""
    name = f"portal_demonstration_{secrets.token_hex(6)}"
    engines = open_engines(url)
    try:
        with engines.writer.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
        yield _within(url, name)
    finally:
        with engines.writer.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {name} CASCADE"))
        engines.dispose()


def _within(url: str, schema: str) -> str:
    address = make_url(url)
    given = address.query.get("options", "")
    before = f"{given} " if isinstance(given, str) and given else ""
    options = {"options": f"{before}-csearch_path={schema}"}
    return address.update_query_dict(options).render_as_string(hide_password=False)


def _clear(url: str) -> None:
    engines = open_engines(url)
    try:
        with engines.writer.begin() as connection:
            if not _is_demonstration(connection):
                raise NotADemonstration(
                    "PORTAL_DATABASE_URL names a database with a portal in it that is no "
                    "demonstration: it is left alone. Name another database."
                )
            for metadata in metadatas():
                metadata.drop_all(connection)
            connection.execute(text("DROP TABLE alembic_version"))
            if not engines.is_sqlite:
                connection.execute(text("DROP FUNCTION refuse_change_of_the_ledger()"))
    finally:
        engines.dispose()


def _is_demonstration(connection: Connection) -> bool:
    if connection.scalar(select(exists().where(login.c.login != ""))):
        return not connection.scalar(select(exists().where(not_(login.c.demo))))
    used = (exists().where(client.c.client_id != ""), exists().where(resource.c.id != ""))
    return not any(connection.scalar(select(one)) for one in used)
