"""`portal-fhir audit …`: verify the ledger, take it away, show the key it is signed with."""

from pathlib import Path
from typing import Annotated

import typer

from fhir_server import notary as notaries
from fhir_server.audit.verify import Verified, report
from portal_api import migrations
from portal_api.commands import carried
from portal_api.opening import opened
from portal_api.settings import from_environment


def group() -> typer.Typer:
    """Return the command group."""
    app = typer.Typer(no_args_is_help=True, help="The ledger of accesses.")
    app.command("verify")(verify)
    app.command("export")(export)
    app.command("key")(key)
    return app


def verify() -> None:
    """Compare the ledger with the checkpoints that were published; exit 1 at the first fault."""
    settings = from_environment()
    migrations.require_current(settings.database_url)
    carried(settings, {"command": "ledger-verified"})
    with opened(settings, durable=False) as portal:
        outcome = notaries.verified(portal.notary)
    for line in report(outcome):
        typer.echo(line)
    if not isinstance(outcome, Verified):
        raise typer.Exit(1)
    if not outcome.covered:
        typer.echo("Nothing was published yet, so nothing could be compared.")


def export(file: Annotated[Path, typer.Argument(help="Where to write it.")]) -> None:
    """Write the ledger as lines of JSON, for `python -m fhir_server.audit.verify` elsewhere."""
    settings = from_environment()
    migrations.require_current(settings.database_url)
    carried(settings, {"command": "ledger-exported"})
    with opened(settings, durable=False) as portal, file.open("wb") as out:
        for line in notaries.exported(portal.notary):
            out.write(line)
    typer.echo(f"Written to {file}.")


def key() -> None:
    """Print the public key with which checkpoints are verified, for auditors to keep."""
    settings = from_environment()
    migrations.require_current(settings.database_url)
    with opened(settings, durable=False) as portal:
        typer.echo(portal.notary.public_key)
