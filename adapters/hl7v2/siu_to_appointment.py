"""SIU^S12 to S17 and S26 to an Appointment: pure, whole, and never a guess.

Why somebody comes stays out of it (SCH-6, SCH-7, DG1, comments): a patient is told when, where and
to whom. Source: HL7 v2.8 chapter 10, 10.4 and 10.6; the guide's sheets for SIU_S12.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.hl7v2.appointment import Booking
from adapters.hl7v2.appointment_tables import (
    APPOINTMENT_EVENTS,
    ENDED_BY_EVENT,
    FILLER_STATUS,
    MINUTES,
    TAKES_PART,
)
from adapters.hl7v2.codeable_concepts import codeable_concept
from adapters.hl7v2.composite import each, first, value
from adapters.hl7v2.context import Context, made, refusal
from adapters.hl7v2.conversion import PATIENT, Key, Link, Made, Tree
from adapters.hl7v2.dates import instant
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Message, Segment
from adapters.hl7v2.identifiers import entity_identifier
from adapters.hl7v2.message_to_provenance import provenance
from adapters.hl7v2.pid_to_patient import person_named
from adapters.hl7v2.siu_segments import Parts, parts_of
from adapters.hl7v2.surroundings import every_segment, flags_of, surroundings
from adapters.hl7v2.text_guard import guard
from adapters.hl7v2.xcn_to_practitioner import reference_to_person

_UNKNOWN = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown",
        }
    ]
}
_NO_TIME_NEEDED = frozenset({"cancelled", "waitlist"})
_LONGEST = timedelta(days=1)
_COUNT = re.compile(r"[0-9]{1,4}")


def convert(message: Message, dialect: Dialect, received_at: datetime | None = None) -> Booking:
    """Return what *message*, an SIU, becomes in *dialect*.

    *received_at* (aware) bounds when it was sent; the appointment lies in the future. Raises
    Refused (AE) with a stable code and the field to blame: for an identity that is missing, broken
    or unclear, an appointment without a number, a booking without a time, segments out of order.
    """
    context = surroundings(message, dialect, received_at)
    header = message.segments[0]
    parts = parts_of(message.segments, context)
    sch, at = parts.sch[0], context.sent_at
    if at is None:
        raise refusal(101, "date-missing", "MSH.7", "MSH-7 does not say when this was sent.")
    person = person_named(parts.patient, context)
    key = _key(sch, context)
    status = _status(first(header, 9)[2], sch, context)
    times = _times(parts, replace(context, latest=None))
    if not times and status not in _NO_TIME_NEEDED and first(header, 9)[2] not in ENDED_BY_EVENT:
        text = "Neither SCH-11, TQ1-7 nor a resource says at what time the appointment is."
        raise refusal(101, "appointment-time-missing", sch.address(11), text)
    given = times or ({} if status in _NO_TIME_NEEDED else {"_start": _UNKNOWN, "_end": _UNKNOWN})
    tree = _appointment(parts, status, given, context)
    told = provenance(header, None, key, received_at or at, context)
    booking = Booking(
        person=person,
        appointment=Made(key, tree),
        provenance=Made(("Provenance", *key, value(header, 10) or at.isoformat()), told),
        practitioners=made(context.practitioners),
        organizations=made(context.organizations),
        flags=(),
        accounted=every_segment(message, dict(_fates(message, parts))),
        authority=context.authority,
        filler_number=first(sch, 2)[1],
        placer_number=first(sch, 1)[1],
        status=status,
        version_at=at,
        is_timed=bool(times),
        holds=("security-label",) if value(header, 26) or value(header, 27) else (),
    )
    guard(message, (person.tree, *(each.tree for each in booking.all_made())), context)
    return replace(booking, flags=flags_of(message, context))


def _key(sch: Segment, context: Context) -> Key:
    """Return the key by which later messages name the appointment: by SCH-2, else SCH-1."""
    placer, filler = first(sch, 1)[1], first(sch, 2)[1]
    if not placer and not filler:
        text = "Neither SCH-2 nor SCH-1 holds a number: no later message could find this."
        raise refusal(101, "appointment-number-missing", sch.address(2), text)
    number = ("FILL", filler) if filler else ("PLAC", placer)
    return ("Appointment", context.authority, *number)


def _status(event: str, sch: Segment, context: Context) -> str:
    """Return what the event says, and within what it leaves open, what SCH-25 says."""
    of_event = APPOINTMENT_EVENTS[event.upper()]
    sent = value(sch, 25) if len(sch.fields) > 25 else ""
    known = FILLER_STATUS.get(sent.upper().replace(" ", "").replace("-", ""))
    if sent and known is None:
        context.flag("appointment-status-unread", sch.address(25))
    return of_event if event.upper() in ENDED_BY_EVENT else known or of_event


def _times(parts: Parts, context: Context) -> Tree:
    """Return start and end; empty where nothing says when. An end that nothing says is unknown."""
    of_schedule, of_timing = first(parts.sch[0], 11)[4], [value(one, 7) for one in parts.timings]
    if of_schedule and any(of_timing) and of_schedule not in of_timing:
        context.flag("appointment-times-differ", parts.sch[0].address(11))
    for segment, starts, start, end in _said_times(parts):
        found = instant(start, context, segment.address(starts))
        if found is None:
            continue
        minutes = _minutes(parts)
        ends = instant(end, context, segment.address(starts)) if end else None
        if ends is not None and not found[1] <= ends[1] <= found[1] + _LONGEST:
            context.flag("date-order", segment.address(starts))
            ends = None
        if ends is None and minutes:
            return {"start": found[0], "end": _after(found[1], minutes)}
        return {"start": found[0], **({"end": ends[0]} if ends else {"_end": _UNKNOWN})}
    return {}


def _said_times(parts: Parts) -> Iterator[tuple[Segment, int, str, str]]:
    """Yield where a time may stand, the likeliest first: segment, field, start and end as sent."""
    sch = parts.sch[0]
    # From version 2.5 on TQ1 stands for SCH-11, which is kept for those who know no other.
    for timing in parts.timings:
        if value(timing, 7):
            yield timing, 7, value(timing, 7), value(timing, 8)
    span = first(sch, 11)
    if span[4]:
        yield sch, 11, span[4], span[5]
    for booked in parts.booked:
        number = 4 if booked.name == "AIS" else 6
        if value(booked, number):
            yield booked, number, value(booked, number), ""


def _minutes(parts: Parts) -> int:
    """Return SCH-9 with SCH-10, else AIS-7 with AIS-8, in minutes; 0 where neither is known."""
    places = [(parts.sch[0], 9, 10)]
    places += [(one, 7, 8) for one in parts.booked if one.name == "AIS"]
    for segment, number, unit_at in places:
        sent, unit = value(segment, number), value(segment, unit_at).upper()
        if _COUNT.fullmatch(sent) and unit in MINUTES:
            return int(sent) * MINUTES[unit]
    return 0


def _after(start: datetime, minutes: int) -> str:
    return (start + timedelta(minutes=minutes)).isoformat()


def _appointment(parts: Parts, status: str, times: Tree, context: Context) -> Tree:
    sch = parts.sch[0]
    tree: Tree = {
        "resourceType": "Appointment",
        "identifier": [
            identifier
            for number, kind in ((1, "PLAC"), (2, "FILL"))
            if (identifier := entity_identifier(first(sch, number), context, kind))
        ],
        "status": status,
        **times,
    }
    services = [
        codeable_concept(first(one, 3), context) for one in parts.booked if one.name == "AIS"
    ]
    if any(services):
        tree["serviceType"] = [service for service in services if service]
    kind = codeable_concept(first(sch, 8), context, "v2-0277")
    if kind:
        tree["appointmentType"] = kind
    minutes = _minutes(parts)
    if minutes:
        tree["minutesDuration"] = minutes
    told = "\n".join(note.whole(3) for note in parts.instructions).strip()
    if told:
        tree["patientInstruction"] = told
    orders = [
        {"type": "ServiceRequest", "identifier": identifier}
        for number, code in ((26, "PLAC"), (27, "FILL"))
        if len(sch.fields) > number
        for sent in each(sch, number)
        if (identifier := entity_identifier(sent, context, code))
    ]
    if orders:
        tree["basedOn"] = orders
    tree["participant"] = _participants(parts, status, context)
    return tree


def _participants(parts: Parts, status: str, context: Context) -> list[Tree]:
    """Return the patient, then the people (AIP) and the places (AIL), each once."""
    taking_part = TAKES_PART[status]
    found: list[Tree] = [{"actor": {"reference": Link(PATIENT)}, "status": taking_part}]
    for segment in parts.booked:
        actor: Tree = {}
        if segment.name == "AIP":
            actor = reference_to_person(first(segment, 3), context, segment.address(3))
        elif segment.name == "AIL":
            actor = _place(segment)
        if not actor:
            continue
        one: Tree = {"actor": actor, "status": taking_part}
        role = codeable_concept(first(segment, 4), context)
        if role:
            one = {"type": [role], **one}
        if one not in found:
            found.append(one)
    return found


def _place(ail: Segment) -> Tree:
    """Return where it is in words: room, place and building (AIL-3, PL), else what AIL-4 says."""
    place = first(ail, 3)
    named = [place[9], place[2], place[1], place[7], place.sub(4)[1]]
    told = list(dict.fromkeys(part for part in named if part))
    if not told:
        told = [part for part in (first(ail, 4)[2], first(ail, 4)[1]) if part][:1]
    return {"type": "Location", "display": ", ".join(told)} if told else {}


def _fates(message: Message, parts: Parts) -> Iterator[tuple[int, str]]:
    yield message.segments[0].number, "filed in Provenance"
    for segments in parts.patient.values():
        for segment in segments:
            is_visit = segment.name in {"PV1", "PV2"}
            told = "kept raw: a visit is referred to, not kept" if is_visit else "filed in Patient"
            yield segment.number, told
    for segment in (*parts.sch, *parts.timings, *parts.booked, *parts.instructions):
        yield segment.number, "filed in Appointment"
    for segment, reason in parts.kept:
        yield segment.number, f"kept raw: {reason}"
