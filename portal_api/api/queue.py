"""The error queue for programs: what waits, what running it again would do, and doing it."""

from datetime import datetime
from functools import cache
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from adapters.intake import waiting
from adapters.intake.trial import Trial
from fhir_server.audit.subtypes import Subtype
from fhir_server.clock import from_micros, micros
from fhir_server.errors import Invalid
from fhir_server.rest.exchange import within_deadline
from portal_api import error_queue
from portal_api.api.door import Asking, Guarded
from portal_api.api.door import Clerk as Asker
from portal_api.error_queue import Chosen, Clerk


class GroupOut(BaseModel):
    """The messages of one feed that wait for one reason."""

    feed: str
    code: str
    count: int
    oldest: datetime
    newest: datetime
    answered_aa: int


class ChosenIn(BaseModel):
    """One message by its mark, or those of a feed with a code that came until a moment."""

    feed: str
    mark: str = ""
    code: str = ""
    until: datetime | None = None


class CloseIn(ChosenIn):
    """What to close, and why nothing more is to be done."""

    reason: str


class LineOut(BaseModel):
    """One element that would differ, with its value afterwards."""

    path: str
    how: Literal["added", "changed", "removed"]
    value: str


class ChangeOut(BaseModel):
    """One resource that would be made or changed; *opens* null for held without a date."""

    reference: str
    how: Literal["created", "updated", "unchanged"]
    opens: datetime | None
    lines: list[LineOut]
    more: int


class TrialOut(BaseModel):
    """What would become of one message."""

    feed: str
    mark: str
    control_id: str
    fate: str
    code: str
    field: str
    reason: str
    changes: list[ChangeOut]


class DoneOut(BaseModel):
    """What became of one message."""

    feed: str
    control_id: str
    fate: str
    code: str
    field: str
    reason: str
    made: list[str]


class ClosedOut(BaseModel):
    """How many messages were closed."""

    closed: int


@cache
def routes() -> APIRouter:
    """Return the routes below `/api/queue`."""
    router = APIRouter(prefix="/api/queue", route_class=Guarded)
    router.add_api_route("", groups, methods=["GET"])
    router.add_api_route("/try", tried, methods=["POST"])
    router.add_api_route("/replay", replayed, methods=["POST"])
    router.add_api_route("/close", closed, methods=["POST"])
    return router


async def groups(clerk: Asking) -> list[GroupOut]:
    """Return what waits, by feed and reason; the look is on the ledger first."""
    note = clerk.record.note(clerk.access, Subtype.MESSAGE_SEEN, entity="error-queue")
    await within_deadline(note)
    rows = await run_in_threadpool(waiting.groups, clerk.record)
    return [
        GroupOut(
            feed=row.feed,
            code=row.code,
            count=row.times,
            oldest=from_micros(row.oldest),
            newest=from_micros(row.newest),
            answered_aa=int(row.alarms),
        )
        for row in rows
    ]


async def tried(clerk: Asking, chosen: ChosenIn) -> list[TrialOut]:
    """Return what running the messages again would do. Nothing is done."""
    trials = await run_in_threadpool(error_queue.tries, _clerk(clerk), _chosen(chosen))
    return [trial_out(one) for one in trials]


async def replayed(clerk: Asking, chosen: ChosenIn) -> list[DoneOut]:
    """Run the messages again, oldest first."""
    done = await run_in_threadpool(error_queue.runs, _clerk(clerk), _chosen(chosen))
    return [
        DoneOut(
            feed=one.feed,
            control_id=one.control_id,
            fate=one.fate,
            code=one.code,
            field=one.address,
            reason=one.reason,
            made=list(one.made),
        )
        for one in done
    ]


async def closed(clerk: Asking, chosen: CloseIn) -> ClosedOut:
    """Close messages with a reason; they are kept."""
    count = await run_in_threadpool(
        error_queue.close, _clerk(clerk), _chosen(chosen), chosen.reason
    )
    return ClosedOut(closed=count)


def trial_out(one: Trial) -> TrialOut:
    """Return a trial as programs get it."""
    return TrialOut(
        feed=one.feed,
        mark=one.mark,
        control_id=one.control_id,
        fate=one.fate,
        code=one.code,
        field=one.address,
        reason=one.reason,
        changes=[
            ChangeOut(
                reference=change.reference,
                how=change.how,
                opens=None if change.opens is None else from_micros(change.opens),
                lines=[
                    LineOut(path=line.path, how=line.how, value=line.value) for line in change.lines
                ],
                more=change.more,
            )
            for change in one.changes
        ],
    )


def _clerk(asker: Asker) -> Clerk:
    return Clerk(asker.record, asker.access, asker.portal.feeds.reread())


def _chosen(sent: ChosenIn) -> Chosen:
    if not sent.mark and (sent.until is None or sent.until.tzinfo is None):
        raise Invalid.of("Name a mark, or a code and until when: what came since stays.")
    until = micros(sent.until) if sent.until is not None and sent.until.tzinfo else None
    return Chosen(sent.feed, sent.mark, sent.code, until)
