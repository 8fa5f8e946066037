"""Messages of the time before there were keys of persons, made findable: a stretch of them a call.

Whoever asks goes on with the place that they were given, until there is none.
"""

import asyncio
from functools import partial
from typing import Any

from adapters.intake import indexing
from adapters.intake.indexing import BEGINNING, Place
from fhir_server.errors import Invalid
from fhir_server.record import Asked
from portal_api.operating import operator_access
from portal_api.portal import Portal

Tree = dict[str, Any]

STRETCH = 20
"""Transactions of one call."""


async def reindex(portal: Portal, request: Tree, user: str) -> Tree:
    """Go over the next messages `after` a place; return the `after` to go on with, and `added`."""
    place, total = _place(request.get("after")), 0
    for _ in range(STRETCH):
        following, added = await asyncio.wrap_future(
            portal.record.submit(
                operator_access(user),
                partial(indexing.reindex, after=place),
                asked=Asked("transaction", "inbox"),
            )
        )
        total += added
        if following is None:
            return {"after": None, "added": total}
        place = following
    return {"after": list(place), "added": total}


def _place(said: Any) -> Place:
    if said is None:
        return BEGINNING
    try:
        bucket, feed, control_id, sha256 = said
    except (TypeError, ValueError):
        raise Invalid.of("This is no place in the inbox.") from None
    return int(bucket), str(feed), str(control_id), str(sha256)
