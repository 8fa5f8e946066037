"""What the commands that look at messages leave on the ledger."""

import asyncio

from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id
from portal_api.commands import commands
from tests.portal_api.api.conftest import Office
from tests.portal_api.pages.world import make_world


def test_a_look_at_a_message_that_waits_is_told_to_the_patient_in_it(sqlite_url, tmp_path) -> None:
    for world in make_world(sqlite_url, tmp_path):
        Office(world).send(born="soon")
        (shown,) = asyncio.run(commands(world.portal)["trace"]({"key": "MSG1"}, "test"))
        assert "9990000018" in shown["raw"]
        alan = derived_id(world.portal.record.id_key, "Patient", NHS_NUMBER, "9990000018")
        assert [alan in str(one["entity"]) for one in world.entries("message-seen")] == [True]
