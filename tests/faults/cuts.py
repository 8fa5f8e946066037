"""The power goes in the middle of a feed, again and again: what was not synced is forgotten."""

import asyncio
import random
from collections.abc import Callable

from tests.faults.disk import Disk
from tests.faults.hospital import Ward, deliver
from tests.faults.kills import killed
from tests.faults.program import Program
from tests.faults.scene import Seen, closing, more
from tests.faults.stage import Cluster


def through_cuts(
    portal: Program,
    disk: Disk,
    chance: random.Random,
    cuts: int,
    told: Callable[[], None] = lambda: None,
) -> Seen:
    """Send to a portal on *disk*, which loses its power *cuts* times; *told* after each."""
    ward = Ward()
    for _ in range(cuts):
        portal.start()
        asyncio.run(killed(portal, ward, chance))
        disk.cut()
        told()
    portal.start()
    return closing(portal, ward, cuts)


def through_cuts_of_a_server(
    portal: Program,
    server: tuple[Cluster, Disk],
    chance: random.Random,
    cuts: int,
    told: Callable[[], None] = lambda: None,
) -> Seen:
    """Send to a portal whose server, all of it on its disk, loses its power *cuts* times."""
    ward = Ward()
    cluster, disk = server

    async def cut() -> None:
        await more(ward, chance.randrange(1, 40))
        await asyncio.sleep(chance.random() * 0.02)
        await asyncio.to_thread(cluster.kill)
        await asyncio.to_thread(portal.kill)

    async def both() -> None:
        await asyncio.gather(deliver(portal.mllp, ward), cut())

    for _ in range(cuts):
        portal.start()
        asyncio.run(both())
        disk.cut()
        cluster.start()
        told()
    portal.start()
    return closing(portal, ward, cuts)
