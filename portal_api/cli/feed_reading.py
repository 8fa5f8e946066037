"""What commands of `portal-fhir feed` share: messages from files, and the agreement with a feed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from adapters.hl7v2.batch import messages
from adapters.intake import registry
from adapters.intake.feeds import Feed
from portal_api import migrations
from portal_api.opening import opened
from portal_api.settings import Settings, from_environment

Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)]
FeedName = Annotated[str, typer.Option("--feed", help="Use the dialect of this feed.")]


def messages_in(files: list[Path]) -> Iterator[tuple[Path, int, bytes]]:
    """Give every message of the files, with its file and its number there, from 1."""
    for path in files:
        for index, raw in enumerate(messages(path.read_bytes()), 1):
            yield path, index, raw


def current() -> Settings:
    """Return the settings of a portal whose schema is up to date."""
    settings = from_environment()
    migrations.require_current(settings.database_url)
    return settings


def agreed_with(name: str) -> Feed:
    """Return the agreement called *name*. Raises BadParameter where there is none."""
    with opened(current()) as portal:
        feed = registry.named(portal.record, name)
    if feed is None:
        raise typer.BadParameter(f"there is no feed {name}")
    return feed
