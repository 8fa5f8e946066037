"""Agreements with senders: made, changed, shown and ended by whoever runs the portal.

Each change is on the ledger with the names of the settings that it touched, and the doors of this
process take it at once.
"""

import asyncio
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from adapters.intake import code_maps, code_rows, feed_settings, registry
from adapters.intake.code_maps import Meaning
from adapters.intake.code_rows import CodeRow
from adapters.intake.feeds import Feed, FeedWrongError
from fhir_server.errors import Conflict, Invalid, NotFound
from fhir_server.record import Asked, Writer
from portal_api.operating import operator_access
from portal_api.portal import Portal

Tree = dict[str, Any]
T = TypeVar("T")


async def add(portal: Portal, request: Tree, user: str) -> str:
    """Agree on the feed `name` with the `changes` (setting to text); return its name.

    Raises Conflict where there is one already, Invalid where a setting is wrong.
    """
    name = str(request["name"])
    fresh = _judged(lambda: feed_settings.from_settings({"name": name}))
    feed = _amended(fresh, request["changes"])
    _refuse_open_door(portal, feed)

    def piece(writer: Writer) -> None:
        if registry.current(writer, name) is not None:
            raise Conflict.of(f"There is a feed {name} already: portal-fhir feed edit changes it.")
        registry.agree(writer, feed)

    await _changed(portal, user, piece, name)
    return name


async def edit(portal: Portal, request: Tree, user: str) -> list[str]:
    """Change the feed `name` by `changes`; return the names of the settings that differ now."""
    name = str(request["name"])

    def piece(writer: Writer) -> list[str]:
        before = registry.current(writer, name)
        if before is None:
            raise NotFound.of(f"There is no feed {name}.")
        after = _amended(before, request["changes"])
        _refuse_open_door(portal, after)
        return list(registry.agree(writer, after))

    return await _changed(portal, user, piece, name)


async def bring_in(portal: Portal, request: Tree, user: str) -> Tree:
    """Agree on the feed in `settings` (TOML), in place of one of its name; its codes, too.

    Returns `name`, `changed` (settings) and `codes` (how many got a meaning).
    """
    feed, rows = _judged(lambda: _read(request["settings"]))
    _refuse_open_door(portal, feed)

    def piece(writer: Writer) -> list[str]:
        changed = registry.agree(writer, feed)
        _set_codes(writer, feed, rows)
        return list(changed)

    changed = await _changed(portal, user, piece, feed.name)
    return {"name": feed.name, "changed": changed, "codes": len(rows)}


async def bring_in_codes(portal: Portal, request: Tree, user: str) -> int:
    """Give the codes in `rows` (CSV) their meaning for the feed `name`; return how many."""
    name = str(request["name"])
    rows = _judged(lambda: code_rows.from_csv(request["rows"]))

    def piece(writer: Writer) -> None:
        feed = registry.current(writer, name)
        if feed is None:
            raise NotFound.of(f"There is no feed {name}.")
        _set_codes(writer, feed, rows)

    await _changed(portal, user, piece, name)
    return len(rows)


async def end(portal: Portal, request: Tree, user: str) -> bool:
    """End the feed `name`; tell whether there was one."""
    name = str(request["name"])
    return await _changed(portal, user, lambda writer: registry.end(writer, name), name)


def _read(text: str) -> tuple[Feed, tuple[CodeRow, ...]]:
    tree = tomllib.loads(text)
    codes = code_rows.from_tables(tree.pop("codes", []))
    return feed_settings.from_settings(tree), codes


def _amended(feed: Feed, changes: Mapping[str, str]) -> Feed:
    return _judged(lambda: feed_settings.amended(feed, changes))


def _judged(read: Callable[[], T]) -> T:
    try:
        return read()
    except (tomllib.TOMLDecodeError, FeedWrongError) as wrong:
        raise Invalid.of(f"The feed can't be used: {wrong}") from None


def _refuse_open_door(portal: Portal, feed: Feed) -> None:
    """Raise Invalid for a feed that would let in anybody from elsewhere."""
    if not portal.settings.mllp.is_loopback and not feed.names_its_sender():
        raise Invalid.of(
            "The feed can't be used: off loopback it has to name sources, sending_application, "
            "sending_facility, receiving_application and receiving_facility."
        )


def _set_codes(writer: Writer, feed: Feed, rows: tuple[CodeRow, ...]) -> None:
    meanings = []
    for row in rows:
        target = {"system": row.target_system, "code": row.target_code}
        target |= {"display": row.display} if row.display else {}
        meanings.append(Meaning(code_rows.system_of(row, feed), row.code, target))
    if meanings:
        code_maps.set_meanings(writer, feed.name, meanings)
        reason = f"{len(meanings)} codes were given a meaning"
        writer.audit("feed-changed", entity=f"feed:{feed.name}", reason=reason)


async def _changed(portal: Portal, user: str, piece: Callable[[Writer], T], feed: str) -> T:
    """Run *piece* under the locks of the feed and of its codes; then the doors read anew."""
    future = portal.record.submit(
        operator_access(user),
        piece,
        buckets=[registry.bucket(feed), code_maps.work_list_bucket(feed)],
        asked=Asked("feed-changed", f"feed:{feed}"),
    )
    answer = await asyncio.wrap_future(future)
    await asyncio.to_thread(portal.feeds.reread)
    return answer
