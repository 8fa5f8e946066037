"""The segments of an SIU in their parts: the schedule, the person, what was booked.

Nothing is thrown away: every segment is in a part or among the *kept*. Source: HL7 v2.8 chapter 10,
10.4 (SIU).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import HEADER, PATIENT

_BOOKED = frozenset({"AIL", "AIP", "AIS"})
_FOR_PATIENTS = "PI"
_REASONS = {
    "AIG": "equipment and groups are for staff",
    "DG1": "a reason, for staff only",
    "OBX": "told with the appointment, for staff only",
    "RGS": "it groups what was booked and says no more",
}


@dataclass(slots=True)
class Parts:
    """A scheduling message in its parts. *kept* holds what stays raw, with the reason."""

    sch: list[Segment] = field(default_factory=list)
    patient: dict[str, list[Segment]] = field(default_factory=dict)
    timings: list[Segment] = field(default_factory=list)
    booked: list[Segment] = field(default_factory=list)
    """AIS, AIL and AIP: services, places and people, in order."""
    instructions: list[Segment] = field(default_factory=list)
    """NTE that are for the patient (NTE-4 PI, table 0364)."""
    kept: list[tuple[Segment, str]] = field(default_factory=list)


def parts_of(segments: Sequence[Segment], _context: Context) -> Parts:
    """Return the segments of a scheduling message in their parts.

    Refuses a message without SCH or PID, and one of several patients or appointments (AE 100).
    """
    made = Parts()
    for segment in segments:
        _take(segment, made)
    for name, there in (("SCH", made.sch), ("PID", made.patient.get("PID"))):
        if not there:
            text = f"The message names no appointment of a person: it has no {name}."
            raise refusal(100, "message-empty", name, text)
    return made


def _take(segment: Segment, made: Parts) -> None:
    name = segment.name
    if (name == "PID" and name in made.patient) or (name == "SCH" and made.sch):
        code = "patients-several" if name == "PID" else "appointments-several"
        text = "The message speaks of more than one of these; send one message for each."
        raise refusal(100, code, segment.address(), text)
    if name == "SCH":
        made.sch.append(segment)
    elif name in PATIENT:
        made.patient.setdefault(name, []).append(segment)
    elif name == "TQ1":
        made.timings.append(segment)
    elif name in _BOOKED:
        made.booked.append(segment)
    elif name == "NTE" and segment.text(4) == _FOR_PATIENTS:
        made.instructions.append(segment)
    elif name == "NTE":
        made.kept.append((segment, "a comment on the appointment, for staff only"))
    elif name in HEADER:
        if name != "MSH":
            made.kept.append((segment, "about the sending software"))
    else:
        made.kept.append((segment, _REASONS.get(name, "not mapped")))
