"""A patient's letters: listed, opened, noted as read; and those that wait for a clinician.

A letter is a DocumentReference; the Communication about it says whether it was opened. Whoever may
not see a letter gets the same answer as for one that never was.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adapters.hl7v2.document_tables import SENSITIVE_TYPES
from auth.answers import committed
from fhir_server import amend
from fhir_server.clock import from_micros, instant_text, micros
from fhir_server.correspondence import is_notification
from fhir_server.errors import NotFound
from fhir_server.model import json
from fhir_server.notices import letters_awaiting_release
from portal_api import london
from portal_api.caller import Caller, Entry, find_all, look, read
from portal_api.documents import Content, bytes_of, kind_of, size_in_words
from portal_api.london import Moment, moment

Tree = dict[str, Any]

WITHDRAWN, REPLACED = "entered-in-error", "superseded"
_USUAL = frozenset({"N", "U"})
"""Labels that ask for no more care than usual."""


@dataclass(frozen=True, slots=True)
class Part:
    """One text or file of a letter. *place* counts from 1; *text* is empty for a file."""

    place: int
    title: str
    text: str
    kind: str
    size: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter with all that a page says of it."""

    id: str
    patient: str
    title: str
    author: str
    hospital: str
    written: Moment | None
    status: str
    is_draft: bool
    adds_to: bool
    """Whether it adds to an earlier letter."""
    parts: tuple[Part, ...]
    note: str = ""
    """The id of the note that says there is this letter, where nobody has opened it yet."""
    version: int = 0
    held: bool = False
    """Whether the patient can't see it yet."""
    opens: Moment | None = None
    """When a held letter opens by itself, if it does."""
    doc_status: str = ""
    """How far its sender says that it has come; empty where nothing is said."""
    is_confidential: bool = False
    is_sensitive: bool = False
    """Whether it is of a kind that a clinician opens."""

    @property
    def new(self) -> bool:
        """Whether nobody has opened it yet."""
        return bool(self.note)


async def letters(caller: Caller, patient: str) -> tuple[Letter, ...]:
    """Return the letters of *patient* that the caller may see, newest first."""
    found = await find_all(caller, "DocumentReference", ("patient", patient), ("_sort", "-date"))
    notes = await _unread(caller, patient)
    now = micros(caller.record.clock())
    return tuple(_letter(one, notes.get(one.stored.reference, ""), now) for one in found.matches)


async def letter(caller: Caller, letter_id: str) -> Letter:
    """Return one letter. Raises NotFound for one that is absent or not the caller's."""
    entry = await read(caller, "DocumentReference", letter_id)
    notes = await _unread(caller, entry.stored.patient)
    now = micros(caller.record.clock())
    return _letter(entry, notes.get(entry.stored.reference, ""), now)


async def awaiting_release(caller: Caller) -> tuple[tuple[str, Moment, Letter], ...]:
    """Return the held letters of those whom the caller cares for, the oldest first.

    Each with the id of its patient, as whom they are known today, and when it came.
    """
    found = await look(letters_awaiting_release, caller.record, caller.access)
    now = micros(caller.record.clock())
    return tuple(
        (
            one.patient,
            london.at(from_micros(one.letter.last_updated)),
            _letter(Entry(one.letter, json.decode(one.letter.body)), "", now),
        )
        for one in found
    )


async def unread(caller: Caller, patient: str) -> int:
    """Return how many letters nobody has opened yet."""
    return len(await _unread(caller, patient))


async def mark_read(caller: Caller, opened: Letter) -> None:
    """Note that the patient has opened a letter, unless that is noted already."""
    if not opened.note:
        return
    note = await read(caller, "Communication", opened.note)
    now = instant_text(caller.record.clock())
    changed = note.tree | {"received": now}
    await committed(amend.update(caller.record, caller.access, opened.note, changed, None))


async def part_of(caller: Caller, letter_id: str, place: int) -> tuple[Content, str]:
    """Return part *place* of a letter as a file, and the letter's status.

    Raises NotFound for a letter that is absent or not the caller's, and where it has none there.
    """
    tree = (await read(caller, "DocumentReference", letter_id)).tree
    found = _attachments(tree)
    if not 0 < place <= len(found):
        raise NotFound.of("There is no such document, or it is not yours to see.")
    attachment = found[place - 1]
    _, ending, content_type = kind_of(attachment)
    number = f"-{place}" if len(found) > 1 else ""
    name = f"letter{_day(tree)}{number}.{ending}"
    return Content(name, content_type, bytes_of(attachment)), tree["status"]


async def _unread(caller: Caller, patient: str) -> dict[str, str]:
    """Return the notes that nobody has opened, by the reference of the letter that they tell of."""
    found = await find_all(
        caller, "Communication", ("patient", patient), ("category", "notification")
    )
    return {
        about.get("reference", ""): one.stored.id
        for one in found.matches
        if is_notification(one.tree) and "received" not in one.tree
        for about in one.tree.get("about", ())
    }


def _letter(entry: Entry, note: str, now: int) -> Letter:
    tree, stored = entry.tree, entry.stored
    authors = [one.get("display", "") for one in tree.get("author", ())]
    relations = {one["code"] for one in tree.get("relatesTo", ())}
    held = stored.release_at is None or stored.release_at > now
    return Letter(
        id=stored.id,
        patient=entry.patient,
        title=_title(tree),
        author=", ".join(filter(None, authors)),
        hospital=tree.get("custodian", {}).get("display", ""),
        written=_written(tree),
        status=tree["status"],
        is_draft=tree.get("docStatus") != "final",
        adds_to="appends" in relations,
        parts=tuple(_part(place, one) for place, one in enumerate(_attachments(tree), 1)),
        note=note,
        version=stored.version,
        held=held,
        opens=london.at(from_micros(stored.release_at)) if held and stored.release_at else None,
        doc_status=tree.get("docStatus", ""),
        is_confidential=bool(_codes(tree.get("securityLabel", ())) - _USUAL),
        is_sensitive=not _codes([tree.get("type", {})]).isdisjoint(SENSITIVE_TYPES),
    )


def _codes(concepts: Iterable[Tree]) -> set[str]:
    return {coding.get("code", "") for concept in concepts for coding in concept.get("coding", ())}


def _title(tree: Tree) -> str:
    kind = tree.get("type", {})
    displays = [one["display"] for one in kind.get("coding", ()) if "display" in one]
    return tree.get("description") or kind.get("text") or next(iter(displays), "") or "Letter"


def _written(tree: Tree) -> Moment | None:
    given = tree.get("context", {}).get("period", {}).get("start", "")
    return moment(tree.get("date", "") or given)


def _attachments(tree: Tree) -> list[Tree]:
    return [one["attachment"] for one in tree["content"] if one["attachment"].get("data")]


def _part(place: int, attachment: Tree) -> Part:
    kind, _, _ = kind_of(attachment)
    size = size_in_words(len(attachment["data"]) * 3 // 4)
    text = bytes_of(attachment).decode("utf-8", "replace") if kind == "text" else ""
    return Part(place, attachment.get("title", ""), text, kind, size)


def _day(tree: Tree) -> str:
    when = _written(tree)
    return f"-{london.calendar_day(when).isoformat()}" if when else ""
