"""`portal-fhir feed …`: onboarding, sending, tracing, and the agreements with senders."""

import typer

from portal_api.cli import (
    feed_agreement,
    feed_checking,
    feed_merging,
    feed_reconciling,
    feed_repeating,
    feed_tracing,
    feed_trying,
    feed_watching,
)


def group() -> typer.Typer:
    """Return the command group."""
    app = typer.Typer(no_args_is_help=True, help="Hospital feeds: try, send, trace, agree.")
    feed_trying.add_to(app)
    feed_checking.add_to(app)
    feed_tracing.add_to(app)
    feed_merging.add_to(app)
    feed_repeating.add_to(app)
    feed_reconciling.add_to(app)
    feed_agreement.add_to(app)
    feed_watching.add_to(app)
    return app
