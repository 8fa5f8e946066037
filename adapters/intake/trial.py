"""What running a message again would do, seen and then undone: the difference before the deed.

The message is really filed, inside a savepoint that is rolled back: what is shown is what would
happen. Of what stands already only the places that would change are told, and not the old values:
those came with other messages.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from sqlalchemy import Row

from adapters.intake import reception, replay
from adapters.intake.feeds import Feed
from adapters.intake.occasion import Occasion, Outcome
from adapters.intake.reading import Read, Verdict
from adapters.intake.tracing import mark_of
from fhir_server.access import Access
from fhir_server.model import json
from fhir_server.record import Again, Record, Stored, Writer

MOST_LINES = 60
"""Lines of difference that are kept of one resource."""

_OWN = frozenset({"id", "meta.versionId", "meta.lastUpdated", "resourceType"})


@dataclass(frozen=True, slots=True)
class Line:
    """One element that would differ: its path, how, and its value afterwards ("" once removed)."""

    path: str
    how: Literal["added", "changed", "removed"]
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that would be made or changed.

    *was_open* and *opens* tell when a patient may see it, in microseconds: None for held without
    a date; *was_open* is None as well for what is new.
    """

    reference: str
    how: Literal["created", "updated", "unchanged"]
    lines: tuple[Line, ...]
    more: int
    was_open: int | None
    opens: int | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What would become of one message: filed with *changes*, or set aside for a reason still."""

    feed: str
    mark: str
    control_id: str
    fate: str
    changes: tuple[Change, ...] = ()
    flags: tuple[str, ...] = ()
    code: str = ""
    address: str = ""
    reason: str = ""


class _UndoneError(Exception):
    """Carries what was seen out of the savepoint."""

    def __init__(self, outcome: Outcome, after: Sequence[Stored]) -> None:
        super().__init__("It was only tried.")
        self.outcome = outcome
        self.after = after


def tried(
    record: Record,
    access: Access,
    feeds: tuple[Feed, ...],
    row: Row[Any],
    first: Callable[[Writer], None] = lambda _: None,
    *,
    refiled: bool = False,
) -> Trial:
    """Return what running the message of *row*, a whole row of the inbox, again would do.

    *first* is done before it, and undone with it: giving a code its meaning, say. The look is on
    the ledger, for each patient of whom something is shown. *refiled*: it was filed before.
    """
    read = replay.prepared(record, feeds, row)
    deed = _Deed(first, refiled)
    return replay.carried(record, access, read, partial(_tried, deed=deed))


@dataclass(frozen=True, slots=True)
class _Deed:
    first: Callable[[Writer], None]
    refiled: bool


def _tried(
    writer: Writer,
    *,
    read: Read,
    buckets: frozenset[int] | None,
    deed: _Deed,
) -> Trial | Again:
    kept = read.arrival
    entity = f"message:{kept.key}"
    if isinstance(read.content, Verdict):
        return _aside(writer, read, read.content, entity)
    try:
        seen = writer.attempt(partial(_filed, writer, read, buckets, deed))
    except _UndoneError as undone:
        before = {one.reference: writer.current(one.type, one.id) for one in undone.after}
        changes = tuple(_change(before[one.reference], one) for one in undone.after)
        shown = sorted({one.patient for one in undone.after if one.patient})
        for patient in shown or (undone.outcome.patient,):
            writer.audit("message-seen", patient=patient, entity=entity, reason="a trial")
        mark = mark_of(kept.place)
        return Trial(kept.feed, mark, kept.key, "filed", changes, undone.outcome.flags)
    return seen if isinstance(seen, Again) else _aside(writer, read, seen, entity)


def _filed(
    writer: Writer,
    read: Read,
    buckets: frozenset[int] | None,
    deed: _Deed,
) -> Verdict | Again:
    """File the message and tell what is there then by raising, so that all of it is undone."""
    if isinstance(read.content, Verdict):
        return read.content
    deed.first(writer)
    occasion = Occasion(read.feed, read.header.control_id, buckets, refiled=deed.refiled)
    outcome = reception.attempted(writer, read.content, occasion)
    if not isinstance(outcome, Outcome):
        return outcome
    places = dict.fromkeys(tuple(one.split("/")[:2]) for one in outcome.made)
    after = [writer.current(kind, id_) for kind, id_ in places]
    raise _UndoneError(outcome, [one for one in after if one is not None])


def _aside(writer: Writer, read: Read, verdict: Verdict, entity: str) -> Trial:
    kept, why = read.arrival, verdict.why
    writer.audit("message-seen", entity=entity, reason="a trial")
    return Trial(
        feed=kept.feed,
        mark=mark_of(kept.place),
        control_id=kept.key,
        fate="refused" if verdict.ack == "AR" else "quarantined",
        code=why.code,
        address=why.field,
        reason=why.text,
    )


def _change(before: Stored | None, after: Stored) -> Change:
    if before is None:
        lines = tuple(_difference({}, _flat(after)))
        how: Literal["created", "updated", "unchanged"] = "created"
    else:
        lines = tuple(_difference(_flat(before), _flat(after)))
        how = "unchanged" if before.version == after.version else "updated"
    return Change(
        reference=after.reference,
        how=how,
        lines=lines[:MOST_LINES],
        more=max(0, len(lines) - MOST_LINES),
        was_open=before.release_at if before is not None else None,
        opens=after.release_at,
    )


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Line]:
    for path, value in after.items():
        if path not in before:
            yield Line(path, "added", value)
        elif before[path] != value:
            yield Line(path, "changed", value)
    yield from (Line(path, "removed", "") for path in before if path not in after)


def _flat(stored: Stored) -> dict[str, str]:
    """Return each primitive element of the resource by its path: `code.coding[0].code`."""
    flat = dict(_leaves(json.decode(stored.body), ""))
    return {path: value for path, value in flat.items() if path not in _OWN}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _leaves(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield from _leaves(child, f"{path}[{place}]")
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    else:
        yield path, str(value)
