"""How the feeds are, for programs: JSON for operators, figures for a monitor on this machine."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import cache

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fhir_server.errors import FhirError
from fhir_server.record import Record
from fhir_server.rest.headers import network
from portal_api import feed_health, london
from portal_api.api.door import Asking, Guarded
from portal_api.feed_health import FeedHealth
from portal_api.settings import Address

_FORWARDED = ("forwarded", "x-forwarded-for", "via")


class WaitingOut(BaseModel):
    """What waits for one reason."""

    code: str
    count: int
    oldest: datetime
    answered_aa: int


class FeedOut(BaseModel):
    """One feed; instants are UTC, counts those of today in London unless they say otherwise."""

    name: str
    organization: str
    silent: bool
    quiet_minutes: int
    latest: datetime | None
    accepted: int
    refused: int
    refusals: dict[str, int]
    last_24_hours: list[int]
    unmapped_in_24_hours: int
    waiting: list[WaitingOut]


class HealthOut(BaseModel):
    """All feeds, the silent ones first, and whether all is well."""

    silent: list[str]
    feeds: list[FeedOut]


@cache
def routes() -> APIRouter:
    """Return `GET /api/feeds/health`."""
    router = APIRouter(prefix="/api/feeds", route_class=Guarded)
    router.add_api_route("/health", health, methods=["GET"])
    return router


async def health(clerk: Asking) -> HealthOut:
    """Return how each feed is. No patient is in it, and so the ledger has no entry."""
    found = await run_in_threadpool(_today, clerk.record)
    return HealthOut(
        silent=[one.name for one in found if one.silent], feeds=[_out(one) for one in found]
    )


def metrics(record: Record) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of `/metrics`: figures without a patient, for this machine alone.

    What was passed on by a proxy comes from elsewhere, and is refused as well.
    """

    async def answer(request: Request) -> Response:
        elsewhere = any(name in request.headers for name in _FORWARDED)
        if elsewhere or not Address(network(request), 0).is_loopback:
            return Response(status_code=404)
        try:
            found = await run_in_threadpool(_today, record)
        except FhirError:
            return Response(status_code=503)
        lines = [line for one in found for line in _figures(one)]
        return Response("\n".join([*_HELP, *lines, ""]), media_type="text/plain; version=0.0.4")

    return answer


_HELP = (
    "# HELP portal_feed_silent Whether a feed is quiet for longer than it may be.",
    "# TYPE portal_feed_silent gauge",
    "# TYPE portal_feed_quiet_seconds gauge",
    "# TYPE portal_feed_accepted_today gauge",
    "# TYPE portal_feed_refused_today gauge",
    "# TYPE portal_feed_waiting gauge",
    "# TYPE portal_feed_waiting_answered_aa gauge",
)


def _figures(feed: FeedHealth) -> list[str]:
    figures = {
        "silent": int(feed.silent),
        "quiet_seconds": int(feed.quiet.total_seconds()),
        "accepted_today": feed.accepted,
        "refused_today": feed.refused,
        "waiting": feed.waiting,
        "waiting_answered_aa": feed.alarms,
    }
    return [f'portal_feed_{name}{{feed="{feed.name}"}} {count}' for name, count in figures.items()]


def _today(record: Record) -> tuple[FeedHealth, ...]:
    now = record.clock()
    today = london.calendar_day(london.at(now)).isoformat()
    return feed_health.feeds_today(record, london.day_start(today) or now)


def _out(feed: FeedHealth) -> FeedOut:
    return FeedOut(
        name=feed.name,
        organization=feed.organization,
        silent=feed.silent,
        quiet_minutes=int(feed.quiet.total_seconds() // 60),
        latest=feed.latest,
        accepted=feed.accepted,
        refused=feed.refused,
        refusals=dict(feed.refusals),
        last_24_hours=list(feed.hours),
        unmapped_in_24_hours=feed.unmapped,
        waiting=[
            WaitingOut(code=one.code, count=one.count, oldest=one.oldest, answered_aa=one.alarms)
            for one in feed.waits
        ],
    )
