"""PostgreSQL stopped in the middle of a feed: nothing is pretended, and it goes on by itself."""

import asyncio
import random

import httpx
import pytest

from tests.faults import mutants
from tests.faults.databases import through_restarts
from tests.faults.hospital import Ward
from tests.faults.scene import amid, closing, more
from tests.faults.stage import Stage


@pytest.mark.durable
def test_a_database_that_stops_costs_no_message_and_no_restart(
    stage: Stage, chance: random.Random
) -> None:
    folder = stage.place()
    portal = stage.program(stage.postgresql(), folder)
    seen = through_restarts(portal, stage.cluster, chance, 2)
    assert seen.findings == ()
    assert set(seen.otherwise) <= {"AR 207"}


@pytest.mark.durable
def test_a_portal_without_its_database_says_so_at_every_door(stage: Stage) -> None:
    folder = stage.place()
    portal = stage.program(stage.postgresql(), folder)
    ward = Ward()
    found: list[int] = []

    async def gone_for_a_while() -> None:
        await more(ward, 20)
        await asyncio.to_thread(stage.cluster.stop)
        while not ward.otherwise:
            await asyncio.sleep(0.01)
        asked = len(ward.acknowledged)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{portal.http}") as client:
            found.append((await client.get("/readyz")).status_code)
            refused = await client.get("/fhir/Patient/0", headers={"Authorization": "Bearer x"})
            found.append(refused.status_code)
            found.append(len(ward.acknowledged) - asked)
            await asyncio.to_thread(stage.cluster.start)
            await more(ward, 1)
            found.append((await client.get("/readyz")).status_code)

    portal.start()
    amid(portal.mllp, ward, gone_for_a_while())
    seen = closing(portal, ward, 1)
    assert found == [503, 503, 0, 200]
    assert set(seen.otherwise) == {"AR 207"}
    assert seen.findings == ()


@pytest.mark.durable
def test_an_answer_of_success_without_a_database_is_noticed(
    stage: Stage, chance: random.Random
) -> None:
    folder = stage.place()
    portal = stage.program(stage.postgresql(), folder, mutants.acknowledge_what_was_not_kept)
    seen = through_restarts(portal, stage.cluster, chance, 1)
    assert seen.number("lost") > 0
