"""Opening a portal: the database, judged durable; the record; the notary with the signing key.

And a twin of a record: an empty database that gives the same ids.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

from sqlalchemy import select, update

from adapters.intake.listener import Tally
from adapters.intake.registry import Listening, listening_for
from adapters.intake.tables import inbox
from auth.views import DemoAccount
from fhir_server import clock
from fhir_server.clock import Clock
from fhir_server.model.synthetic import anybody, only_synthetic
from fhir_server.notary import notary
from fhir_server.record import Record
from fhir_server.store.engine import assert_durable, open_engines
from fhir_server.store.tables import installation, resource
from portal_api import migrations
from portal_api.portal import Portal
from portal_api.settings import Settings


@contextmanager
def opened(
    settings: Settings,
    *,
    now: Clock = clock.now,
    durable: bool = True,
    demo_accounts: tuple[DemoAccount, ...] = (),
) -> Iterator[Portal]:
    """Give a portal on the database of *settings*, whose schema is up to date, and close it after.

    *durable*: refuse a database that may lose what it acknowledged. With *demo_accounts* it is a
    demonstration, and stores nobody who may exist.
    """
    engines = open_engines(settings.database_url)
    if durable:
        assert_durable(engines)
    is_demo = bool(demo_accounts)
    record = Record(engines, now, admit=only_synthetic if is_demo else anybody)
    agreed = partial(
        listening_for, record, loopback=settings.mllp.is_loopback, synthetic_only=is_demo
    )
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        origin = urlsplit(settings.public_url).netloc
        yield Portal(
            settings=settings,
            record=record,
            notary=notary(record, settings.data_dir, origin),
            tally=Tally(),
            feeds=Listening(agreed),
            demo_accounts=demo_accounts,
        )
    finally:
        record.close()


class NotEmpty(Exception):
    """A database that was to be filled holds something already."""


@contextmanager
def empty_twin(url: str, of: Record, now: Clock) -> Iterator[Record]:
    """Give a record on the empty database at *url*, made where there is none, with the ids of *of*.

    Raises NotEmpty, with nothing changed, where a message or a resource is in it.
    """
    migrations.upgrade(url)
    engines = open_engines(url)
    with engines.writer.begin() as connection:
        held = [
            connection.execute(select(one).limit(1)).first()
            for one in (resource.c.id, inbox.c.feed)
        ]
        if any(row is not None for row in held):
            engines.dispose()
            raise NotEmpty("The database to replay into is not empty: name a new one.")
        key = update(installation).where(installation.c.name == "id_key")
        connection.execute(key.values(value=of.id_key))
    twin = Record(engines, now)
    try:
        yield twin
    finally:
        twin.close()
