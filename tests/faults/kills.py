"""`kill -9` in the middle of a feed, again and again, on one database."""

import asyncio
import random
from collections.abc import Callable

from tests.faults.hospital import Ward, deliver
from tests.faults.program import Program
from tests.faults.scene import Seen, closing, more


def through_kills(
    portal: Program, chance: random.Random, kills: int, told: Callable[[], None] = lambda: None
) -> Seen:
    """Send to a portal that is killed and started again *kills* times; *told* after each."""
    ward = Ward()
    for _ in range(kills):
        portal.start()
        asyncio.run(killed(portal, ward, chance))
        told()
    portal.start()
    return closing(portal, ward, kills)


async def killed(portal: Program, ward: Ward, chance: random.Random) -> None:
    """Send until some messages more are acknowledged, then kill the portal a moment later."""

    async def kill() -> None:
        await more(ward, chance.randrange(1, 40))
        await asyncio.sleep(chance.random() * 0.02)
        await asyncio.to_thread(portal.kill)

    await asyncio.gather(deliver(portal.mllp, ward), kill())
