"""Messages for programs: found by a number, a person or a time, and one with all about it."""

import base64
from datetime import datetime
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Row

from adapters.intake import tracing
from adapters.intake.tracing import Page, Span
from fhir_server.clock import from_micros, micros
from fhir_server.errors import Invalid
from portal_api import messages_seen
from portal_api.api.door import Asking, Guarded, noted
from portal_api.messages_seen import Question


class Search(BaseModel):
    """What is looked for; a number goes before a time. Instants have an offset."""

    key: str = Field(default="", max_length=1000)
    """A control id, an accession, or an NHS number."""
    feed: str = ""
    fate: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: str = ""
    limit: int = Field(default=50, ge=1, le=200)


class MessageOut(BaseModel):
    """One message without its content; *feed* and *mark* are its address."""

    feed: str
    mark: str
    control_id: str
    message_type: str
    received: datetime
    fate: str
    code: str
    field: str
    reason: str
    flags: list[str]
    copies: int


class MessagesOut(BaseModel):
    """A page of messages, newest first; *before* asks for the next one, empty on the last."""

    messages: list[MessageOut]
    before: str


class ActOut(BaseModel):
    """What somebody did with a message."""

    at: datetime
    by: str
    act: str
    fate: str
    code: str
    reason: str


class WholeMessageOut(MessageOut):
    """One message: its bytes and its answers in base64, what was made, what people did."""

    peer: str
    raw: str
    answers: list[str]
    made: list[str]
    acts: list[ActOut]


@cache
def routes() -> APIRouter:
    """Return the routes below `/api/messages`."""
    router = APIRouter(prefix="/api/messages", route_class=Guarded)
    router.add_api_route("", listed, methods=["GET"])
    router.add_api_route("/search", searched, methods=["POST"])
    router.add_api_route("/{feed}/{mark}", one, methods=["GET"])
    return router


async def listed(clerk: Asking, search: Annotated[Search, Query()]) -> MessagesOut:
    """Return a page of messages. NHS numbers do not belong in addresses: see `searched`."""
    return await searched(clerk, search)


async def searched(clerk: Asking, search: Search) -> MessagesOut:
    """Return a page of messages; the look, or its refusal, is on the ledger first."""
    try:
        question = _question(search)
    except Invalid as error:
        await noted(clerk.record, clerk.access, error)
        raise
    return _page(await messages_seen.search(clerk.record, clerk.access, question))


async def one(clerk: Asking, feed: str, mark: str) -> WholeMessageOut:
    """Return one message; the look is on the ledger first, for each patient in it."""
    seen = await messages_seen.one(clerk.record, clerk.access, feed, mark)
    row = seen.row
    return WholeMessageOut(
        **_values(row),
        peer=row.peer,
        raw=_base64(bytes(row.raw)),
        answers=[_base64(each) for each in bytes(row.ack).split(b"\x1c") if each],
        made=row.made.split(),
        acts=[
            ActOut(
                at=from_micros(act.acted),
                by=act.acted_by,
                act=act.act,
                fate=act.fate,
                code=act.code,
                reason=act.reason,
            )
            for act in seen.acts
        ],
    )


def _question(search: Search) -> Question:
    before = tracing.cursor_of(search.before)
    if search.before and before is None:
        raise Invalid.of("This is no cursor of ours.", expression="before")
    span = Span(search.feed, search.fate, _instant(search.since), _instant(search.until))
    return Question(search.key, span, before, search.limit)


def message_out(row: Row[Any]) -> MessageOut:
    """Return a row of the inbox as it stands in a list."""
    return MessageOut(**_values(row))


def _page(page: Page) -> MessagesOut:
    before = tracing.cursor_text(page.next) if page.next else ""
    return MessagesOut(messages=[message_out(row) for row in page.rows], before=before)


def _values(row: Row[Any]) -> dict[str, Any]:
    return {
        "feed": row.feed,
        "mark": tracing.mark_of(row._asdict()),
        "control_id": row.control_id,
        "message_type": row.message_type,
        "received": from_micros(row.received),
        "fate": row.fate,
        "code": row.code,
        "field": row.address,
        "reason": row.reason,
        "flags": [flag for flag in row.flags.split("\n") if flag],
        "copies": row.copies,
    }


def _instant(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise Invalid.of("An instant needs its offset, such as 2026-11-24T14:30:00Z.")
    return micros(moment)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
