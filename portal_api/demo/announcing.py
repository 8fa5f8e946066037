"""What the demonstration says on the terminal: progress, where to go, and what a check found."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from auth.principal import Role
from auth.views import DemoAccount
from portal_api.demo.accounts import APP, PASSWORD
from portal_api.demo.findings import Findings
from portal_api.demo.hospital_link import Answered
from portal_api.demo.running import Told, described
from portal_api.demo.walk import REDIRECT, printed
from portal_api.pages.navigation import HOMES
from portal_api.settings import Settings


@contextmanager
def progress(console: Console) -> Iterator[Told]:
    """Give what shows how many of the hospitals' messages have been sent."""
    columns = (
        TextColumn("Hospitals send their history"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("messages"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("history", total=None)
        yield Told(
            begun=lambda count: bar.update(task, total=count),
            sent=lambda: bar.advance(task),
            ready=bar.stop,
        )


def welcome(console: Console, settings: Settings, accounts: tuple[DemoAccount, ...]) -> None:
    """Say where to go as each kind of user, and how an app gets in."""
    address = settings.public_url
    table = Table("Sign-in name", "Who", "What there is to see", box=SIMPLE, pad_edge=False)
    before = ""
    for one in accounts:
        if one.role != before:
            table.add_section()
            table.add_row(
                f"[bold]{one.role.capitalize()}[/bold]", "", address + HOMES[Role(one.role)]
            )
        table.add_row(one.login, one.name, one.story)
        before = one.role
    console.print(table)
    console.print(f"Sign in at {address}/sign-in; everybody's password is [bold]{PASSWORD}[/bold].")
    console.print(f"Hospitals: MLLP on {settings.mllp}.")
    console.print(f"\nFor developers of apps: public client [bold]{APP.client_id}[/bold],")
    console.print(f"redirect {REDIRECT} (any port on the loopback interface), PKCE S256:")
    for line in printed(address):
        console.print(escape(line), soft_wrap=True, highlight=False)


def steps(console: Console, names: list[str]) -> None:
    """Say how a story goes on."""
    console.print("\nIn another terminal, a story's next message: portal-fhir demo step NAME")
    console.print(f"NAME is {', '.join(names)}.")
    console.print("Messages about generated patients come every few seconds. Ctrl-C ends it all.\n")


def arrived(console: Console, answered: Answered) -> None:
    """Say what the live feed has just sent, and how it was answered."""
    hospital = answered.order.person.hospital.capitalize()
    console.print(f"{answered.code}  {hospital}: {escape(described(answered.order))}")


def verdict(console: Console, findings: Findings) -> None:
    """Show what a check found."""
    table = Table("Job", "What was looked at", "Result")
    before = ""
    for one in findings.lines:
        if one.job != before and before:
            table.add_section()
        result = f"[red]{escape(one.problem)}[/red]" if one.problem else "[green]good[/green]"
        table.add_row(one.job if one.job != before else "", escape(one.what), result)
        before = one.job
    console.print(table)
    wrong = sum(bool(one.problem) for one in findings.lines)
    console.print(f"{len(findings.lines)} looked at, {wrong} wrong.")
