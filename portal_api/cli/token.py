"""`portal-fhir token`: a token for an application, or in the demonstration for anyone."""

from typing import Annotated

import typer

from portal_api import migrations
from portal_api.commands import carried
from portal_api.settings import from_environment


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("token")(token)


def token(
    *,
    holder: Annotated[
        str,
        typer.Option(
            "--as",
            help="client:<id>, operator:<login>; in the demonstration also patient:<NHS number>, "
            "clinician:<login>, auditor:<login>.",
        ),
    ],
    scope: Annotated[
        str, typer.Option("--scope", help='Such as "system/*.rs"; none for an operator.')
    ] = "",
) -> None:
    """Print an access token; every entry made with it names the operating-system user behind it."""
    settings = from_environment()
    migrations.require_current(settings.database_url)
    answer = carried(settings, {"command": "token", "as": holder, "scope": scope})
    typer.echo(answer["access_token"])
