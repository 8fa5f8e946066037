"""`portal-fhir feed watch`: messages that a site drops into a folder as files."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.intake import drop_folder
from adapters.intake.drop_folder import InUse, Seen
from fhir_server.errors import FhirError
from portal_api import control
from portal_api.cli.feed_reading import agreed_with, current
from portal_api.commands import carried
from portal_api.control import ControlRefused
from portal_api.dropping import UNREADABLE
from portal_api.settings import Settings

LOOK_EVERY = 0.5
WAIT_FOR_PORTAL = 5.0


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(watch)


def watch(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, writable=True)],
    *,
    feed: Annotated[str, typer.Option("--feed", help="Whose messages these are.")],
    settle: Annotated[
        float,
        typer.Option(
            "--settle", min=0.0, help="Seconds without a change; 0: files are renamed into place."
        ),
    ] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Take what is there, and end.")] = False,
) -> None:
    """Take the files that are dropped into a folder, until Ctrl-C; answers lie beside them."""
    settings, folder = current(), folder.absolute()
    agreed_with(feed)
    try:
        with drop_folder.watched(folder):
            typer.echo(f"Watching {folder} for {feed}.")
            _watch(settings, folder, feed, settle=settle, once=once)
    except InUse as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _watch(settings: Settings, folder: Path, feed: str, *, settle: float, once: bool) -> None:
    seen: dict[Path, Seen] = {}
    began = time.monotonic()
    while True:
        now = time.monotonic()
        seen = drop_folder.look(folder, seen, now)
        ready = drop_folder.complete(seen, settle, now)
        is_through = _all_handed_in(settings, folder, feed, ready)
        if once and now - began >= settle:
            raise typer.Exit(0 if is_through else 1)
        time.sleep(LOOK_EVERY if is_through else WAIT_FOR_PORTAL)


def _all_handed_in(settings: Settings, folder: Path, feed: str, ready: list[Path]) -> bool:
    """Hand in what is left from before, then what is *ready*; tell whether the portal took it."""
    try:
        for path in drop_folder.claimed(folder):
            if not _handed_in(settings, folder, feed, path):
                return False
        for path in ready:
            if not _handed_in(settings, folder, feed, drop_folder.claim(folder, path)):
                return False
    except (OSError, FhirError, ControlRefused) as error:
        typer.echo(f"Nothing can be handed in now; trying again: {error}", err=True)
        return False
    return True


def _handed_in(settings: Settings, folder: Path, feed: str, path: Path) -> bool:
    done = _asked(settings, {"command": "feed-file", "feed": feed, "path": str(path)})
    if done["outcome"] == UNREADABLE:
        typer.echo(f"{path} can't be read by the portal; it stays there.", err=True)
        return True
    if done["outcome"] == "again":
        return False
    is_taken = done["outcome"] == "taken"
    answers = done["answers"].encode("ascii")
    where = drop_folder.put_away(folder, path, answers, is_taken=is_taken)
    typer.echo(f"{where.relative_to(folder)}")
    return True


def _asked(settings: Settings, request: dict[str, str]) -> Any:
    """Return the running portal's answer.

    An embedded database is not opened where none runs: one that starts has to find it free.
    """
    if not settings.is_sqlite:
        return carried(settings, request)
    answer = control.ask(settings.data_dir, request)
    if answer is None:
        raise ControlRefused("no portal is running here.")
    return answer
