"""The operator's first page: how the feeds are."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from auth.principal import Role
from fhir_server.clock import from_micros
from portal_api import feed_health, london
from portal_api.feed_health import FeedHealth
from portal_api.feed_words import span, when_expected
from portal_api.pages import operator_codes, operator_merges, operator_queue, operator_trace
from portal_api.pages.desk import Desk, Visit, answer, endpoint
from portal_api.pages.sparklines import sparkline
from portal_api.pages.views_operator import (
    FeedRow,
    FeedsView,
    UnmappedRow,
)

HOME = "/operator"


def routes(desk: Desk) -> APIRouter:
    """Return the operator's routes, those of the rooms beside this one included."""
    router = APIRouter()
    served = endpoint(desk, Role.OPERATOR, show_feeds)
    router.add_route(HOME, served, ["GET"], include_in_schema=False)
    for part in (operator_queue, operator_codes, operator_trace, operator_merges):
        router.include_router(part.routes(desk))
    return router


async def show_feeds(desk: Desk, visit: Visit) -> Response:
    """Answer with the feeds as they are today. No patient is in it."""
    record, now = visit.caller.record, visit.caller.record.clock()
    today = london.calendar_day(london.at(now)).isoformat()
    feeds = await run_in_threadpool(feed_health.feeds_today, record, london.day_start(today) or now)
    codes = await run_in_threadpool(feed_health.unmapped, record)
    rows = tuple(_feed_row(one, now) for one in feeds)
    view = FeedsView(rows, tuple(_unmapped_row(one) for one in codes))
    return answer(desk, visit, "operator/feeds.jinja", view)


def _feed_row(feed: FeedHealth, now: datetime) -> FeedRow:
    return FeedRow(
        name=feed.name,
        organization=feed.organization,
        sender=feed.sender,
        expected=when_expected(feed.expected),
        latest=london.at(feed.latest) if feed.latest else None,
        silence=london.age(feed.latest, now) if feed.latest else "",
        alarm=span(feed.quiet) if feed.silent else "",
        picture=sparkline(feed.hours, now),
        accepted=feed.accepted,
        unmapped=_share(feed),
        refused=feed.refused,
        refusals=feed.refusals,
        waiting=feed.waiting,
        oldest=london.age(feed.oldest, now) if feed.oldest else "",
        alarms=feed.alarms,
        queue=f"{HOME}/errors?{urlencode({'feed': feed.name})}",
    )


def _share(feed: FeedHealth) -> str:
    total = sum(feed.hours)
    if not feed.unmapped or not total:
        return ""
    return f"{feed.unmapped} of {total} in 24 hours with an unmapped code"


def _unmapped_row(row: Row[Any]) -> UnmappedRow:
    return UnmappedRow(
        feed=row.feed,
        code=row.code,
        name=row.display,
        unit=row.unit,
        count=row.times,
        first_seen=london.at(from_micros(row.first_seen)),
    )
