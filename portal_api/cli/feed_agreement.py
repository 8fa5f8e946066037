"""`portal-fhir feed add|edit|import|show|list|end|map|codes`: the agreements with senders."""

import csv
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.intake import code_maps, code_rows, feed_settings, registry
from adapters.intake.code_rows import CodeRow
from adapters.intake.feed_settings import DIALECT, FEED
from adapters.intake.feeds import Feed
from fhir_server.record import Record
from portal_api.cli.feed_reading import current
from portal_api.commands import carried
from portal_api.opening import opened
from portal_api.toml_text import written

Changes = Annotated[
    list[str],
    typer.Argument(
        metavar="SETTING=VALUE…",
        help="dialect.day_first=true; a list with commas; nothing after = is the default.",
    ),
]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]


def add_to(app: typer.Typer) -> None:
    """Add the commands that make, change, show and end agreements."""
    app.command("add")(add)
    app.command("edit")(edit)
    app.command("import")(bring_in)
    app.command("show")(show)
    app.command("list")(list_feeds)
    app.command("end")(end)
    app.command("map")(map_code)
    app.command("codes")(codes)


def add(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="Or what import takes.")],
    changes: Changes = [],  # noqa: B006 - typer makes a new list for each call
) -> None:
    """Agree on a new feed, by its name and settings."""
    if not changes and Path(name).is_file():
        bring_in(Path(name))
        return
    request = {"command": "feed-add", "name": name, "changes": _pairs(changes)}
    typer.echo(f"Agreed on the feed {carried(current(), request)}.")


def edit(name: str, changes: Changes) -> None:
    """Change settings of a feed; what it was is on the ledger by name, and holds at once."""
    request = {"command": "feed-edit", "name": name, "changes": _pairs(changes)}
    _tell_changed(name, carried(current(), request))


def bring_in(file: File) -> None:
    """Agree on the feed that a TOML file describes, in place of one of its name."""
    request = {"command": "feed-import", "settings": file.read_text(encoding="utf-8")}
    done = carried(current(), request)
    typer.echo(f"Agreed on the feed {done['name']}.")
    _tell_changed(done["name"], done["changed"])
    if done["codes"]:
        typer.echo(f"{done['codes']} codes of {done['name']} have a meaning.")


def _pairs(changes: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in changes]
    for name, mark, _ in pairs:
        if not mark:
            raise typer.BadParameter(f"{name!r} is not SETTING=VALUE")
    return {name.strip(): value for name, _, value in pairs}


def _tell_changed(name: str, changed: list[str]) -> None:
    typer.echo(f"Changed for {name}: {', '.join(changed)}." if changed else "Nothing changed.")


def show(
    name: str,
    *,
    as_toml: Annotated[bool, typer.Option("--toml", help="As import takes it.")] = False,
) -> None:
    """Show all settings of a feed, with what they mean."""
    with opened(current()) as portal:
        feed = _found(portal.record, name)
        if as_toml:
            rows = code_rows.as_tables(_codes(portal.record, name))
            tree = feed_settings.shown(feed) | ({"codes": rows} if rows else {})
            typer.echo(written(tree), nl=False)
            return
    table = Table("setting", "value", "what it means")
    for prefix, known, values in (("", FEED, feed), ("dialect.", DIALECT, feed.dialect)):
        for setting, told in known.items():
            value = getattr(values, setting)
            style = "dim" if value == feed_settings.default_of(known, setting) else ""
            table.add_row(f"{prefix}{setting}", escape(_words(value)), told.means, style=style)
    Console().print(table)


def _found(record: Record, name: str) -> Feed:
    feed = registry.named(record, name)
    if feed is None:
        raise typer.BadParameter(f"there is no feed {name}")
    return feed


def _words(value: Any) -> str:
    plain = feed_settings.plain(value)
    if isinstance(plain, list):
        return ", ".join(plain)
    if isinstance(plain, dict):
        return ", ".join(f"{name}={one}" for name, one in plain.items())
    return ("yes" if plain else "no") if isinstance(plain, bool) else str(plain)


def list_feeds() -> None:
    """List the feeds."""
    table = Table("name", "from", "sender", "receiver", "MSH-11", "mode")
    with opened(current()) as portal:
        for feed in registry.agreed(portal.record):
            table.add_row(
                feed.name,
                " ".join(feed.sources),
                f"{feed.sending_application} {feed.sending_facility}",
                f"{feed.receiving_application} {feed.receiving_facility}",
                " ".join(sorted(feed.processing_ids)),
                "backload" if feed.backload else "live",
            )
    Console().print(table)


def end(name: str) -> None:
    """End a feed; its messages stay."""
    if not carried(current(), {"command": "feed-end", "name": name}):
        typer.echo(f"There is no feed {name}.")
        raise typer.Exit(1)
    typer.echo(f"The feed {name} has ended.")


def map_code(
    feed: str,
    code: str,
    target: Annotated[str, typer.Argument(help="system|code, such as http://loinc.org|2857-1")],
    *,
    system: Annotated[str, typer.Option("--system", help="The laboratory's code system.")] = "",
    display: Annotated[str, typer.Option("--display", help="What the code means.")] = "",
) -> None:
    """Give a laboratory's own code its meaning in SNOMED CT or LOINC, from now on."""
    target_system, _, target_code = target.partition("|")
    meaning = {"system": target_system, "code": target_code, "display": display}
    request = {
        "command": "code-map",
        "feed": feed,
        "system": system,
        "code": code,
        "target": meaning,
    }
    carried(current(), request)
    typer.echo(f"{code} of {feed} means {target} from now on.")


def codes(
    name: str,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--import", exists=True, help="CSV: code, means, system, display."),
    ] = None,
) -> None:
    """Show a feed's code map as CSV, or give the codes of a CSV file their meaning."""
    if file is not None:
        request = {
            "command": "feed-codes",
            "name": name,
            "rows": file.read_text(encoding="utf-8"),
        }
        typer.echo(f"{carried(current(), request)} codes of {name} have a meaning.")
        return
    with opened(current()) as portal:
        _found(portal.record, name)
        rows = code_rows.as_cells(_codes(portal.record, name))
    lines = csv.DictWriter(sys.stdout, code_rows.COLUMNS, lineterminator="\n")
    lines.writeheader()
    lines.writerows(rows)


def _codes(record: Record, name: str) -> list[CodeRow]:
    return [
        CodeRow(row.code, row.system, row.target_system, row.target_code, row.target_display)
        for row in record.select(code_maps.of_feed(name))
    ]
