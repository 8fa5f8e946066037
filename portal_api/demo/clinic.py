"""What a clinic sends beside results: a letter, an order that its result answers, an appointment.

All about Alan, so that each of his pages has something on it. Pure. HL7 v2 chapter 9 (MDM^T02),
chapter 4 (ORM^O01), chapter 10 (SIU^S12), in the version of his hospital, 2.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from portal_api.demo.days import clinic_on, reported_on, today
from portal_api.demo.frames import msh, pid, requester
from portal_api.demo.hospitals import HOSPITALS
from portal_api.demo.messages import ordered
from portal_api.demo.orders import Order, Person
from portal_api.demo.wire import (
    components,
    escaped,
    message,
    segment,
    to_the_minute,
    to_the_second,
)

LETTER = (
    "Dear Mr Fletcher,",
    "",
    "Thank you for coming to the clinic. Your PSA has hardly moved for two years,",
    "and you feel well. We go on watching, and do not treat.",
    "",
    "Next PSA     this week",
    "Next visit   in two weeks",
    "",
    "Mr Owen Price, consultant urologist",
)
_MINUTES = 20
_TO_VISIT = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class ClinicMessage:
    """One message as it is sent by the live feed of its person's hospital."""

    person: Person
    control_id: str
    raw: bytes = field(repr=False)


def clinic_messages(person: Person, order: Order, now: datetime) -> tuple[ClinicMessage, ...]:
    """Return the three messages about *person* as they stand at *now* (aware).

    *order* is the one whose result is still to come: what is asked for has its numbers.
    """
    hospital = HOSPITALS[person.hospital]
    yesterday = reported_on(today(now) - timedelta(days=1))
    made = (
        ("MDM^T02", "LETTER1", yesterday, _letter(person, yesterday)),
        ("ORM^O01", "ORDER1", now - timedelta(hours=1), _asked(order, now)),
        ("SIU^S12", "VISIT1", yesterday, _appointment(person, now)),
    )
    return tuple(
        ClinicMessage(person, control_id, message(segments, hospital.charset))
        for kind, name, sent, body in made
        for control_id in (f"{person.local_number}-{name}",)
        for segments in ((msh(hospital, kind, control_id, sent), *body),)
    )


def _letter(person: Person, written: datetime) -> Iterator[str]:
    """Yield a letter that somebody has signed and that is in use, its lines kept."""
    yield segment("EVN", {1: "T02", 2: to_the_second(written)})
    yield _person(person)
    yield segment(
        "TXA",
        {
            1: "1",
            2: components("CN", "Clinic letter", "L"),
            3: "TX",
            4: to_the_minute(written),
            6: to_the_minute(written),
            9: requester(person),
            12: f"{person.local_number}-LETTER1",
            17: "AU",
            19: "AV",
        },
    )
    code = components("LETTER", "Clinic letter", "L")
    yield segment("OBX", {1: "1", 2: "FT", 3: code, 5: escaped("\n".join(LETTER)), 11: "F"})


def _asked(order: Order, now: datetime) -> Iterator[str]:
    """Yield the order whose sample has reached the laboratory."""
    hospital, person = HOSPITALS[order.person.hospital], order.person
    taken, received = now - timedelta(hours=3), now - timedelta(hours=2)
    yield _person(person)
    numbers = {2: order.placer, 3: order.filler}
    who = requester(person)
    yield segment("ORC", numbers | {1: "NW", 5: "IP", 9: to_the_minute(taken), 12: who})
    yield segment(
        "OBR",
        numbers
        | {
            1: "1",
            4: ordered(hospital, order.profile),
            7: to_the_minute(taken),
            14: to_the_minute(received),
            15: components("BLD"),
            16: who,
            24: order.profile.section,
        },
    )


def _appointment(person: Person, now: datetime) -> Iterator[str]:
    """Yield a visit that is booked, with what to bring."""
    starts = to_the_minute(clinic_on(today(now) + _TO_VISIT))
    number = f"{person.local_number}-VISIT1"
    span = components("", "", "", starts)
    yield segment("SCH", {1: number, 2: number, 9: str(_MINUTES), 10: "min", 11: span})
    yield segment("NTE", {1: "1", 3: "Please bring a list of your medicines.", 4: "PI"})
    yield _person(person)
    yield segment("RGS", {1: "1"})
    yield segment("AIS", {1: "1", 3: components("URO", "Urology clinic", "L")})
    yield segment("AIL", {1: "1", 3: components("Outpatients", "Room 4")})
    yield segment("AIP", {1: "1", 3: requester(person)})


def _person(person: Person) -> str:
    return pid(person, HOSPITALS[person.hospital], person.born)
