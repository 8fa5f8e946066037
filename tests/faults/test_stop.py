"""SIGTERM in the middle of a feed: what was begun is committed and answered, the rest is not."""

import asyncio

import pytest

from tests.faults.hospital import Ward, deliver
from tests.faults.reckoning import filed
from tests.faults.scene import reckoned
from tests.faults.stage import Stage


@pytest.mark.durable
def test_a_stop_answers_all_that_it_files(stage: Stage, engine_name: str) -> None:
    folder = stage.place()
    portal = stage.program(stage.database(engine_name, folder), folder)
    ward = Ward()

    async def stopped() -> None:
        async def stop() -> None:
            while len(ward.acknowledged) < 50:
                await asyncio.sleep(0.001)
            portal.ask_to_stop()

        await asyncio.gather(deliver(portal.mllp, ward), stop())

    portal.start()
    asyncio.run(stopped())
    assert portal.ended() == 0
    assert len(ward.acknowledged) >= 50
    assert filed(portal.database_url) == set(ward.acknowledged)
    assert reckoned(portal, ward) == []
