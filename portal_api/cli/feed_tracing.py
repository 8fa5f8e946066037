"""`portal-fhir feed trace|retry|errors|index`: what became of messages, and running them again."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from portal_api.cli.feed_reading import current
from portal_api.cli.terminal import inert, say
from portal_api.commands import carried


def add_to(app: typer.Typer) -> None:
    """Add the commands that look at messages which came in."""
    app.command("trace")(trace)
    app.command("retry")(retry)
    app.command("errors")(errors)
    app.command("index")(index)


def trace(key: Annotated[str, typer.Argument(metavar="CONTROL_ID|ACCESSION")]) -> None:
    """Show a message's bytes, fate, resources and answer; the look is on the ledger."""
    settings = current()
    found = carried(settings, {"command": "trace", "key": key})
    for one in found:
        say(f"message {one['control_id']} of feed {one['feed']} from {one['peer']}")
        say(f"  received {one['received']}, and {one['copies']} times again")
        say(f"  fate {one['fate']} {one['code']} {one['address']} {one['reason']}".rstrip())
        for name in ("flags", "made"):
            say("".join(f"  {name}: {line}\n" for line in one[name].splitlines()), end=False)
        for name in ("raw", "ack"):
            say(f"  {name}:")
            say("    " + _segments(one[name]).replace("\n", "\n    "))
    if not found:
        typer.echo("No message has this control id or accession.")
        raise typer.Exit(1)


def _segments(text: str) -> str:
    """Return a message with a line for each segment, and the answers to it parted by a blank."""
    return text.replace("\x1c", "\n").replace("\r\n", "\n").replace("\r", "\n").strip()


def retry(control_id: str) -> None:
    """Run what was set aside again, now that its cause is mended; exit 1 unless all is filed."""
    settings = current()
    done = carried(settings, {"command": "feed-retry", "control_id": control_id})
    for one in done:
        why = f"{one['code']} {one['address']} {one['reason']}".strip()
        say(f"message {one['control_id']} of feed {one['feed']}: {one['fate']} {why}".strip())
        for line in one["made"]:
            say(f"  made: {line}")
    if not done:
        typer.echo("No message has this control id.")
    if not done or any(one["fate"] != "filed" for one in done):
        raise typer.Exit(1)


def errors() -> None:
    """List the messages that wait for a person, newest first; the look is on the ledger."""
    settings = current()
    table = Table("received", "feed", "control id", "fate", "code", "field")
    for one in carried(settings, {"command": "errors"}):
        names = ("received", "feed", "control_id", "fate", "code", "address")
        table.add_row(*(escape(inert(one[name])) for name in names))
    Console().print(table)


def index() -> None:
    """Make messages that came before this version findable by NHS number; it may be run again."""
    settings, after, added = current(), None, 0
    while True:
        done = carried(settings, {"command": "inbox-index", "after": after})
        added, after = added + done["added"], done["after"]
        if after is None:
            break
    typer.echo(f"{added} keys were added.")
