"""`portal-fhir account …` and `care`: who signs in, and who cares for whom."""

from pathlib import Path
from typing import Annotated

import typer

from portal_api import migrations
from portal_api.commands import carried
from portal_api.settings import Settings, from_environment


def add_to(app: typer.Typer) -> None:
    """Add the group `account` and the command `care`."""
    accounts = typer.Typer(no_args_is_help=True, help="People who sign in.")
    accounts.command("add")(add_account)
    accounts.command("end")(end_account)
    app.add_typer(accounts, name="account")
    app.command("care")(care)


def add_account(
    login: str,
    *,
    role: Annotated[str, typer.Option(help="patient, clinician, auditor or operator")],
    name: Annotated[str, typer.Option(help="As others see it, such as 'Ms Jo Smith'.")],
    nhs_number: Annotated[str, typer.Option(help="For a patient, who is known already.")] = "",
    organization: Annotated[str, typer.Option(help="ODS code or name.")] = "",
    password_file: Annotated[
        Path | None, typer.Option(help="Read the password from here, and do not ask.", exists=True)
    ] = None,
) -> None:
    """Make an account; the password is asked for."""
    password = (
        password_file.read_text(encoding="utf-8").strip()
        if password_file
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    request = {
        "command": "account-add",
        "login": login,
        "role": role,
        "name": name,
        "nhs_number": nhs_number,
        "organization": organization,
        "password": password,
    }
    answer = carried(_settings(), request)
    person = f" as {answer['person']}" if answer["person"] else ""
    typer.echo(f"{answer['login']} can sign in{person}.")


def end_account(login: str) -> None:
    """End an account: its sessions and tokens die with it."""
    if not carried(_settings(), {"command": "account-end", "login": login}):
        typer.echo(f"There is no account {login}.")
        raise typer.Exit(1)
    typer.echo(f"The account {login} has ended.")


def care(
    login: Annotated[str, typer.Argument(help="A clinician's login.")],
    nhs_number: Annotated[str, typer.Argument(help="Of a patient who is known already.")],
    *,
    team: Annotated[str, typer.Option(help="The team, as the patient knows it.")],
) -> None:
    """Note that a clinician cares for a patient from now on, as a member of a team."""
    request = {"command": "care", "login": login, "nhs_number": nhs_number, "team": team}
    carried(_settings(), request)
    typer.echo(f"{login} cares for them from now on, in {team}.")


def _settings() -> Settings:
    settings = from_environment()
    migrations.require_current(settings.database_url)
    return settings
