"""`portal-fhir feed reconcile`: a day's reports against the laboratory's own totals."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.intake import reconciling
from adapters.intake.feeds import FeedWrongError
from portal_api.cli.feed_reading import agreed_with, current
from portal_api.cli.terminal import inert
from portal_api.commands import carried
from portal_api.opening import opened


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile")(reconcile)


def reconcile(
    *,
    feed: Annotated[str, typer.Option("--feed", help="The laboratory's feed.")],
    day: Annotated[
        datetime, typer.Option("--day", formats=["%Y-%m-%d"], help="When reports were issued.")
    ],
    totals: Annotated[
        Path,
        typer.Option("--totals", exists=True, dir_okay=False, help="CSV: test (OBR-4), count."),
    ],
) -> None:
    """Say which tests the laboratory counts otherwise than the portal; exit 1 if any."""
    try:
        theirs = reconciling.totals(totals.read_text(encoding="utf-8"))
    except FeedWrongError as wrong:
        raise typer.BadParameter(f"{totals.name}, {wrong}") from None
    agreed = agreed_with(feed)
    settings = current()
    carried(settings, {"command": "inbox-copied", "feed": feed})
    with opened(settings) as portal:
        ours = reconciling.counted(portal.record, agreed, day.date())
    found = reconciling.differences(theirs, ours.tests)
    typer.echo(f"{ours.tests.total()} reports here, {theirs.total()} at the laboratory")
    if ours.aside:
        typer.echo(f"{ours.aside} messages that came that day wait for a person")
    if found:
        table = Table("test", "laboratory", "here", "difference")
        for one in found:
            table.add_row(escape(inert(one.test)), str(one.theirs), str(one.ours), one.words)
        Console().print(table)
        raise typer.Exit(1)
