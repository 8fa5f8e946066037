"""The disk fills up in the middle of a feed and gets room again, again and again."""

import asyncio
import random
from collections.abc import Callable

from tests.faults.disk import Disk
from tests.faults.hospital import Ward
from tests.faults.program import Program
from tests.faults.scene import Seen, amid, closing, more

NO_ROOM, ROOM = 0, 1 << 40


def through_full_disks(
    portal: Program,
    disk: Disk,
    chance: random.Random,
    times: int,
    told: Callable[[], None] = lambda: None,
    again: Callable[[], None] = lambda: None,
) -> Seen:
    """Send to a portal that runs on while its disk is full *times* times; *told* after each.

    *again* is done when there is room again, as whoever looks after the machine does.
    """
    ward = Ward()

    async def trouble() -> None:
        for _ in range(times):
            await more(ward, chance.randrange(1, 60))
            disk.shrink(NO_ROOM)
            await asyncio.sleep(0.2 + chance.random() * 0.3)
            disk.shrink(ROOM)
            await asyncio.to_thread(again)
            told()
        await more(ward, 10)

    portal.start()
    amid(portal.mllp, ward, trouble())
    return closing(portal, ward, times)
