"""ADT A01 to A08, A11 to A13, A28 and A31 to who somebody is now: pure, whole, never a guess.

The map is the "Version 2 to FHIR" guide's ADT_A01 and ADT_A05 as far as a person goes; visits,
allergies, diagnoses and who pays are kept in the raw message, each for a reason that is written
down in `adt_fields`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from adapters.hl7v2.adt_fields import BY_RULE, ELEMENTS, EVENTS, KEPT_RAW, Effect
from adapters.hl7v2.composite import DELETED, each, first, value
from adapters.hl7v2.context import Context, made, refusal
from adapters.hl7v2.conversion import PATIENT, Made, PersonNamed, Tree
from adapters.hl7v2.demographics import Demographics
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Message, Segment
from adapters.hl7v2.evn_to_provenance import event_provenance, said_at
from adapters.hl7v2.pid_to_patient import person_named
from adapters.hl7v2.surroundings import every_segment, flags_of, surroundings
from adapters.hl7v2.text_guard import guard
from adapters.hl7v2.xcn_to_practitioner import reference_to_person

_ABOUT_THE_PERSON = frozenset({"PID", "PD1", "NK1"})
_GENERAL_PRACTICE = frozenset({"PP", "FHCP"})


def convert(
    message: Message, dialect: Dialect, received_at: datetime | None = None
) -> Demographics:
    """Return what *message*, an ADT about one person, becomes in *dialect*.

    *received_at* (aware) bounds what dates are believed. Raises Refused (AE) with a stable code and
    the field to blame: for a message without a person or with several, an identity that is
    missing, broken or unclear, a name that is deleted, and a date that can't be believed.
    """
    context = surroundings(message, dialect, received_at)
    event = event_of(message)
    segments = one_person(message.segments)
    deleted = frozenset(_deleted(segments))
    if "PID-5" in deleted:
        address = segments["PID"][0].address(5)
        raise refusal(101, "name-deleted", address, "Nobody is left without a name.")
    person = person_named(segments, context)
    _add_general_practitioners(person.tree, message.all("ROL"), context)
    at = said_at(message, context)
    number = value(message.segments[0], 10) or at.isoformat()
    told = event_provenance(message, PATIENT, at, context)
    content = Demographics(
        person=person,
        event=event,
        effect=EVENTS[event].effect,
        said_at=at,
        deleted=deleted,
        denies_death=_denies_death(segments["PID"][0], person),
        provenance=Made(("Provenance", "demographics", context.authority, number), told),
        practitioners=made(context.practitioners),
        organizations=made(context.organizations),
        flags=(),
        accounted=every_segment(message, _fates(message, EVENTS[event].effect)),
    )
    guard(message, (person.tree, *(each.tree for each in content.all_made())), context)
    return replace(content, flags=flags_of(message, context))


def event_of(message: Message) -> str:
    """Return the trigger event: MSH-9.2, else EVN-1."""
    evn = message.first("EVN")
    return first(message.segments[0], 9)[2] or (value(evn, 1) if evn else "")


def one_person(segments: Iterable[Segment]) -> dict[str, list[Segment]]:
    """Return the segments about the person, by name. Refuses none, and several persons (AE 100)."""
    found: dict[str, list[Segment]] = {}
    for segment in segments:
        if segment.name == "PID" and "PID" in found:
            text = "The message speaks of more than one patient; send one message for each."
            raise refusal(100, "patients-several", segment.address(), text)
        if segment.name in _ABOUT_THE_PERSON:
            found.setdefault(segment.name, []).append(segment)
    if "PID" not in found:
        raise refusal(100, "message-empty", "PID", "The message names no patient: it has no PID.")
    return found


def _add_general_practitioners(tree: Tree, roles: Iterable[Segment], context: Context) -> None:
    """Add those whom a ROL names as the person's general practitioner to *tree*."""
    for role in filter(_is_general_practice, roles):
        for person in each(role, 4):
            doctor = reference_to_person(person, context, role.address(4))
            if doctor and doctor not in tree.get("generalPractitioner", ()):
                tree.setdefault("generalPractitioner", []).append(doctor)


def _is_general_practice(role: Segment) -> bool:
    return value(role, 3) in _GENERAL_PRACTICE and value(role, 2) != "DE"


def _deleted(segments: Mapping[str, list[Segment]]) -> Iterator[str]:
    """Yield the fields that hold nothing but two quotation marks."""
    fields = (*(name for element in ELEMENTS for name in element.fields), *BY_RULE)
    for name in dict.fromkeys(fields):
        segment, _, number = name.partition("-")
        for one in segments.get(segment, ()):
            if DELETED in one.field(int(number)) and not each(one, int(number)):
                yield name


def _denies_death(pid: Segment, person: PersonNamed) -> str:
    if person.deceased is False:
        return pid.address(30)
    emptied = (n for n in (29, 30) if DELETED in pid.field(n) and not each(pid, n))
    return next((pid.address(n) for n in emptied), "")


def _fates(message: Message, effect: Effect) -> dict[int, str]:
    cancelled = effect is Effect.CANCELS
    return {segment.number: _fate(segment, cancelled=cancelled) for segment in message.segments}


def _fate(segment: Segment, *, cancelled: bool) -> str:
    if cancelled:
        return "kept raw: a cancelled event changes nobody's details"
    if segment.name in {"MSH", "EVN"}:
        return "filed in Provenance"
    if segment.name in _ABOUT_THE_PERSON:
        return "filed in Patient.contact" if segment.name == "NK1" else "filed in Patient"
    if segment.name == "ROL" and _is_general_practice(segment):
        return "filed in Patient.generalPractitioner"
    return f"kept raw: {KEPT_RAW.get(segment.name, 'not mapped')}"
