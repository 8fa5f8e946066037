"""The power goes in the middle of a feed, again and again: what was not synced is forgotten."""

import asyncio
import random
from collections.abc import Callable

from tests.faults.disk import Disk
from tests.faults.hospital import Ward
from tests.faults.kills import killed
from tests.faults.program import Program
from tests.faults.scene import Seen, closing


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
