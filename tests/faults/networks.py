"""A network that fails in the middle of a feed, before the portal or between it and its server."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tests.faults.databases import HURRIED
from tests.faults.hospital import Ward, insist
from tests.faults.network import Network, to_port, to_socket
from tests.faults.program import Program
from tests.faults.scene import Seen, closing, more, refused


def through_cut_lines(
    portal: Program, chance: random.Random, cuts: int, told: Callable[[], None] = lambda: None
) -> Seen:
    """Send over lines that dribble, stall, are cut, and lose answers, *cuts* times in turn."""
    ward = Ward()
    portal.start()

    async def scene() -> None:
        async with to_port(portal.mllp) as (network, port):
            network.dribble = chance
            await _sent(port, ward, _trouble(network, ward, chance, cuts, told))

    asyncio.run(scene())
    return closing(portal, ward, cuts)


def through_a_cut_server(
    portal: Program,
    sockets: tuple[Path, Path],
    chance: random.Random,
    cuts: int,
    told: Callable[[], None] = lambda: None,
) -> Seen:
    """Send to a portal that reaches its server, from the second socket to the first, over a line
    that stalls and is cut, *cuts* times in turn."""
    ward = Ward()
    server, entrance = map(str, sockets)

    async def scene() -> Seen:
        async with to_socket(server, entrance) as network:
            await asyncio.to_thread(portal.start)
            await _sent(portal.mllp, ward, _trouble(network, ward, chance, cuts, told))
            return await asyncio.to_thread(closing, portal, ward, cuts)

    return asyncio.run(scene())


def through_a_dark_server(
    portal: Program,
    sockets: tuple[Path, Path],
    chance: random.Random,
    times: int,
    told: Callable[[], None] = lambda: None,
) -> Seen:
    """Send to a portal whose line to its server, as in `through_a_cut_server`, loses all that goes
    over it *times* times, each until the portal says so."""
    ward = Ward()
    server, entrance = map(str, sockets)

    async def trouble(network: Network) -> None:
        for _ in range(times):
            await more(ward, chance.randrange(1, 20))
            network.dark = True
            await refused(ward)
            network.dark = False
            told()
        await more(ward, 10)

    async def scene() -> Seen:
        async with to_socket(server, entrance) as network:
            await asyncio.to_thread(portal.start)
            await _sent(portal.mllp, ward, trouble(network))
            return await asyncio.to_thread(closing, portal, ward, times)

    portal.before = HURRIED + portal.before
    return asyncio.run(scene())


async def _sent(port: int, ward: Ward, trouble: Coroutine[Any, Any, None]) -> None:
    async def close() -> None:
        await trouble
        ward.close()

    async with asyncio.TaskGroup() as group:
        group.create_task(insist(port, ward))
        group.create_task(close())


async def _trouble(
    network: Network, ward: Ward, chance: random.Random, cuts: int, told: Callable[[], None]
) -> None:
    """Stall the line, cut it and be gone for a moment; or cut it in place of the next answers."""
    for turn in range(cuts):
        await more(ward, chance.randrange(1, 20))
        if turn % 2 == 0:
            network.flows.clear()
            await asyncio.sleep(chance.random() * 0.2)
            network.gone = True
            network.cut()
            network.flows.set()
            await asyncio.sleep(chance.random() * 0.2)
            network.gone = False
        else:
            network.swallow = True
            await asyncio.sleep(0.05 + chance.random() * 0.1)
            network.swallow = False
        told()
    await more(ward, 10)
