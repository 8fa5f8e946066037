"""A portal, and a program that asks its JSON interface as an operator."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from adapters.intake import feed_settings, registry
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.reception import receive
from portal_api.issuing import issue
from tests.portal_api.pages.world import FILING, World, make_world

ORU = """\
MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|20261124091500||ORU^R01^ORU_R01|{control_id}|P|2.5.1
PID|1||{nhs}^^^NHS^NH||Example^Alan||{born}|M
ORC|RE|ORD1|{filler}
OBR|1|ORD1|{filler}|{code}|||20261124083000|||||||||||||||20261124091500||{section}|F
OBX|1|NM|{code}||{value}|ug/L|0-6.5|H|||F|||20261124083000
"""


@dataclass
class Office:
    """The portal, and what is asked of it with one token."""

    world: World
    token: str = ""

    def ask(self, method, path, *, client="192.0.2.7", headers=None, **sent) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}

        async def asking() -> httpx.Response:
            transport = httpx.ASGITransport(self.world.app, client=(client, 443))
            async with httpx.AsyncClient(transport=transport, base_url="https://x") as asker:
                all_headers = bearer | (headers or {})
                return await asker.request(method, path, headers=all_headers, **sent)

        return asyncio.run(asking())

    def get(self, path, **sent) -> httpx.Response:
        return self.ask("GET", path, **sent)

    def post(self, path, body, **sent) -> httpx.Response:
        return self.ask("POST", path, json=body, **sent)

    def agree(self, **settings) -> Feed:
        feed = feed_settings.from_settings(settings)
        record = self.world.portal.record
        record.submit(FILING, lambda writer: registry.agree(writer, feed)).result(10)
        return feed

    def send(self, feed: Feed = LOOPBACK, **changes) -> str:
        """Send a PSA result; return its answer."""
        usual = {
            "control_id": "MSG1",
            "nhs": "9990000018",
            "born": "19550304",
            "filler": "LAB1",
            "code": "2857-1^PSA^LN",
            "value": "7.3",
            "section": "CH",
        }
        raw = ORU.format_map(usual | changes).replace("\n", "\r").encode()
        answers = receive(self.world.portal.record, (feed,), raw, "127.0.0.1").result(timeout=30)
        return b"".join(answers).decode()

    def entries(self, subtype) -> list[dict]:
        return self.world.entries(subtype)


def token_for(world: World, holder: str, scope: str = "") -> str:
    made = asyncio.run(issue(world.portal, {"as": holder, "scope": scope}, "test"))
    return str(made["access_token"])


@pytest.fixture
def world(sqlite_url, tmp_path) -> Iterator[World]:
    """A portal on SQLite."""
    yield from make_world(sqlite_url, tmp_path)


@pytest.fixture
def office(world) -> Office:
    """An operator's program."""
    return Office(world, token_for(world, "operator:olu"))


@pytest.fixture
def either_office(database_url, tmp_path) -> Iterator[Office]:
    """An operator's program, on each engine in turn."""
    for world in make_world(database_url, tmp_path):
        yield Office(world, token_for(world, "operator:olu"))
