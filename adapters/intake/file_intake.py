"""A file of messages, filed as if they had come over a socket: each message once, in order.

A file holds one message, several, a batch, or frames as on a socket. Its feed is named by whoever
watches the folder; what the messages say of themselves (MSH-3 to MSH-6) is judged all the same.
The file may be handed in again after a crash: the same messages get the same answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from adapters.hl7v2.batch import unpack
from adapters.hl7v2.mllp import HEAD_KEPT, VT, Cut, Frame, Framer
from adapters.intake import reception
from adapters.intake.admission import by_drop, dropped_for
from adapters.intake.batches import enveloped
from adapters.intake.desk import keep_in_part
from adapters.intake.feeds import Feed
from adapters.intake.listener import Left
from adapters.intake.sending import code_of, says_send_again
from fhir_server.record import Record

FILE_LIMIT = 256 * 1024 * 1024
"""Bytes of one file; a larger one is refused."""
PEER = "127.0.0.1"
"""Where files come from: this machine."""
SECONDS = 300.0
"""How long an answer may take."""
_AT_ONCE = 100
_BLANK = b"\r\n \t"
_CHUNK = 1024 * 1024
_TAKEN = frozenset({"AA", "CA", ""})

Outcome = Literal["taken", "refused", "again"]


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The answers to a file's messages, one after the other, and what is to become of the file.

    `taken`: every message was; `refused`: not every one; `again`: nothing can be written now, and
    the file has to be handed in again, whole.
    """

    answers: bytes
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stands in a frame of the file, or in all of it; *is_whole* unless the frame was cut."""

    content: bytes
    is_whole: bool = True
    flags: tuple[str, ...] = ()


def hand_in(record: Record, feeds: tuple[Feed, ...], name: str, path: Path) -> HandedIn:
    """File the messages of the file at *path* as those of the feed *name*.

    Raises OSError where the file can't be read.
    """
    known, peer = dropped_for(feeds, name), by_drop(PEER, name)
    if path.stat().st_size > FILE_LIMIT:
        answers = keep_in_part(record, known, _head(path), peer).result(timeout=SECONDS)
        return HandedIn(b"".join(answers), _outcome(list(answers), all_whole=False))
    replies: list[bytes] = []
    singly: list[bytes] = []
    pieces = list(_pieces(path.read_bytes()))
    for piece in pieces:
        found, is_batch = _answers(record, known, piece, peer)
        singly += found
        replies += [enveloped(found)] if is_batch and found else found
    outcome = _outcome(singly, all_whole=all(piece.is_whole for piece in pieces) and bool(pieces))
    return HandedIn(b"" if outcome == "again" else b"".join(replies), outcome)


def _outcome(answers: list[bytes], *, all_whole: bool) -> Outcome:
    if any(map(says_send_again, answers)):
        return "again"
    is_taken = all_whole and all(code_of(one) in _TAKEN for one in answers)
    return "taken" if is_taken else "refused"


def _pieces(content: bytes) -> Iterator[_Piece]:
    if content.lstrip(_BLANK)[:1] != bytes([VT]):
        if content.strip(_BLANK):
            yield _Piece(content)
        return
    framer = Framer(len(content))
    for event in [*framer.feed(content), *framer.end()]:
        match event:
            case Frame(payload, flags):
                yield _Piece(payload, flags=flags)
            case Cut(part, _):
                yield _Piece(part, is_whole=False)
            case _:
                pass


def _answers(
    record: Record, feeds: tuple[Feed, ...], piece: _Piece, peer: str
) -> tuple[list[bytes], bool]:
    """Return the answers to the messages in *piece*, in order, and whether they are a batch."""
    if not piece.is_whole:
        left = Left(piece.content, "frame-unfinished", len(piece.content))
        return list(keep_in_part(record, feeds, left, peer).result(timeout=SECONDS)), False
    batch = unpack(piece.content)
    is_one = len(batch.messages) < 2 and not batch.enveloped
    messages = batch.messages if batch.messages and not is_one else (piece.content,)
    flags = (*piece.flags, *batch.flags)
    answers: list[bytes] = []
    for start in range(0, len(messages), _AT_ONCE):
        futures = [
            reception.receive(record, feeds, one, peer, flags)
            for one in messages[start : start + _AT_ONCE]
        ]
        for future in futures:
            answers += future.result(timeout=SECONDS)
    return answers, batch.enveloped


def _head(path: Path) -> Left:
    """Return what is kept of a file that is too large: its beginning, its size and its hash."""
    digest, size = sha256(), 0
    with path.open("rb") as file:
        head = file.read(HEAD_KEPT)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Left(head, "frame-too-large", size, digest.hexdigest())
