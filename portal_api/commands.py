"""The commands that write, as the running process carries them out, or a command line by itself."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from adapters.intake import code_maps, inbox, replay, waiting
from fhir_server.clock import from_micros, instant_text
from fhir_server.errors import Invalid
from fhir_server.record import Asked, Writer
from portal_api import agreeing, control, dropping, joining, lock, registering, repeating
from portal_api.control import Carry
from portal_api.issuing import issue
from portal_api.messages_seen import patients_in
from portal_api.opening import opened
from portal_api.operating import operator_access
from portal_api.portal import Portal
from portal_api.reindexing import reindex
from portal_api.settings import Settings

Tree = dict[str, Any]


def commands(portal: Portal) -> Mapping[str, Carry]:
    """Return what the control socket understands, by name."""

    def bound(command: Callable[[Portal, Tree, str], Awaitable[Any]]) -> Carry:
        return lambda request, user: command(portal, request, user)

    return {
        "token": bound(issue),
        "feed-add": bound(agreeing.add),
        "feed-edit": bound(agreeing.edit),
        "feed-import": bound(agreeing.bring_in),
        "feed-codes": bound(agreeing.bring_in_codes),
        "feed-end": bound(agreeing.end),
        "feed-file": bound(dropping.hand_in_file),
        "feed-replay": bound(repeating.again),
        "inbox-copied": bound(repeating.copied),
        "feed-retry": bound(_retry),
        "feed-merge": bound(joining.merge),
        "feed-unmerge": bound(joining.unmerge),
        "code-map": bound(_map_code),
        "trace": bound(_trace),
        "ledger-verified": bound(_noted("ledger-verified")),
        "ledger-exported": bound(_noted("ledger-exported")),
        "errors": bound(_errors),
        "inbox-index": bound(reindex),
        "account-add": bound(registering.add_account),
        "account-end": bound(registering.end_account),
        "client-add": bound(registering.add_client),
        "client-keys": bound(registering.change_client_keys),
        "client-end": bound(registering.end_client),
        "care": bound(registering.add_care),
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


async def _submitted(
    portal: Portal, user: str, piece: Callable[[Writer], Any], feed: str, bucket: int
) -> Any:
    asked = Asked("feed-changed", f"feed:{feed}")
    future = portal.record.submit(operator_access(user), piece, buckets=[bucket], asked=asked)
    return await asyncio.wrap_future(future)


async def _map_code(portal: Portal, request: Tree, user: str) -> str:
    """Give a code its meaning; without its system the one in which the feed sent it is meant."""
    feed, code = str(request["feed"]), str(request["code"])
    system = str(request["system"])
    if not system:
        statement = code_maps.systems_of(feed, code)
        rows = await asyncio.to_thread(portal.record.select, statement)
        if len(rows) != 1:
            found = "several code systems" if rows else "no message yet"
            raise Invalid.of(f"{code} of {feed} was seen in {found}: name its system.")
        system = rows[0].system

    def piece(writer: Writer) -> None:
        code_maps.set_meaning(writer, feed, (system, code), request["target"])
        writer.audit("feed-changed", entity=f"feed:{feed}", reason="a code was given a meaning")

    await _submitted(portal, user, piece, feed, code_maps.work_list_bucket(feed))
    return system


async def _retry(portal: Portal, request: Tree, user: str) -> list[Tree]:
    """Run what was set aside under a control id again; say what became of each message."""
    agreed = await asyncio.to_thread(portal.feeds.reread)
    access = operator_access(user)
    done = await asyncio.to_thread(
        replay.replay, portal.record, access, agreed, str(request["control_id"])
    )
    return [asdict(one) | {"made": list(one.made)} for one in done]


def _noted(subtype: str) -> Callable[[Portal, Tree, str], Awaitable[bool]]:
    """Return the command that leaves an entry: who uses the ledger is on it as well."""

    async def note(portal: Portal, _request: Tree, user: str) -> bool:
        noted = portal.record.note(operator_access(user), subtype, entity="ledger")
        await asyncio.wrap_future(noted)
        return True

    return note


async def _trace(portal: Portal, request: Tree, user: str) -> list[Tree]:
    """Return what became of the messages under a key.

    The look is on the ledger first, once for each patient whom a message is about.
    """
    key = str(request["key"])
    rows = await asyncio.to_thread(inbox.trace, portal.record, key)
    entity = f"message:{key}"[:200]

    def looked(writer: Writer) -> None:
        touched = {one for row in rows for one in patients_in(writer, row)}
        for patient in sorted(touched) or ("",):
            writer.audit("message-seen", entity=entity, patient=patient)

    asked = Asked("message-seen", entity)
    noted = portal.record.submit(operator_access(user), looked, asked=asked)
    await asyncio.wrap_future(noted)
    return [_shown(row._asdict()) for row in rows]


async def _errors(portal: Portal, _request: Tree, user: str) -> list[Tree]:
    """Return what waits for a person, newest first; the look is on the ledger first."""
    noted = portal.record.note(operator_access(user), "message-seen", entity="error-queue")
    await asyncio.wrap_future(noted)
    rows = await asyncio.to_thread(portal.record.select, waiting.queue())
    names = ("feed", "control_id", "fate", "code", "address", "reason")
    return [{name: getattr(row, name) for name in names} | _received(row.received) for row in rows]


def _received(moment: int) -> Tree:
    return {"received": instant_text(from_micros(moment))}


def _shown(row: Tree) -> Tree:
    texts = {name: _text(bytes(row[name])) for name in ("raw", "ack")}
    names = ("feed", "peer", "control_id", "fate", "code", "address", "reason", "flags", "made")
    return {name: row[name] for name in (*names, "copies")} | texts | _received(row["received"])


def _text(raw: bytes) -> str:
    """Return the bytes of a message as text; what is no UTF-8 is read as Windows-1252."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
