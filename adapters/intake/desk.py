"""Between the sockets and the record: frames go to `reception` in a thread, answers come back.

What can't be a message (cut off, too large) is kept too, under its stable code, with no resources.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

from adapters.hl7v2.ack import Fault
from adapters.hl7v2.header import glimpse
from adapters.intake import batches, reception, synthetic
from adapters.intake.admission import Peer, admitted, is_known
from adapters.intake.feeds import Feed, Mismatch, choose, frame_limit
from adapters.intake.listener import Answers, Left, Limits, Reception, Tally
from adapters.intake.reading import STRANGER, STRANGER_KEPT, Read, Verdict, arrival_of
from fhir_server.errors import Unavailable
from fhir_server.record import Record

Feeds = Callable[[], tuple[Feed, ...]]

_TEXT = {
    "frame-cut": "The next message began before this one ended.",
    "frame-unfinished": "The connection ended, or fell silent, before the message did.",
    "frame-too-large": "The message is larger than this portal takes.",
    "peer-limit": "The listener holds as many unfinished messages as it can.",
}


def at_desk(record: Record, feeds: Feeds, limits: Limits, tally: Tally) -> Reception:
    """Return what a listener hands its frames to; *feeds* is asked anew for every frame."""

    def of(peer: Peer) -> tuple[Feed, ...]:
        return admitted(feeds(), peer)

    async def take(payload: bytes, peer: Peer, flags: tuple[str, ...]) -> "asyncio.Future[Answers]":
        future = await asyncio.to_thread(
            batches.receive, record, of(peer), payload, peer.address, flags
        )
        return asyncio.wrap_future(future)

    async def leave(left: Left, peer: Peer) -> Answers:
        future = await asyncio.to_thread(keep_in_part, record, of(peer), left, peer.address)
        return await asyncio.wrap_future(future)

    async def turn_away(peer: Peer, reason: str) -> None:
        access = reception.feed_access(STRANGER, peer.address)
        try:
            noted = record.note(
                access, "message-refused", outcome="4", entity="feed:unknown", reason=reason
            )
            await asyncio.wrap_future(noted)
        except Unavailable:
            tally.counts["not-noted"] += 1

    def knows(peer: Peer) -> bool:
        return is_known(feeds(), peer)

    def most(peer: Peer) -> int:
        return min(frame_limit(of(peer), peer.address), limits.frame)

    return Reception(take, leave, turn_away, knows, most, limits, tally)


def keep_in_part(
    record: Record, feeds: tuple[Feed, ...], left: Left, peer: str
) -> "Future[Answers]":
    """Keep what came of a frame that is no message; what is too large is refused, and answered."""
    header = glimpse(left.part)
    chosen = choose(feeds, peer, header)
    feed = STRANGER if isinstance(chosen, Mismatch) else chosen
    barred = synthetic.applies(feeds) and synthetic.may_name_a_person(left.part)
    is_head = feed is STRANGER or left.digest or left.code == "peer-limit"
    kept = b"" if barred else left.part[: STRANGER_KEPT if is_head else None]
    text = f"{_TEXT[left.code]} Of it came {left.size} bytes."
    verdict = Verdict("AR" if left.digest else None, Fault(102, left.code, "MSH.1", text))
    arrival = arrival_of(kept, peer, feed, header, left.digest)
    return reception.answered(record, Read(arrival, header, feed, verdict))
