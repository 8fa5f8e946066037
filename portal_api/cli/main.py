"""`portal-fhir`: every command, put together. What can go wrong is said in one sentence."""

import logging
import sys

import typer

from fhir_server.errors import FhirError
from portal_api import migrations
from portal_api.cli import audit, client, demo, feed, people, service, token
from portal_api.control import ControlRefused
from portal_api.lock import Locked
from portal_api.running import DiskFailed, NotStarted
from portal_api.settings import SettingWrong


def application() -> typer.Typer:
    """Return the command line with all its groups."""
    app = typer.Typer(
        help="Portal FHIR: hospital results in, patients' apps out, every access on the ledger.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    service.add_to(app)
    token.add_to(app)
    people.add_to(app)
    client.add_to(app)
    app.add_typer(demo.group(), name="demo")
    app.add_typer(feed.group(), name="feed")
    app.add_typer(audit.group(), name="audit")
    return app


def main() -> None:
    """Run the command line of this process."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("authlib").setLevel(logging.WARNING)
    try:
        application()()
    except (
        SettingWrong,
        NotStarted,
        DiskFailed,
        Locked,
        ControlRefused,
        migrations.SchemaUnknown,
        FhirError,
    ) as error:
        sys.stderr.write(f"portal-fhir: {error}\n")
        sys.exit(2)
