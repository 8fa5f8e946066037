"""`portal-fhir feed merge` and `unmerge`: what a person decides on two records."""

from typing import Annotated

import typer

from portal_api.cli.feed_reading import current
from portal_api.cli.terminal import say
from portal_api.commands import carried

Reason = Annotated[str, typer.Option(help="Why; the ledger keeps it.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands that join records and part them."""
    app.command("merge")(merge)
    app.command("unmerge")(unmerge)


def merge(control_id: str, reason: Reason) -> None:
    """File a merge that waits, having looked at both records; exit 1 where it waits on."""
    request = {"command": "feed-merge", "control_id": control_id, "reason": reason}
    done = carried(current(), request)
    for one in done:
        why = f"{one['code']} {one['address']} {one['reason']}".strip()
        say(f"message {one['control_id']} of feed {one['feed']}: {one['fate']} {why}".strip())
        for line in one["made"]:
            say(f"  made: {line}")
    if not done:
        typer.echo("No message has this control id.")
    if not done or any(one["fate"] != "filed" for one in done):
        raise typer.Exit(1)


def unmerge(
    patient: Annotated[str, typer.Argument(help="The retired patient: an id, or an NHS number.")],
    reason: Reason,
) -> None:
    """Take a merge back: both records stand for themselves again."""
    request = {"command": "feed-unmerge", "patient": patient, "reason": reason}
    done = carried(current(), request)
    typer.echo(f"Parted from Patient/{done['into']}; {len(done['written'])} new versions.")
    for one in done["filed_meanwhile"]:
        typer.echo(f"  came while both were one, and stays there: {one}")
