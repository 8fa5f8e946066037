"""Opening a portal: the database, judged durable; the record; the notary with the signing key."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

from adapters.intake.listener import Tally
from adapters.intake.registry import Listening, listening_for
from auth.views import DemoAccount
from fhir_server import clock
from fhir_server.clock import Clock
from fhir_server.model.synthetic import anybody, only_synthetic
from fhir_server.notary import notary
from fhir_server.record import Record
from fhir_server.store.engine import assert_durable, open_engines
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
