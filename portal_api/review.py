"""Review: a clinician who cares for the patient opens a held report or letter before its date."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from adapters.intake.letter_notes import tell_of_letter
from auth.answers import committed
from fhir_server.access import CaredFor
from fhir_server.errors import Conflict, Forbidden, Unprocessable
from fhir_server.message_recipients import sender
from fhir_server.model import json
from fhir_server.model.ids import bucket_of
from fhir_server.record import Asked, Stored, Writer
from portal_api.caller import Caller, find_all, read

Tree = dict[str, Any]

LONGEST_REASON = 200
"""Characters of a reason that are kept on the ledger."""


@dataclass(frozen=True, slots=True)
class _Reviewed:
    """What is to be opened: its type and id, the version that was read, and its words."""

    resource_type: str
    id: str
    version: int
    name: str
    sender: str
    parts: Callable[[Writer, Stored], Iterable[Stored]]
    """What opens together with it; raises Conflict where it may not be opened."""
    tell: Callable[[Writer, Stored], None] = lambda _writer, _opened: None
    """How the patient is told once it is open."""


async def release(caller: Caller, report_id: str, version: int, reason: str) -> Stored:
    """Open the report *report_id* to its patient now, with everything that it stands on.

    The report, its results and specimens and the order become new versions with their release
    now; the notice is taken back; the ledger keeps *reason*, which has to be given. *version* is
    the one that the clinician has read: Conflict where the laboratory has sent another since, or
    where it is open already. Raises NotFound for a report that is not the caller's to see,
    Forbidden for anybody but a clinician who cares for the patient.
    """
    held = _Reviewed("DiagnosticReport", report_id, version, "result", "laboratory", _parts)
    return await _release(caller, held, reason)


async def release_letter(caller: Caller, letter_id: str, version: int, reason: str) -> Stored:
    """Open the letter *letter_id* to its patient now, as `release` does a report.

    What tells where it comes from opens with it, and the Communication that tells the patient of
    it. A letter that its sender has not signed may be opened, and stays marked as such. Raises
    Conflict, too, where the letter was replaced or taken back, or where it has nothing to read.
    """
    told = await find_all(caller, "Provenance", ("target", f"DocumentReference/{letter_id}"))
    made_from = tuple(one.stored.id for one in told.matches)

    def beside(writer: Writer, letter: Stored) -> Iterator[Stored]:
        _refuse_unreadable(json.decode(letter.body))
        for one in made_from:
            part = writer.current("Provenance", one)
            if part is not None and part.patient == letter.patient:
                yield part

    def tell(writer: Writer, opened: Stored) -> None:
        tell_of_letter(writer, opened, json.decode(opened.body))

    held = _Reviewed("DocumentReference", letter_id, version, "letter", "hospital", beside, tell)
    return await _release(caller, held, reason)


async def _release(caller: Caller, held: _Reviewed, reason: str) -> Stored:
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise Unprocessable.of(f"Say why the {held.name} may be opened now.", code="required")
    if not isinstance(caller.access.reach, CaredFor):
        raise Forbidden.of(f"Only a clinician who cares for the patient releases a {held.name}.")
    seen = (await read(caller, held.resource_type, held.id)).stored
    asked = Asked("release", f"{held.resource_type}/{held.id}")

    def piece(writer: Writer) -> Stored:
        current = writer.current(held.resource_type, held.id)
        if current is None or current.version != held.version:
            text = f"The {held.sender} has sent a newer version. Please read it first."
            raise Conflict.of(text)
        if not _held(current, writer.now):
            raise Conflict.of(f"This {held.name} is open to the patient already.")
        sender(writer, current.patient)  # whoever cares for them no more, since a moment ago
        for part in (current, *held.parts(writer, current)):
            if _held(part, writer.now):
                _open(writer, part, reason)
        writer.withdraw_notice(current.patient, held.id)
        opened = writer.current(held.resource_type, held.id) or current
        held.tell(writer, opened)
        entity = f"{opened.reference}/_history/{opened.version}"
        writer.audit("release", patient=opened.patient, entity=entity, reason=reason)
        return opened

    future = caller.record.submit(
        caller.access, piece, buckets=[bucket_of(seen.patient)], asked=asked
    )
    return await committed(future)


def _refuse_unreadable(letter: Tree) -> None:
    if letter["status"] != "current":
        raise Conflict.of("The hospital has replaced this letter, or taken it back.")
    if not any(one["attachment"].get("data") for one in letter["content"]):
        raise Conflict.of("There is nothing to read in this letter yet.")


def _held(stored: Stored, now: int) -> bool:
    return stored.release_at is None or stored.release_at > now


def _open(writer: Writer, stored: Stored, reason: str) -> None:
    writer.file(
        json.decode(stored.body),
        id_=stored.id,
        patient=stored.patient,
        release_at=writer.now,
        labels=stored.labels,
        reason=reason,
    )


def _parts(writer: Writer, report: Stored) -> Iterator[Stored]:
    """Yield what the report names and what belongs to the same patient: each once."""
    waiting, met = _references(json.decode(report.body)), {report.reference}
    while waiting:
        reference = waiting.pop()
        kind, _, id_ = reference.partition("/")
        part = writer.current(kind, id_) if reference not in met else None
        met.add(reference)
        if part is not None and part.patient == report.patient:
            yield part
            if kind == "Observation":
                waiting += _references(json.decode(part.body))


def _references(tree: Tree) -> list[str]:
    return [
        one["reference"]
        for name in ("result", "specimen", "basedOn", "hasMember")
        for one in _listed(tree.get(name, ()))
        if one.get("reference", "").startswith(("Observation/", "Specimen/", "ServiceRequest/"))
    ]


def _listed(value: Any) -> list[Tree]:
    return [value] if isinstance(value, dict) else list(value)
