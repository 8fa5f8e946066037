"""What has run out of sign-ins and tokens is taken away while the portal runs."""

import asyncio
import logging

from auth import pruning
from fhir_server.errors import FhirError
from fhir_server.record import Record

log = logging.getLogger(__name__)

EVERY = 300.0
"""Seconds between two pieces, where little has run out."""
PAUSE = 1.0
"""Seconds until the next piece where there is more: others write in between."""


async def watch(record: Record) -> None:
    """Take away what has run out, until cancelled."""
    while True:
        pause = await asyncio.to_thread(tidied, record)
        await asyncio.sleep(pause)


def tidied(record: Record) -> float:
    """Take a piece away; return the seconds until the next."""
    try:
        taken = pruning.prune(record)
    except FhirError:
        log.warning("what has run out could not be taken away; it comes with the next")
        return EVERY
    return PAUSE if taken >= pruning.MOST else EVERY
