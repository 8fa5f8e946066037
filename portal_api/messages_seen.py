"""Messages as operators look at them: every look is on the ledger before anything is shown.

A list shows no content, and is one entry. The bytes of a message are content: looking at them is
an entry for each patient whom the message is about.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool

from adapters.intake import message_keys, tracing, waiting
from adapters.intake.tracing import Cursor, Page, Span
from auth.answers import committed
from fhir_server.access import Access
from fhir_server.audit.subtypes import Subtype
from fhir_server.clock import from_micros, instant_text
from fhir_server.errors import NotFound
from fhir_server.model.identifiers import NHS_NUMBER, NhsNumber
from fhir_server.model.ids import derived_id
from fhir_server.record import Record, Writer

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: a number, as typed, or a span of time."""

    text: str = ""
    span: Span = field(default_factory=Span)
    before: Cursor | None = None
    most: int = tracing.PAGE


@dataclass(frozen=True, slots=True)
class Seen:
    """One message with its bytes, and what people did with it."""

    row: Row[Any]
    acts: tuple[Row[Any], ...]
    waits: bool
    """Whether it waits for a person."""


async def search(record: Record, access: Access, question: Question) -> Page:
    """Answer with a page of messages without their bytes, newest first."""
    text = question.text.strip()
    if not text:
        await _noted(record, access, f"messages:{_span_text(question.span)}", ("",))
        return await run_in_threadpool(
            tracing.by_time, record, question.span, question.before, question.most
        )
    number = NhsNumber.parse(text)
    if number is None:
        await _noted(record, access, f"message:{text}", ("",))
    else:
        patient = derived_id(record.id_key, "Patient", NHS_NUMBER, number.digits)
        await _noted(record, access, f"messages:Patient/{patient}", (patient,))
    return await run_in_threadpool(tracing.by_key, record, text, question.before, question.most)


async def one(record: Record, access: Access, feed: str, mark: str) -> Seen:
    """Answer with one message. Raises NotFound where the feed has none with this mark."""
    row = await run_in_threadpool(tracing.one, record, feed, mark)
    if row is None:
        await _noted(record, access, f"message:{mark}", ("",), outcome="4")
        raise NotFound.of("There is no such message.")
    entity = f"message:{row.control_id}"
    await committed(record.submit(access, partial(_looked, row=row, entity=entity)))
    acts = await run_in_threadpool(waiting.acts, record, row._asdict())
    waits = await run_in_threadpool(waiting.is_waiting, record, row._asdict())
    return Seen(row, tuple(acts), waits)


def _looked(writer: Writer, *, row: Row[Any], entity: str) -> None:
    for patient in patients_in(writer, row) or ("",):
        writer.audit(Subtype.MESSAGE_SEEN, entity=entity[:_LONGEST], patient=patient)


def patients_in(writer: Writer, row: Row[Any]) -> tuple[str, ...]:
    """Return the ids of the patients whom a message is about: by number, and by what it made."""
    numbers = message_keys.numbers_in(bytes(row.raw))
    found = {derived_id(writer.id_key, "Patient", NHS_NUMBER, one.digits) for one in numbers}
    for reference in filter(None, row.made.split("\n")):
        kind, id_ = reference.split("/")[:2]
        stored = writer.current(kind, id_)
        if stored is not None and stored.patient:
            found.add(stored.patient)
    return tuple(sorted(found))


async def _noted(
    record: Record, access: Access, entity: str, patients: Iterable[str], outcome: str = "0"
) -> None:
    for patient in patients:
        note = record.note(
            access,
            Subtype.MESSAGE_SEEN,
            entity=entity[:_LONGEST],
            patient=patient,
            outcome=outcome,
        )
        await committed(note)


def _span_text(span: Span) -> str:
    since, until = (
        instant_text(from_micros(one)) if one is not None else ""
        for one in (span.since, span.until)
    )
    return " ".join(filter(None, (f"{since}/{until}", span.feed, span.fate)))
