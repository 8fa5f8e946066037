"""`portal-fhir feed replay`: the inbox run again, whole or in part."""

import getpass
from collections import Counter
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from adapters.intake.repeating import Part
from fhir_server.clock import micros
from portal_api import repeating
from portal_api.cli.feed_reading import current
from portal_api.cli.terminal import say
from portal_api.commands import carried
from portal_api.opening import NotEmpty, opened
from portal_api.settings import Settings

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    *,
    feed: Annotated[str, typer.Option("--feed", help="The messages of this feed alone.")] = "",
    since: Day = None,
    until: Day = None,
    into: Annotated[
        str, typer.Option("--into", help="An empty database to fill, as a database URL.")
    ] = "",
) -> None:
    """Run the inbox again, oldest first: into the record as it stands, or into an empty database.

    Nothing happens twice: what a message made is made again under the same id. Times are London's.
    """
    settings = current()
    part = Part(feed, _moment(since) or 0, _moment(until))
    became = _into(settings, into, part) if into else _again(settings, part)
    typer.echo(", ".join(f"{count} {name}" for name, count in sorted(became.items())) or "nothing")


def _moment(day: datetime | None) -> int | None:
    return micros(day.replace(tzinfo=ZoneInfo("Europe/London"))) if day is not None else None


def _again(settings: Settings, part: Part) -> Counter[str]:
    became, after = Counter[str](), None
    while True:
        request = {
            "command": "feed-replay",
            "feed": part.feed,
            "since": part.since,
            "until": part.until,
            "after": after,
        }
        answer = carried(settings, request)
        for one in answer["done"]:
            became[one["became"]] += 1
            if one["code"]:
                why = f"{one['code']} {one['address']}"
                say(f"{one['feed']} {one['control_id']}: {one['became']}, {why}")
        after = answer["after"]
        if after is None:
            return became


def _into(settings: Settings, url: str, part: Part) -> Counter[str]:
    carried(settings, {"command": "inbox-copied", "feed": part.feed})
    with opened(settings) as portal:
        try:
            return repeating.into(portal, url, part, getpass.getuser())
        except NotEmpty as held:
            typer.echo(str(held), err=True)
            raise typer.Exit(2) from None
