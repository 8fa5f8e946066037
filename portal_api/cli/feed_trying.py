"""`portal-fhir feed convert|send`: what messages and Bundles would become, and sending them."""

import ssl
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.fhir_push.bundle import is_bundle
from adapters.fhir_push.preview import preview as preview_of_bundle
from adapters.intake.feeds import LOOPBACK
from adapters.intake.preview import Preview, preview
from adapters.intake.sending import NoAnswer, client_context, code_of, send
from fhir_server.model import json
from portal_api.cli.feed_reading import FeedName, Files, agreed_with, messages_in
from portal_api.cli.terminal import say
from portal_api.settings import Address, Settings, from_environment

Pem = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A PEM file.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands that try messages out."""
    app.command("convert")(convert)
    app.command("send")(send_files)


def convert(
    files: Files,
    *,
    feed: FeedName = "",
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON a message.")] = False,
) -> None:
    """Show what messages, or Bundles of FHIR, would become, without writing anything."""
    settings = from_environment()
    agreed, base = agreed_with(feed) if feed else LOOPBACK, f"{settings.public_url}/fhir"
    for path, index, raw in messages_in(files):
        if is_bundle(raw):
            shown = preview_of_bundle(raw, agreed, base)
        else:
            shown = preview(raw, agreed.dialect, base)
        if as_json:
            typer.echo(json.encode(_line(path, index, shown)).decode())
        else:
            _print(path, index, shown)


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
    say(f"{path} message {index}: {shown.ack} (control id {shown.control_id or 'missing'})")
    for fault in shown.faults:
        say(f"  {fault.field or 'message'}: {fault.text} [{fault.code}]")
    for flag in shown.flags:
        say(f"  flag {flag}")
    for segment in shown.accounted:
        say(f"  {segment}")
    if shown.bundle is not None:
        typer.echo(json.pretty(shown.bundle).decode())


def send_files(
    files: Files,
    *,
    to: Annotated[str, typer.Option("--to", help="host:port; default the portal's own.")] = "",
    tls_ca: Pem = None,
    tls_cert: Pem = None,
    tls_key: Pem = None,
) -> None:
    """Send messages over MLLP and print each answer; exit 1 unless every message was taken.

    Over TLS with --tls-ca (who signed the receiver's certificate), --tls-cert and --tls-key.
    """
    tls = _tls(tls_ca, tls_cert, tls_key)
    address = _address(to) if to else _own(from_environment(), over_tls=tls is not None)
    refused = 0
    try:
        with send(address.host, address.port, tls=tls) as exchange:
            for path, index, raw in messages_in(files):
                answer = exchange(raw)
                typer.echo(f"{path} message {index}:")
                say("  " + answer.decode("ascii", "replace").strip().replace("\r", "\n  "))
                refused += code_of(answer) not in {"AA", "CA", ""}
    except (OSError, NoAnswer) as error:
        typer.echo(f"{address} can't be sent to: {error}", err=True)
        raise typer.Exit(2) from None
    if refused:
        raise typer.Exit(1)


def _tls(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if not (ca or cert or key):
        return None
    if bool(cert) != bool(key):
        raise typer.BadParameter("--tls-cert and --tls-key go together")
    try:
        return client_context(ca, cert, key)
    except OSError as error:
        raise typer.BadParameter(f"a certificate or key can't be used: {error}") from None


def _own(settings: Settings, *, over_tls: bool) -> Address:
    if not over_tls:
        return settings.mllp
    if settings.mllp_tls is None:
        raise typer.BadParameter("there is no PORTAL_MLLP_TLS_ADDRESS: say where with --to")
    return settings.mllp_tls.address


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter(f"{text!r} is not host:port, such as 127.0.0.1:2575")
    return Address(host.strip("[]"), int(port))
