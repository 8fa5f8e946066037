"""SIGTERM in the middle of a feed: what was begun is committed and answered, the rest is not."""

import asyncio
from collections import deque
from collections.abc import Callable

import pytest

from tests.faults.hospital import Ward, deliver, messages
from tests.faults.program import Program
from tests.faults.reckoning import filed, findings


@pytest.mark.durable
def test_a_stop_answers_all_that_it_files(
    durable_url: str, program: Callable[..., Program]
) -> None:
    portal = program(durable_url)
    sent = messages(300)
    ward = Ward(deque(sent))

    async def stopped() -> None:
        async def stop() -> None:
            while len(ward.acknowledged) < 50:
                await asyncio.sleep(0.001)
            portal.ask_to_stop()

        await asyncio.gather(deliver(portal.mllp, ward), stop())

    portal.start()
    asyncio.run(stopped())
    assert portal.ended() == 0
    assert 50 <= len(ward.acknowledged) < len(sent)
    assert filed(durable_url) == set(ward.acknowledged)
    assert findings(durable_url, sent, ward.acknowledged) == []
    verified = portal.command("audit", "verify")
    assert (verified.returncode, verified.stderr) == (0, "")
