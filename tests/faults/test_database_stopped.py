"""PostgreSQL stopped in the middle of a feed: nothing is pretended, and it goes on by itself."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.faults.hospital import Ward, deliver, messages
from tests.faults.program import Program
from tests.faults.reckoning import filed, findings


@pytest.mark.durable
def test_a_database_that_stops_costs_no_message_and_no_restart(
    cluster: Any, durable_postgresql_url: str, program: Callable[..., Program]
) -> None:
    portal = program(durable_postgresql_url)
    sent = messages(300)
    ward = Ward(deque(sent))
    found: list[int] = []

    async def gone_for_a_while() -> None:
        while len(ward.acknowledged) < 50:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(cluster.stop)
        asked = len(ward.acknowledged)
        while not ward.otherwise:
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{portal.http}") as client:
            found.append((await client.get("/readyz")).status_code)
            refused = await client.get("/fhir/Patient/0", headers={"Authorization": "Bearer x"})
            found.append(refused.status_code)
        found.append(len(ward.acknowledged) - asked)
        await asyncio.to_thread(cluster.start)

    async def scene() -> None:
        await asyncio.gather(deliver(portal.mllp, ward), gone_for_a_while())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{portal.http}") as client:
            found.append((await client.get("/readyz")).status_code)

    portal.start()
    asyncio.run(scene())
    assert sorted(ward.acknowledged) == [one.control_id for one in sent]
    assert set(ward.otherwise) == {"AR 207"}
    unready, unanswered, meanwhile, ready = found
    assert (unready, unanswered, ready) == (503, 503, 200)
    assert meanwhile <= 48  # answers that were on their way when it stopped
    portal.ask_to_stop()
    assert portal.ended() == 0
    assert filed(durable_postgresql_url) == set(ward.acknowledged)
    assert findings(durable_postgresql_url, sent, ward.acknowledged) == []
    verified = portal.command("audit", "verify")
    assert verified.returncode == 0, verified.stdout
