"""The inbox run again: into the record as it stands, or into an empty one that becomes its twin."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from adapters.intake import code_maps, reception, registry, repeating, replay
from adapters.intake.code_maps import Meaning
from adapters.intake.repeating import START, Part
from adapters.intake.tracing import newest_of_feeds
from fhir_server.access import Access
from fhir_server.clock import from_micros
from fhir_server.record import Record, Writer
from portal_api.opening import empty_twin
from portal_api.operating import operator_access
from portal_api.portal import Portal

Tree = dict[str, Any]

_WAIT = 60.0
_RUN = frozenset({"filed", "quarantined"})


async def again(portal: Portal, request: Tree, user: str) -> Tree:
    """Run some messages of a part of the inbox again: `feed`, `since`, `until`, `after`.

    Returns `done` (what became of each) and `after`, where to go on; None where all are done.
    """
    part = Part(str(request["feed"]), int(request["since"]), request["until"])
    after = tuple(request["after"]) if request["after"] else START
    feeds = await asyncio.to_thread(portal.feeds.reread)
    done, place = await asyncio.to_thread(
        repeating.run, portal.record, operator_access(user), feeds, part, after
    )
    return {"done": [asdict(one) for one in done], "after": place}


async def copied(portal: Portal, request: Tree, user: str) -> bool:
    """Leave the entry that whoever runs the machine copies the inbox elsewhere."""
    entity = f"inbox:{request['feed'] or 'all feeds'}"
    noted = portal.record.note(operator_access(user), "message-seen", entity=entity)
    await asyncio.wrap_future(noted)
    return True


def into(portal: Portal, url: str, part: Part, user: str) -> Counter[str]:
    """Run *part* of the inbox into the empty database at *url*; return how many became what.

    Its clock is that of each message's arrival, so that the twin has the same resources, byte for
    byte. What was refused or cut off is not run, nor what joined records that a person has parted
    since. Raises NotEmpty where it is not empty.
    """
    source, became = portal.record, Counter[str]()
    feeds, access = portal.feeds.reread(), operator_access(user)
    arrived = [source.clock()]

    def clock() -> datetime:
        return arrived[0]

    with empty_twin(url, source, clock) as twin:
        _agree(source, twin, access)
        for row in repeating.in_order(source, part):
            if row.fate not in _RUN or repeating.was_parted(source, access, row):
                became["left"] += 1
                continue
            arrived[0] = from_micros(row.received)
            read = replay.prepared(twin, feeds, row, repeating.received_at(source, access, row))
            reception.answered(twin, read).result(_WAIT)
            became["filed" if read.converted is not None else "aside"] += 1
    return became


def _agree(source: Record, twin: Record, access: Access) -> None:
    """Give the twin the agreements of *source*, with the meanings of codes."""
    agreed = {feed.name: feed for feed in registry.agreed(source)}
    for name in sorted(agreed.keys() | newest_of_feeds(source).keys()):
        rows = source.select(code_maps.of_feed(name))
        meanings = [
            Meaning(
                row.system,
                row.code,
                {
                    "system": row.target_system,
                    "code": row.target_code,
                    "display": row.target_display,
                },
            )
            for row in rows
        ]
        pieces: list[Callable[[Writer], object]] = [
            partial(code_maps.set_meanings, feed=name, meanings=meanings)
        ]
        if name in agreed:
            pieces.append(partial(registry.agree, feed=agreed[name]))
        for piece in pieces:
            buckets = [registry.bucket(name), code_maps.work_list_bucket(name)]
            twin.submit(access, piece, buckets=buckets).result(_WAIT)
