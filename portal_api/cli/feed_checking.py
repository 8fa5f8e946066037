"""`portal-fhir feed check`: a laboratory's messages held against the standard and against us."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.intake import checking, code_maps, registry
from adapters.intake.feeds import LOOPBACK, Feed
from fhir_server.model import json
from portal_api import feed_report
from portal_api.cli.feed_reading import FeedName, Files, current, messages_in
from portal_api.cli.terminal import inert
from portal_api.opening import opened

Codes = frozenset[tuple[str, str]]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    files: Files,
    *,
    feed: FeedName = "",
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the report as a page to send away.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Say how messages fit the standard and this portal; exit 1 if one would not be taken.

    Nothing is written, and no patient's data are in the report.
    """
    agreed, known = _agreed(feed) if feed else (LOOPBACK, frozenset())
    checked = [
        (f"{path.name} message {index}", checking.check(raw, agreed, known))
        for path, index, raw in messages_in(files)
    ]
    report = feed_report.as_tree(feed, checked)
    if html is not None:
        html.write_text(feed_report.page(report), encoding="utf-8")
        typer.echo(f"The page is in {html}.", err=as_json)
    if as_json:
        typer.echo(json.pretty(report).decode())
    else:
        _print(report)
    if report["messages"] != report["answers"]["AA"]:
        raise typer.Exit(1)


def _agreed(name: str) -> tuple[Feed, Codes]:
    with opened(current()) as portal:
        feed = registry.named(portal.record, name)
        if feed is None:
            raise typer.BadParameter(f"there is no feed {name}")
        rows = portal.record.select(code_maps.of_feed(name))
    return feed, frozenset((row.system, row.code) for row in rows)


def _print(report: dict[str, Any]) -> None:
    answers = ", ".join(f"{count} {code}" for code, count in report["answers"].items())
    typer.echo(f"{report['messages']} messages: {answers}")
    table = Table("kind", "field", "what", "code", "messages")
    for one in report["remarks"]:
        words = (one["kind"], one["field"], one["text"], one["code"])
        table.add_row(*(escape(inert(word)) for word in words), str(one["messages"]))
    Console().print(table)
