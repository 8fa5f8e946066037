"""A file that a site has dropped into a watched folder, handed in by the command that watches."""

import asyncio
from pathlib import Path
from typing import Any

from adapters.intake.file_intake import hand_in
from fhir_server.errors import Invalid, NotFound
from portal_api.portal import Portal

Tree = dict[str, Any]

UNREADABLE = "unreadable"
"""What becomes of a file that the portal can't open: it stays where it is."""


async def hand_in_file(portal: Portal, request: Tree, _user: str) -> Tree:
    """File the messages in the file `path` as those of `feed`; return their `answers`.

    `outcome` is `taken`, `refused`, `again` or `unreadable`. Raises NotFound without such a feed.
    """
    name, path = str(request["feed"]), Path(str(request["path"]))
    feeds = portal.feeds()
    if not any(feed.name == name for feed in feeds):
        raise NotFound.of(f"There is no feed {name}.")
    if not path.is_absolute():
        raise Invalid.of("The path of a file begins at the root.")
    try:
        done = await asyncio.to_thread(hand_in, portal.record, feeds, name, path)
    except OSError:
        return {"answers": "", "outcome": UNREADABLE}
    return {"answers": done.answers.decode("ascii"), "outcome": done.outcome}
