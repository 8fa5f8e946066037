"""A patient's appointments as people read them: what is to come first, then what has been.

A line says when, where and with whom, as the hospital last said it, and never why.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from portal_api.caller import Caller, Entry, find_all
from portal_api.london import Moment, moment

Tree = dict[str, Any]

_PAST = timedelta(days=365)
_STILL_ON = timedelta(hours=4)
"""How long an appointment stands among those to come once it has begun."""

_STATES = {
    "booked": "booked",
    "arrived": "booked",
    "checked-in": "booked",
    "fulfilled": "over",
    "cancelled": "cancelled",
    "entered-in-error": "cancelled",
    "noshow": "missed",
    "pending": "unsure",
    "proposed": "unsure",
    "waitlist": "waiting",
}


@dataclass(frozen=True, slots=True)
class Appointment:
    """One appointment. *state* is `booked`, `unsure`, `waiting`, `cancelled`, `missed`, `over`."""

    title: str
    state: str
    starts: Moment | None
    minutes: int
    """How long it takes; 0 where nobody said."""
    places: tuple[str, ...]
    people: tuple[str, ...]
    instructions: str


@dataclass(frozen=True, slots=True)
class Appointments:
    """What is to come, the soonest first, and what has been, the latest first."""

    coming: tuple[Appointment, ...]
    past: tuple[Appointment, ...]


async def appointments(caller: Caller, patient: str) -> Appointments:
    """Return the appointments of *patient* that the caller may see, of the last year and later."""
    found = await find_all(caller, "Appointment", ("patient", patient), ("_sort", "date"))
    now = caller.record.clock()
    coming, past = list[Appointment](), list[Appointment]()
    for one in map(_appointment, found.matches):
        starts = one.starts.instant if one.starts else now
        if starts + _STILL_ON >= now:
            coming.append(one)
        elif now - starts < _PAST:
            past.append(one)
    return Appointments(tuple(coming), tuple(reversed(past)))


def _appointment(entry: Entry) -> Appointment:
    tree = entry.tree
    taking_part = [one.get("actor", {}) for one in tree["participant"]]
    named = [one for one in taking_part if "display" in one]
    return Appointment(
        title=_title(tree),
        state=_STATES[tree["status"]],
        starts=moment(tree.get("start", "")),
        minutes=tree.get("minutesDuration", 0),
        places=tuple(one["display"] for one in named if one.get("type") == "Location"),
        people=tuple(one["display"] for one in named if one.get("type") != "Location"),
        instructions=tree.get("patientInstruction", ""),
    )


def _title(tree: Tree) -> str:
    names = []
    for service in tree.get("serviceType", ()):
        displays = [one["display"] for one in service.get("coding", ()) if "display" in one]
        names.append(service.get("text") or next(iter(displays), ""))
    return ", ".join(dict.fromkeys(filter(None, names))) or "Appointment"
