"""`portal-fhir feed …`: onboarding, sending, tracing, and the agreements with senders."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.hl7v2.batch import messages
from adapters.hl7v2.dialect import STANDARD, Dialect
from adapters.intake import registry
from adapters.intake.preview import Preview, preview
from adapters.intake.sending import NoAnswer, code_of, send
from fhir_server.model import json
from portal_api import migrations
from portal_api.commands import carried
from portal_api.opening import opened
from portal_api.settings import Address, from_environment

Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)]
FeedName = Annotated[str, typer.Option("--feed", help="Use the dialect of this feed.")]


def group() -> typer.Typer:
    """Return the command group."""
    app = typer.Typer(no_args_is_help=True, help="Hospital feeds: try, send, trace, agree.")
    app.command("convert")(convert)
    app.command("send")(send_files)
    app.command("trace")(trace)
    app.command("retry")(retry)
    app.command("errors")(errors)
    app.command("add")(add)
    app.command("end")(end)
    app.command("list")(list_feeds)
    app.command("map")(map_code)
    return app


def convert(
    files: Files,
    *,
    feed: FeedName = "",
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON a message.")] = False,
) -> None:
    """Show what messages would become, without writing anything."""
    settings = from_environment()
    dialect = _dialect(feed) if feed else STANDARD
    for path, index, raw in _messages(files):
        shown = preview(raw, dialect, f"{settings.public_url}/fhir")
        if as_json:
            typer.echo(json.encode(_line(path, index, shown)).decode())
        else:
            _print(path, index, shown)


def _dialect(name: str) -> Dialect:
    settings = from_environment()
    migrations.require_current(settings.database_url)
    with opened(settings) as portal:
        for feed in registry.agreed(portal.record):
            if feed.name == name:
                return feed.dialect
    raise typer.BadParameter(f"there is no feed {name}")


def _line(path: Path, index: int, shown: Preview) -> dict[str, Any]:
    return {
        "file": str(path),
        "index": index,
        "control_id": shown.control_id,
        "ack": shown.ack,
        "errors": [
            {"code": one.code, "hl7_code": one.hl7_code, "field": one.field, "text": one.text}
            for one in shown.faults
        ],
        "flags": list(shown.flags),
        "segments": list(shown.accounted),
        "bundle": shown.bundle,
    }


def _print(path: Path, index: int, shown: Preview) -> None:
    typer.echo(f"{path} message {index}: {shown.ack} (control id {shown.control_id or 'missing'})")
    for fault in shown.faults:
        typer.echo(f"  {fault.field or 'message'}: {fault.text} [{fault.code}]")
    for flag in shown.flags:
        typer.echo(f"  flag {flag}")
    for segment in shown.accounted:
        typer.echo(f"  {segment}")
    if shown.bundle is not None:
        typer.echo(json.pretty(shown.bundle).decode())


def send_files(
    files: Files,
    *,
    to: Annotated[str, typer.Option("--to", help="host:port; default the portal's own.")] = "",
) -> None:
    """Send messages over MLLP and print each answer; exit 1 unless every message was taken."""
    address = _address(to) if to else from_environment().mllp
    refused = 0
    try:
        with send(address.host, address.port) as exchange:
            for path, index, raw in _messages(files):
                answer = exchange(raw)
                typer.echo(f"{path} message {index}:")
                typer.echo("  " + answer.decode("ascii", "replace").strip().replace("\r", "\n  "))
                refused += code_of(answer) not in {"AA", "CA", ""}
    except (OSError, NoAnswer) as error:
        typer.echo(f"{address} can't be sent to: {error}", err=True)
        raise typer.Exit(2) from None
    if refused:
        raise typer.Exit(1)


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter(f"{text!r} is not host:port, such as 127.0.0.1:2575")
    return Address(host.strip("[]"), int(port))


def _messages(files: list[Path]) -> Iterator[tuple[Path, int, bytes]]:
    for path in files:
        for index, raw in enumerate(messages(path.read_bytes()), 1):
            yield path, index, raw


def trace(key: Annotated[str, typer.Argument(metavar="CONTROL_ID|ACCESSION")]) -> None:
    """Show a message's bytes, fate, resources and answer; the look is on the ledger."""
    settings = from_environment()
    migrations.require_current(settings.database_url)
    found = carried(settings, {"command": "trace", "key": key})
    for one in found:
        typer.echo(f"message {one['control_id']} of feed {one['feed']} from {one['peer']}")
        typer.echo(f"  received {one['received']}, and {one['copies']} times again")
        typer.echo(f"  fate {one['fate']} {one['code']} {one['address']} {one['reason']}".rstrip())
        for name in ("flags", "made"):
            typer.echo("".join(f"  {name}: {line}\n" for line in one[name].splitlines()), nl=False)
        for name in ("raw", "ack"):
            typer.echo(f"  {name}:")
            typer.echo("    " + _segments(one[name]).replace("\n", "\n    "))
    if not found:
        typer.echo("No message has this control id or accession.")
        raise typer.Exit(1)


def _segments(text: str) -> str:
    """Return a message with a line for each segment, and the answers to it parted by a blank."""
    return text.replace("\x1c", "\n").replace("\r\n", "\n").replace("\r", "\n").strip()


def retry(control_id: str) -> None:
    """Run what was set aside again, now that its cause is mended; exit 1 unless all is filed."""
    settings = from_environment()
    migrations.require_current(settings.database_url)
    done = carried(settings, {"command": "feed-retry", "control_id": control_id})
    for one in done:
        why = f"{one['code']} {one['address']} {one['reason']}".strip()
        typer.echo(
            f"message {one['control_id']} of feed {one['feed']}: {one['fate']} {why}".strip()
        )
        for line in one["made"]:
            typer.echo(f"  made: {line}")
    if not done:
        typer.echo("No message has this control id.")
    if not done or any(one["fate"] != "filed" for one in done):
        raise typer.Exit(1)


def errors() -> None:
    """List the messages that wait for a person, newest first; the look is on the ledger."""
    settings = from_environment()
    migrations.require_current(settings.database_url)
    table = Table("received", "feed", "control id", "fate", "code", "field")
    for one in carried(settings, {"command": "errors"}):
        names = ("received", "feed", "control_id", "fate", "code", "address")
        table.add_row(*(escape(one[name]) for name in names))
    Console().print(table)


def add(
    file: Annotated[Path, typer.Argument(exists=True, help="The feed's agreement, as TOML.")],
) -> None:
    """Agree on a feed, or change it."""
    settings = from_environment()
    migrations.require_current(settings.database_url)
    request = {"command": "feed-add", "settings": file.read_text(encoding="utf-8")}
    typer.echo(f"Agreed on the feed {carried(settings, request)}.")


def end(name: str) -> None:
    """End a feed; its messages stay."""
    if not carried(from_environment(), {"command": "feed-end", "name": name}):
        typer.echo(f"There is no feed {name}.")
        raise typer.Exit(1)
    typer.echo(f"The feed {name} has ended.")


def list_feeds() -> None:
    """List the feeds."""
    settings = from_environment()
    migrations.require_current(settings.database_url)
    table = Table("name", "from", "sender", "receiver", "MSH-11", "mode")
    with opened(settings) as portal:
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
    carried(from_environment(), request)
    typer.echo(f"{code} of {feed} means {target} from now on.")
