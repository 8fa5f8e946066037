"""A sync fails in the middle of a feed; the portal ends, starts again, and then the power goes."""

import asyncio
import random
from collections.abc import Callable

from tests.faults.disk import Disk
from tests.faults.hospital import Ward, deliver
from tests.faults.kills import killed
from tests.faults.program import Program
from tests.faults.scene import Seen, closing, more

FAILED = 2
"""The status with which a portal ends whose disk failed."""


def through_failures(
    portal: Program,
    disk: Disk,
    chance: random.Random,
    failures: int,
    told: Callable[[], None] = lambda: None,
    *,
    is_deaf: bool = False,
) -> Seen:
    """Send to a portal whose disk fails to sync *failures* times, each time followed by a cut.

    One that *is_deaf* to errors does not end by itself, and is killed.
    """
    ward = Ward()
    for _ in range(failures):
        portal.start()
        asyncio.run(_failed(portal, disk, ward, chance, is_deaf=is_deaf))
        portal.start()
        asyncio.run(killed(portal, ward, chance))
        disk.cut()
        told()
    portal.start()
    return closing(portal, ward, failures)


async def _failed(
    portal: Program, disk: Disk, ward: Ward, chance: random.Random, *, is_deaf: bool
) -> None:
    async def fail() -> None:
        await more(ward, chance.randrange(1, 30))
        disk.fail(1)
        if not is_deaf:
            status = await asyncio.to_thread(portal.ended)
            assert status == FAILED, f"it ended with status {status}"
            return
        await more(ward, 30)
        await asyncio.to_thread(portal.kill)

    await asyncio.gather(deliver(portal.mllp, ward), fail())
