"""PostgreSQL neither answers nor hangs up: the portal says so in time, and goes on by itself."""

import random

import httpx
import pytest

from tests.faults import mutants
from tests.faults.databases import HURRIED
from tests.faults.hospital import Ward
from tests.faults.scene import amid, closing, more, refused
from tests.faults.stage import Stage
from tests.faults.trials import server_dark, silenced

PATIENCE = 60.0
"""Seconds after which somebody who asked gives up; the portal has long answered by then."""


def nothing() -> None:
    """Tell nobody of a fault."""


@pytest.mark.durable
def test_a_server_that_stands_still_is_no_portal_that_does(stage: Stage) -> None:
    folder = stage.place()
    portal = stage.program(stage.postgresql(), folder)
    portal.before = HURRIED
    ward = Ward()
    found: list[int] = []

    async def silent_for_a_while() -> None:
        await more(ward, 20)
        stage.cluster.pause()
        try:
            await refused(ward)
            base = f"http://127.0.0.1:{portal.http}"
            async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as client:
                found.append((await client.get("/livez")).status_code)
                found.append((await client.get("/readyz")).status_code)
                asked = await client.get("/fhir/Patient/0", headers={"Authorization": "Bearer x"})
                found.append(asked.status_code)
        finally:
            stage.cluster.resume()
        await more(ward, 1)

    portal.start()
    amid(portal.mllp, ward, silent_for_a_while())
    seen = closing(portal, ward, 1)
    assert found == [200, 503, 503]
    assert set(seen.otherwise) == {"AR 207"}
    assert seen.findings == ()


@pytest.mark.durable
def test_a_line_that_loses_everything_costs_no_message_and_no_restart(
    stage: Stage, chance: random.Random
) -> None:
    seen = server_dark(stage, chance, 2, nothing, None)
    assert seen.findings == ()
    assert set(seen.otherwise) == {"AR 207"}


@pytest.mark.durable
def test_an_answer_of_success_from_a_silent_server_is_noticed(
    stage: Stage, chance: random.Random
) -> None:
    seen = silenced(stage, chance, 1, nothing, mutants.acknowledge_what_was_not_kept)
    assert seen.number("lost") > 0
