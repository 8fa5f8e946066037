"""PostgreSQL stopped at once, or silent, in the middle of a feed, again and again."""

import asyncio
import random
from collections.abc import Callable

from tests.faults.hospital import Ward
from tests.faults.program import Program
from tests.faults.scene import Seen, amid, closing, more, refused
from tests.faults.stage import Cluster

HURRIED = """
from fhir_server.store import silence
silence.LONGEST = 0.5
silence._WHEN_CONNECTING["connect_timeout"] = 2
silence._ASKED_OF_THE_SERVER["idle_in_transaction_session_timeout"] = "1s"
"""
"""Makes a portal wait for a silent server for seconds, where it would for a quarter of a minute."""


def through_silences(
    portal: Program,
    cluster: Cluster,
    chance: random.Random,
    times: int,
    told: Callable[[], None] = lambda: None,
) -> Seen:
    """Send to a portal whose server stands still *times* times, each until the portal says so."""
    ward = Ward()

    async def trouble() -> None:
        for _ in range(times):
            await more(ward, chance.randrange(1, 60))
            await asyncio.sleep(chance.random() * 0.02)
            cluster.pause()
            try:
                await refused(ward)
                await asyncio.sleep(chance.random() * 0.2)
            finally:
                cluster.resume()
            told()
        await more(ward, 10)

    portal.before = HURRIED + portal.before
    portal.start()
    amid(portal.mllp, ward, trouble())
    return closing(portal, ward, times)


def through_restarts(
    portal: Program,
    cluster: Cluster,
    chance: random.Random,
    restarts: int,
    told: Callable[[], None] = lambda: None,
) -> Seen:
    """Send to a portal that runs on while its server is stopped *restarts* times."""
    ward = Ward()

    async def trouble() -> None:
        for _ in range(restarts):
            await more(ward, chance.randrange(1, 60))
            await asyncio.sleep(chance.random() * 0.02)
            await asyncio.to_thread(cluster.stop)
            await asyncio.sleep(chance.random() * 0.2)
            await asyncio.to_thread(cluster.start)
            told()
        await more(ward, 10)

    portal.start()
    amid(portal.mllp, ward, trouble())
    return closing(portal, ward, restarts)
