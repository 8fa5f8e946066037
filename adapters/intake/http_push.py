"""HL7 v2 over HTTPS: one message or one batch a request, its acknowledgement as the answer.

What comes this way goes the way of every message, and is the same message as over MLLP: the same
bytes again get the same acknowledgement. The acknowledgement says what became of a message; HTTP
only whether there is one. Who may push as which feed is for the caller to say.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from adapters.intake import batches
from adapters.intake.admission import by_push, pushed_by
from adapters.intake.feeds import Feed
from adapters.intake.listener import Answers, Limits, Tally
from adapters.intake.sending import says_send_again
from fhir_server.access import Access
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import Forbidden, Invalid, TooLarge, Unavailable, UnsupportedMedia
from fhir_server.record import Record
from fhir_server.rest.body import received
from fhir_server.rest.exchange import within_deadline
from fhir_server.rest.formats import SAFE

KINDS = ("application/hl7-v2", "x-application/hl7-v2+er7")
"""Content types of HL7 v2 in its own delimiters; the first is the one that is registered."""

ANSWERED_WITHIN = 60.0
"""Seconds until a sender is told to try again; what was handed in may be filed all the same."""
MOST_AT_ONCE = 256
"""Messages that may be on their way through this door at any time."""


@dataclass(frozen=True, slots=True)
class Pusher:
    """An application that may push: its access, for the ledger, and its client id."""

    access: Access
    client: str


@dataclass(frozen=True, slots=True)
class Pushing:
    """What the door needs: where messages go, who sends, and what it may use."""

    record: Record
    feeds: Callable[[], tuple[Feed, ...]]
    limits: Limits
    tally: Tally


async def push(door: Pushing, pusher: Pusher, request: Request) -> Response:
    """Return the acknowledgement of what *request* brings, or 204 where the sender asks for none.

    Raises Forbidden where no feed names the application, UnsupportedMedia for another content
    type, TooLarge past the feed's limit, Unavailable where the message is to be sent again.
    """
    feeds = pushed_by(door.feeds(), pusher.client)
    mine = require_feeds(feeds)
    kind = _require_hl7v2(request)
    limit = min(max(feed.frame_limit for feed in mine), door.limits.frame)
    with room(door, request, limit):
        body = await body_of(door, mine, pusher, request, limit)
        peer = by_push(pusher.access.agent.network, pusher.client)
        answers = await answered(partial(batches.receive, door.record, feeds, body, peer))
    door.tally.counts["pushed"] += 1
    if any(map(says_send_again, answers)):
        raise Unavailable.of("The portal can't take messages now. Please send it again.")
    if not answers:
        return Response(b"", 204, dict(SAFE))
    return Response(b"".join(answers), 200, dict(SAFE), media_type=kind)


def require_feeds(feeds: tuple[Feed, ...]) -> tuple[Feed, ...]:
    """Return those of *feeds* that the sender may speak as. Raises Forbidden for none."""
    mine = tuple(feed for feed in feeds if feed.sources)
    if not mine:
        raise Forbidden.of("No feed names this application: its messages are nobody's.")
    return mine


def _require_hl7v2(request: Request) -> str:
    """Return the content type of the body. Raises UnsupportedMedia for any but ours."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in KINDS:
        raise UnsupportedMedia.of(
            "This address takes HL7 v2 messages.", diagnostics=f"Content-Type: {KINDS[0]}"
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMedia.of("Please send the body as it is, not compressed.")
    return kind


@contextmanager
def room(door: Pushing, request: Request, limit: int) -> Iterator[None]:
    """Keep memory for a body until it is answered. Raises Unavailable where there is none left."""
    tally, announced = door.tally, request.headers.get("content-length", "")
    size = min(int(announced[:20]), limit) if announced.isdigit() else limit
    if tally.pushes >= MOST_AT_ONCE or tally.held + size > door.limits.held // 2:
        tally.counts["push-no-room"] += 1
        raise Unavailable.of("Too many messages are on their way. Please send it again.")
    tally.pushes += 1
    tally.held += size
    try:
        yield
    finally:
        tally.pushes -= 1
        tally.held -= size


async def body_of(
    door: Pushing, mine: tuple[Feed, ...], pusher: Pusher, request: Request, limit: int
) -> bytes:
    """Return what is pushed, noted on the ledger first.

    Raises TooLarge past *limit*, Invalid where it is empty, Unavailable where nothing can be noted.
    """
    try:
        body = await received(request, limit)
    except TooLarge:
        door.tally.counts["frame-too-large"] += 1
        raise
    if not body.strip():
        raise Invalid.of("The body is empty.")
    names = ",".join(feed.name for feed in mine)
    entity, note = f"feed:{names}"[:200], door.record.note
    await within_deadline(note(pusher.access, Subtype.REQUEST, entity=entity, reason="pushed"))
    return body


async def answered(handed_in: Callable[[], "Future[Answers]"]) -> Answers:
    """Return the answers to what *handed_in* hands in, in a thread of its own.

    Raises Unavailable where they are not there in time.
    """
    filing = await asyncio.to_thread(handed_in)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(filing), ANSWERED_WITHIN)
    except TimeoutError:
        raise Unavailable.of("The portal is too busy. Please send the message again.") from None
