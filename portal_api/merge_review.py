"""A merge as an operator decides on it: both records side by side; joined, set aside or parted.

Looking is on the ledger for both patients before anything is shown; what is decided goes the way
of `portal-fhir feed merge` and `feed unmerge`, with the reason.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from adapters.hl7v2.merge import Merge
from adapters.hl7v2.merge_to_pairs import BY_HAND, MERGES
from adapters.intake import replay, tracing, waiting
from adapters.intake.merge_sides import Sides, sides
from adapters.intake.replay import Replayed
from adapters.intake.unmerging import Unmerged, unmerge
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import Invalid, NotFound
from fhir_server.record import Asked, Writer
from portal_api import error_queue, joining
from portal_api.error_queue import Chosen, Clerk

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Review:
    """One merge: its message (a whole row of the inbox), who entered it, and whom it is about."""

    row: Row[Any]
    organization: str
    entered_by: tuple[str, ...]
    pairs: tuple[Sides, ...]
    waits: bool

    @property
    def can_join(self) -> bool:
        """Whether there is anything that a person may file."""
        return self.waits and bool(self.pairs) and joining.joins(self.row)


def is_about_two(message_type: str) -> bool:
    """Tell whether messages of this type (`ADT^A40`) join records, or part them."""
    return message_type in {f"ADT^{event}" for event in (*MERGES, *BY_HAND)}


def review(clerk: Clerk, feed: str, mark: str) -> Review:
    """Return the merge in the feed's message with this mark; the look is on the ledger first.

    One that can't be read has no pairs. Raises NotFound where there is no such message, or it
    joins no records.
    """
    row = tracing.one(clerk.record, feed, mark)
    if row is None or not is_about_two(row.message_type):
        raise _absent(clerk, mark)
    read = replay.prepared(clerk.record, clerk.feeds, row)
    content = read.content if isinstance(read.content, Merge) else None

    def piece(writer: Writer) -> tuple[tuple[Sides, ...], bool]:
        found = tuple(sides(writer, content)) if content is not None else ()
        shown = {one.patient for pair in found for one in (pair.stays, pair.retired)}
        for patient in sorted(filter(None, shown)) or ("",):
            entity = f"message:{row.control_id}"[:_LONGEST]
            writer.audit(Subtype.MESSAGE_SEEN, entity=entity, patient=patient, reason="a merge")
        return found, waiting.is_waiting(writer, row._asdict())

    asked = Asked(Subtype.MESSAGE_SEEN, f"message:{row.control_id}"[:_LONGEST])
    pairs, waits = clerk.record.submit(clerk.access, piece, asked=asked).result()
    entered = tuple(
        " ".join(filter(None, (*name.get("given", ()), name.get("family", name.get("text", "")))))
        for made in (content.practitioners if content is not None else ())
        for name in made.tree.get("name", ())[:1]
    )
    return Review(row, read.feed.organization, tuple(filter(None, entered)), pairs, waits)


def join(clerk: Clerk, chosen: Chosen, reason: str) -> Replayed:
    """Join the records, by the decision of a person who says why; return what became of it.

    Raises Invalid without a reason, NotFound where the message joins no records.
    """
    why = joining.reason_in(reason)
    row = tracing.one(clerk.record, chosen.feed, chosen.mark)
    if row is None or not joining.joins(row):
        raise _absent(clerk, chosen.mark)
    return replay.run_again(clerk.record, clerk.access, clerk.feeds, row, why)


def set_aside(clerk: Clerk, chosen: Chosen, reason: str) -> None:
    """Close the message: the records stay two. Raises Invalid without a reason."""
    error_queue.close(clerk, chosen, joining.reason_in(reason))


def part(clerk: Clerk, chosen: Chosen, patient: str, reason: str) -> Unmerged:
    """Take the record of *patient*, whom the message retired, out of the one that it was joined to.

    Raises Invalid without a reason, and where the message joined nobody of that id.
    """
    why = joining.reason_in(reason)
    found = review(clerk, chosen.feed, chosen.mark)
    if patient not in {pair.retired.patient for pair in found.pairs if pair.joined}:
        raise Invalid.of("This message has joined no record of that id to another.")
    return unmerge(clerk.record, clerk.access, patient, why)


def _absent(clerk: Clerk, mark: str) -> NotFound:
    """Return the refusal of what is not there; it is on the ledger first."""
    refusal = NotFound.of("There is no such message, or it joins no records.")
    asked = Asked(Subtype.MESSAGE_SEEN, f"message:{mark}"[:_LONGEST])
    clerk.record.refuse(clerk.access, asked, refusal).result()
    return refusal
