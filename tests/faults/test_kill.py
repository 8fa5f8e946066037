"""`kill -9` in the middle of a feed: what was acknowledged is there once, nothing is half filed."""

import asyncio
import random
from collections import deque
from collections.abc import Callable

import pytest

from tests.faults.hospital import Sent, Ward, deliver, messages
from tests.faults.program import Program
from tests.faults.reckoning import filed, findings

Make = Callable[..., Program]
MESSAGES, KILLS = 1000, 3


async def killed_at(program: Program, ward: Ward, count: int, later: float) -> None:
    """Send until *count* messages are acknowledged, then kill the portal *later* (seconds)."""

    async def kill() -> None:
        while len(ward.acknowledged) < count:
            await asyncio.sleep(0.001)
        await asyncio.sleep(later)
        await asyncio.to_thread(program.kill)

    await asyncio.gather(deliver(program.mllp, ward), kill())


def sent_through_kills(
    program: Program, chance: random.Random, kills: int
) -> tuple[list[Sent], Ward]:
    """Send every message to a portal that is killed *kills* times meanwhile."""
    sent = messages(MESSAGES)
    ward = Ward(deque(sent))
    for count in sorted(chance.sample(range(20, MESSAGES - 100), kills)):
        program.start()
        asyncio.run(killed_at(program, ward, count, chance.random() * 0.02))
    program.start()
    asyncio.run(deliver(program.mllp, ward))
    program.ask_to_stop()
    assert program.ended() == 0
    return sent, ward


@pytest.mark.durable
def test_a_thousand_messages_through_kills_are_each_there_once(
    durable_url: str, program: Make, chance: random.Random
) -> None:
    portal = program(durable_url)
    sent, ward = sent_through_kills(portal, chance, KILLS)
    assert sorted(ward.acknowledged) == [one.control_id for one in sent]
    assert ward.otherwise == {}
    assert findings(durable_url, sent, ward.acknowledged) == []
    assert filed(durable_url) == set(ward.acknowledged)
    verified = portal.command("audit", "verify")
    assert verified.returncode == 0, verified.stdout


@pytest.mark.durable
def test_an_answer_before_the_commit_would_be_noticed(
    sqlite_url: str, program: Make, chance: random.Random
) -> None:
    too_soon = "from tests.faults import mutants; mutants.acknowledge_too_soon()"
    portal = program(sqlite_url, too_soon)
    sent = messages(200)
    ward = Ward(deque(sent))
    portal.start()
    asyncio.run(killed_at(portal, ward, 60, chance.random() * 0.02))
    lost = [one for one in findings(sqlite_url, sent, ward.acknowledged) if one.endswith("is lost")]
    assert lost
