"""`portal-fhir run`, and its parts: `serve`, `listen`, `work`; `migrate`."""

import asyncio
from typing import Annotated

import typer
import uvloop

from portal_api import lock, migrations
from portal_api.app import build
from portal_api.commands import commands
from portal_api.migrations import demonstration
from portal_api.opening import opened
from portal_api.running import NotStarted, Parts, run
from portal_api.settings import Settings, from_environment

Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing when the doors are open.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands that run a portal."""
    app.command("run")(run_all)
    app.command("serve")(serve)
    app.command("listen")(listen)
    app.command("work")(work)
    app.command("migrate")(migrate)


def run_all(*, quiet: Quiet = False) -> None:
    """Run HTTP, MLLP and work in one process, after bringing the schema up to date."""
    settings = from_environment()
    with lock.held(settings.database_url):
        migrations.upgrade(settings.database_url)
        _run(settings, Parts(), quiet=quiet)


def serve(*, quiet: Quiet = False) -> None:
    """Serve HTTP alone: the FHIR interface, sign-in and pages. For PostgreSQL."""
    _apart(Parts(http=True, mllp=False, work=False), quiet=quiet)


def listen(*, quiet: Quiet = False) -> None:
    """Listen for hospitals' messages alone. For PostgreSQL."""
    _apart(Parts(http=False, mllp=True, work=False), quiet=quiet)


def work(*, quiet: Quiet = False) -> None:
    """Do what is due: publish the ledger's checkpoints, clear what ran out. For PostgreSQL."""
    _apart(Parts(http=False, mllp=False, work=True), quiet=quiet)


def migrate() -> None:
    """Bring the database's schema to this program's version."""
    settings = from_environment()
    with lock.held(settings.database_url):
        migrations.upgrade(settings.database_url)
    typer.echo(f"The schema is at {migrations.head()}.")


def _apart(parts: Parts, *, quiet: bool) -> None:
    settings = from_environment()
    if settings.is_sqlite:
        raise NotStarted(
            "PORTAL_DATABASE_URL names an embedded database, which one process writes: "
            "use portal-fhir run, or PostgreSQL."
        )
    migrations.require_current(settings.database_url)
    _run(settings, parts, quiet=quiet)


def _run(settings: Settings, parts: Parts, *, quiet: bool) -> None:
    async def told() -> None:
        if parts.http:
            typer.echo(f"HTTP on {settings.http}, as {settings.public_url}")
        if parts.mllp:
            if settings.mllp_tls is not None:
                typer.echo(f"MLLP over TLS on {settings.mllp_tls.address}")
            typer.echo(f"MLLP on {settings.mllp}")

    if demonstration.is_here(settings.database_url):
        raise NotStarted(
            "PORTAL_DATABASE_URL names a demonstration's database, whose passwords everybody "
            "knows: run portal-fhir demo, or name another database."
        )
    with opened(settings) as portal:
        started = None if quiet else told
        work_ = run(portal, build(portal), parts, commands(portal), started)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work_)
