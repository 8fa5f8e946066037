"""`portal-fhir client …`: applications that ask for tokens, and by what they are known."""

from pathlib import Path
from typing import Annotated

import typer

from auth import assertions
from fhir_server.clock import micros, now
from portal_api import migrations
from portal_api.commands import carried
from portal_api.settings import Settings, from_environment

KeyFile = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="Its public keys: a JSON Web Key set, or one in PEM."
    ),
]
KeyAddress = Annotated[str, typer.Option(help="Where it publishes its key set (https).")]


def add_to(app: typer.Typer) -> None:
    """Add the group `client`."""
    clients = typer.Typer(no_args_is_help=True, help="Applications that ask for tokens.")
    clients.command("add")(add)
    clients.command("keys")(keys)
    clients.command("assertion")(assertion)
    clients.command("end")(end)
    app.add_typer(clients, name="client")


def add(  # noqa: PLR0913 - options of a command line, each by its name
    client_id: str,
    *,
    name: Annotated[str, typer.Option(help="As people see it when they are asked.")],
    scope: Annotated[str, typer.Option(help="The most that it may ask for.")],
    redirect: Annotated[list[str] | None, typer.Option(help="Where it is answered.")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="Where its pages come from.")] = None,
    confidential: Annotated[bool, typer.Option(help="It can keep a secret.")] = False,
    key_file: KeyFile = None,
    jwks_url: KeyAddress = "",
) -> None:
    """Register an application, which has a secret (shown this once), or signs, or neither."""
    request = {
        "command": "client-add",
        "client_id": client_id,
        "name": name,
        "scope": scope,
        "redirects": redirect or [],
        "origins": origin or [],
        "confidential": confidential,
        "keys": _content(key_file),
        "jwks_url": jwks_url,
    }
    answer = carried(_settings(), request)
    typer.echo(f"{answer['client_id']} is registered.")
    if answer["secret"]:
        typer.echo(f"Its secret, shown this once: {answer['secret']}")


def keys(client_id: str, *, key_file: KeyFile = None, jwks_url: KeyAddress = "") -> None:
    """Know an application that signs by these keys from now on, by its old ones no more."""
    request = {
        "command": "client-keys",
        "client_id": client_id,
        "keys": _content(key_file),
        "jwks_url": jwks_url,
    }
    if not carried(_settings(), request):
        typer.echo(f"There is no application {client_id} that signs.")
        raise typer.Exit(1)
    typer.echo(f"{client_id} is known by its new keys.")


def assertion(
    client_id: str,
    *,
    key_file: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Its private key, in PEM.")
    ],
    kid: Annotated[str, typer.Option(help="The key's name; its thumbprint where not given.")] = "",
) -> None:
    """Sign as the application would, for a try: print what it sends as `client_assertion`."""
    address = assertions.audience(from_environment().public_url)
    content = key_file.read_bytes()
    typer.echo(assertions.signed(content, kid, client_id, address, micros(now())))


def end(client_id: str) -> None:
    """End an application: its tokens die with it."""
    if not carried(_settings(), {"command": "client-end", "client_id": client_id}):
        typer.echo(f"There is no application {client_id}.")
        raise typer.Exit(1)
    typer.echo(f"The application {client_id} has ended.")


def _content(path: Path | None) -> str:
    return path.read_text(encoding="utf-8") if path else ""


def _settings() -> Settings:
    settings = from_environment()
    migrations.require_current(settings.database_url)
    return settings
