"""`portal-fhir demo`: the demonstration, its check, and a story's next message."""

from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console

from portal_api import control, lock
from portal_api.demo import announcing, running
from portal_api.demo.browser import PageWrong
from portal_api.demo.checking import check, play
from portal_api.demo.hospital_link import NotAccepted
from portal_api.demo.running import Stage
from portal_api.demo.storage import refuse_open_doors
from portal_api.portal import Portal
from portal_api.running import NotStarted
from portal_api.settings import Settings, from_environment


def group() -> typer.Typer:
    """Return the command group; without a command it plays the demonstration."""
    app = typer.Typer(
        help="The demonstration: synthetic hospitals and patients, on this machine alone."
    )
    app.callback(invoke_without_command=True)(demonstrate)
    app.command("step")(step)
    return app


def demonstrate(
    context: typer.Context,
    *,
    checked: Annotated[
        bool, typer.Option("--check", help="Do each of the four jobs on fresh storage, and exit.")
    ] = False,
) -> None:
    """Play the demonstration until Ctrl-C; everything in it is made anew at each start."""
    if context.invoked_subcommand is not None:
        return
    settings = from_environment()
    refuse_open_doors(settings)
    if checked:
        _check(settings)
    else:
        with lock.held(settings.database_url):
            _play(settings)


def step(
    name: Annotated[str, typer.Argument(help="Whose story: alan, brian, colin, graham or irene.")],
) -> None:
    """Send a story's next message, from its hospital to the running demonstration."""
    settings = from_environment()
    answer = control.ask(settings.data_dir, {"command": "demo-step", "name": name})
    if answer is None:
        raise NotStarted("No demonstration is running here: start portal-fhir demo first.")
    typer.echo(f"{answer['answer']}  {answer['sent']}")


def _check(settings: Settings) -> None:
    console = Console()
    with announcing.progress(console) as told:
        try:
            findings = check(settings, told)
        except (NotAccepted, PageWrong) as error:
            raise NotStarted(f"The demonstration could not be set up: {error}") from error
    announcing.verdict(console, findings)
    if not findings.sound:
        raise typer.Exit(1)


def _play(settings: Settings) -> None:
    console = Console()
    with announcing.progress(console) as told:
        watched = replace(told, live=lambda answered: announcing.arrived(console, answered))

        def then(portal: Portal, stage: Stage) -> None:
            announcing.welcome(console, portal.settings, portal.demo_accounts)
            announcing.steps(console, [one.name for one in stage.cast.stories if one.steps])
            running.live_feed(portal, stage, watched)

        try:
            play(settings, then, watched)
        except (NotAccepted, PageWrong) as error:
            raise NotStarted(f"The demonstration could not be set up: {error}") from error
