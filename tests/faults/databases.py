"""PostgreSQL stopped at once and started again, in the middle of a feed, again and again."""

import asyncio
import random
from collections.abc import Callable

from tests.faults.hospital import Ward
from tests.faults.program import Program
from tests.faults.scene import Seen, amid, closing, more
from tests.faults.stage import Cluster


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
