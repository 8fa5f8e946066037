"""The commands that write, as the running process carries them out, or a command line by itself."""

import asyncio
import os
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from adapters.intake import code_maps, feeds, inbox, registry
from fhir_server.access import Access, Agent, NoRecord
from fhir_server.clock import from_micros, instant_text
from fhir_server.errors import Invalid
from fhir_server.record import Asked, Writer
from portal_api import control, lock
from portal_api.control import Carry
from portal_api.issuing import issue
from portal_api.opening import opened
from portal_api.portal import Portal
from portal_api.settings import Settings

Tree = dict[str, Any]


def commands(portal: Portal) -> Mapping[str, Carry]:
    """Return what the control socket understands, by name."""

    def bound(command: Callable[[Portal, Tree, str], Awaitable[Any]]) -> Carry:
        return lambda request, user: command(portal, request, user)

    return {
        "token": bound(issue),
        "feed-add": bound(_add_feed),
        "feed-end": bound(_end_feed),
        "code-map": bound(_map_code),
        "trace": bound(_trace),
    }


def carried(settings: Settings, request: Tree) -> Any:
    """Return the answer to *request*: of the running process, else of this one, having the lock."""
    answer = control.ask(settings.data_dir, request)
    if answer is not None:
        return answer
    with lock.held(settings.database_url), opened(settings) as portal:
        command = commands(portal)[request["command"]]
        return asyncio.run(_awaited(command(request, control.user_name(os.getuid()))))


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer


def operator_access(user: str) -> Access:
    """Return the access of whoever runs the machine: no record, but a name on the ledger."""
    agent = Agent("operator", user=f"os:{user}", purpose="HOPERAT", behind=user)
    return Access(agent, f"cli-{user}"[:64], NoRecord(), {})


async def _submitted(
    portal: Portal, user: str, piece: Callable[[Writer], Any], entity: str
) -> Any:
    asked = Asked("feed-changed", entity)
    future = portal.record.submit(operator_access(user), piece, asked=asked)
    return await asyncio.wrap_future(future)


async def _add_feed(portal: Portal, request: Tree, user: str) -> str:
    try:
        feed = feeds.from_settings(tomllib.loads(request["settings"]))
    except (tomllib.TOMLDecodeError, feeds.FeedWrongError) as wrong:
        raise Invalid.of(f"The feed can't be used: {wrong}") from None
    await _submitted(portal, user, lambda writer: registry.agree(writer, feed), f"feed:{feed.name}")
    return str(feed.name)


async def _end_feed(portal: Portal, request: Tree, user: str) -> bool:
    name = request["name"]
    return bool(
        await _submitted(portal, user, lambda writer: registry.end(writer, name), f"feed:{name}")
    )


async def _map_code(portal: Portal, request: Tree, user: str) -> str:
    feed, local = str(request["feed"]), (request["system"], request["code"])

    def piece(writer: Writer) -> None:
        code_maps.set_meaning(writer, feed, local, request["target"])
        writer.audit("feed-changed", entity=f"feed:{feed}", reason="a code was given a meaning")

    await _submitted(portal, user, piece, f"feed:{feed}")
    return feed


async def _trace(portal: Portal, request: Tree, user: str) -> list[Tree]:
    """Return what became of the messages under a key; the look at them is on the ledger first."""
    key = request["key"]
    access = operator_access(user)
    rows = await asyncio.to_thread(inbox.trace, portal.record, key)
    noted = portal.record.note(access, "message-seen", entity=f"message:{key}"[:200])
    await asyncio.wrap_future(noted)
    return [_shown(row._asdict()) for row in rows]


def _shown(row: Tree) -> Tree:
    charset = "utf-8"
    texts = {name: bytes(row[name]).decode(charset, "replace") for name in ("raw", "ack")}
    received = {"received": instant_text(from_micros(row["received"]))}
    names = ("feed", "peer", "fate", "code", "address", "reason", "flags", "made", "copies")
    return {name: row[name] for name in names} | texts | received
