"""Between the sockets and the record: frames go to `reception` in a thread, answers come back.

What can't be a message (cut off, too large) is kept too, under its stable code, with no resources.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

from adapters.hl7v2.ack import Fault
from adapters.hl7v2.header import glimpse
from adapters.intake import batches, reception, synthetic
from adapters.intake.feeds import Feed, Mismatch, choose
from adapters.intake.inbox import Arrival
from adapters.intake.listener import Answers, Limits, Reception, Tally
from adapters.intake.reception import Read, Verdict
from fhir_server.record import Record

Feeds = Callable[[], tuple[Feed, ...]]

_TEXT = {
    "frame-cut": "The next message began before this one ended.",
    "frame-unfinished": "The connection ended, or fell silent, before the message did.",
    "frame-too-large": "The message is larger than this portal takes.",
}


def at_desk(record: Record, feeds: Feeds, limits: Limits, tally: Tally) -> Reception:
    """Return what a listener hands its frames to; *feeds* is asked anew for every frame."""

    async def take(payload: bytes, peer: str, flags: tuple[str, ...]) -> "asyncio.Future[Answers]":
        future = await asyncio.to_thread(batches.receive, record, feeds(), payload, peer, flags)
        return asyncio.wrap_future(future)

    async def leave(part: bytes, peer: str, code: str) -> Answers:
        future = await asyncio.to_thread(_left, record, feeds(), part, (peer, code))
        answers = await asyncio.wrap_future(future)
        return answers if code == "frame-too-large" else ()

    return Reception(take, leave, limits, tally)


def _left(
    record: Record, feeds: tuple[Feed, ...], part: bytes, said: tuple[str, str]
) -> "Future[Answers]":
    peer, code = said
    header = glimpse(part)
    chosen = choose(feeds, peer, header)
    feed = Feed(name="unknown") if isinstance(chosen, Mismatch) else chosen
    message_type = "^".join(filter(None, (header.message_type, header.trigger)))
    barred = synthetic.applies(feeds) and synthetic.may_name_a_person(part)
    kept = b"" if barred else part[: reception.STRANGER_KEPT]
    arrival = Arrival(feed.name, peer, header.control_id, message_type, kept)
    fault = Fault(102, code, "MSH.1", _TEXT[code])
    return reception.answered(record, Read(arrival, header, feed, Verdict("AR", fault)))
