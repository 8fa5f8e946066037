"""Silent feeds, told to the log: once when a silence begins, and once when it is over."""

import asyncio
import logging
from collections.abc import Collection

from fhir_server.errors import FhirError
from fhir_server.record import Record
from portal_api import feed_health
from portal_api.feed_words import span

log = logging.getLogger(__name__)

LOOKED_FOR_EVERY = 30.0
"""Seconds between two looks."""


async def watch(record: Record) -> None:
    """Look for feeds that fall silent, until cancelled."""
    known: Collection[str] = frozenset()
    while True:
        try:
            known = await asyncio.to_thread(told, record, known)
        except FhirError:
            log.warning("it could not be told whether a feed is silent")
        await asyncio.sleep(LOOKED_FOR_EVERY)


def told(record: Record, known: Collection[str]) -> Collection[str]:
    """Log the feeds that fell silent or speak again since *known*; return those silent now."""
    silent = feed_health.silences(record)
    for name in sorted(silent.keys() - set(known)):
        quiet = span(silent[name])
        log.error("feed %s is silent: no message in %s of its hours", name, quiet)
    for name in sorted(set(known) - silent.keys()):
        log.warning("feed %s is not silent any more", name)
    return frozenset(silent)
