"""Several messages in one frame: each its own transaction, in order, and one answer for the frame.

Only a feed that agreed on batches may send them; from any other the frame is refused as a whole.
A batch (FHS, BHS) is answered with a batch of its answers, bare messages with the worst of them,
so that a sender which counts answers by frames stays in step. HL7 v2.8 chapter 2, 2.10.3.
"""

from concurrent.futures import Future
from threading import Lock

from adapters.hl7v2.batch import Batch, unpack
from adapters.hl7v2.header import glimpse
from adapters.intake import reception
from adapters.intake.feeds import Feed, Mismatch, choose
from adapters.intake.reception import Answers
from fhir_server.record import Record

_WORST_LAST = (b"AA", b"CA", b"AE", b"CE", b"AR", b"CR")


def receive(
    record: Record, feeds: tuple[Feed, ...], payload: bytes, peer: str, flags: tuple[str, ...] = ()
) -> "Future[Answers]":
    """File what one frame holds; the Future has the answer to the frame once all is committed."""
    batch = unpack(payload)
    if len(batch.messages) < 2 and not batch.enveloped:
        return reception.receive(record, feeds, payload, peer, flags)
    first = batch.messages[0] if batch.messages else payload
    feed = choose(feeds, peer, glimpse(first))
    if isinstance(feed, Mismatch) or not feed.dialect.batches or not batch.messages:
        return reception.receive(record, feeds, payload, peer, flags)
    futures = [
        reception.receive(record, feeds, one, peer, (*flags, *batch.flags))
        for one in batch.messages
    ]
    return _together(batch, futures)


def _together(batch: Batch, futures: "list[Future[Answers]]") -> "Future[Answers]":
    outer: Future[Answers] = Future()
    lock, left = Lock(), [len(futures)]

    def one_done(_: "Future[Answers]") -> None:
        with lock:
            left[0] -= 1
            if left[0]:
                return
        answers = [answer for future in futures for answer in future.result()]
        outer.set_result(_answer(batch, answers))

    for future in futures:
        future.add_done_callback(one_done)
    return outer


def _answer(batch: Batch, answers: list[bytes]) -> Answers:
    if not answers:
        return ()
    if batch.enveloped:
        return (enveloped(answers),)
    return (max(answers, key=_badness),)


def enveloped(answers: list[bytes]) -> bytes:
    """Return the batch of *answers* that answers a batch of messages."""
    head, tail = b"BHS|^~\\&\r", b"BTS|%d\r" % len(answers)
    return head + b"".join(answers) + tail


def _badness(answer: bytes) -> int:
    """Return how bad an answer is; of the equally bad, the first is the one that is sent."""
    for segment in answer.split(b"\r"):
        if segment.startswith(b"MSA"):
            code = segment[4:6]
            return _WORST_LAST.index(code) if code in _WORST_LAST else len(_WORST_LAST)
    return len(_WORST_LAST)
