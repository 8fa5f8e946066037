"""ADT with MRG to pairs of who stays and whose numbers are retired: pure, never a guess.

The guide has no map of these. PID names who survives, MRG-1 the retired numbers; each pair stands
by itself. A merge alters nobody's details: a change of details (A31) follows where there is one.
What would part people, or move a number between them, is read so that a person finds it.
Source: HL7 v2.8 chapter 3, 3.3.18, 3.3.30, 3.3.34, 3.3.37, 3.3.39, 3.3.40, 3.3.43 and 3.3.47;
HL7 UK A.3.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from adapters.hl7v2.adt_to_resources import event_of
from adapters.hl7v2.composite import each
from adapters.hl7v2.context import Context, made, refusal
from adapters.hl7v2.conversion import PATIENT, Made, PersonNamed, Tree
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Message, Segment
from adapters.hl7v2.evn_to_provenance import event_provenance, said_at
from adapters.hl7v2.merge import Merge, Pair
from adapters.hl7v2.names import human_name
from adapters.hl7v2.patient_identifiers import prior_numbers
from adapters.hl7v2.pid_to_patient import person_named
from adapters.hl7v2.surroundings import every_segment, flags_of, surroundings
from adapters.hl7v2.text_guard import guard

MERGES: Mapping[str, str] = MappingProxyType(
    {
        "A18": "two records are one person's, up to version 2.4",
        "A30": "two records are one person's, up to version 2.4",
        "A34": "two records are one person's, by their numbers",
        "A39": "two records are one person's, by their external numbers",
        "A40": "two records are one person's",
        "A47": "a number of somebody was changed",
    }
)
"""Trigger event (table 0003) to what it means."""

BY_HAND: Mapping[str, str] = MappingProxyType(
    {
        "A37": "two records are two people's after all",
        "A43": "a number goes from one person to another",
    }
)
"""As `MERGES`, of what waits for a person: it would take something out of somebody's record."""

NOT_TAKEN: Mapping[str, str] = MappingProxyType(
    {
        "A24": "two records belong together and stay two; a mother and her child are linked, too",
    }
)
"""As `MERGES`, of what is refused although it names two records, with the reason."""

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "PID-3": "who stays: Patient.link replaces",
        "MRG-1": "who is retired: Patient.link replaced-by, active false; the numbers stay as old",
        "MRG-4": "as MRG-1, in the oldest versions",
        "MRG-7": "name of a retired person who is not known here",
    }
)
"""Field to what becomes of it."""

_RENUMBERS = "A47"
_PARTS = "A37"


@dataclass(slots=True)
class _Part:
    """The segments of one pair, as far as they were met."""

    person: dict[str, list[Segment]] = field(default_factory=dict)
    mrg: Segment | None = None


def convert(message: Message, dialect: Dialect, received_at: datetime | None = None) -> Merge:
    """Return what *message*, one of MERGES or BY_HAND, becomes in *dialect*.

    Raises Refused (AE) with a stable code and the field to blame: for a PID without its MRG or the
    other way round, numbers that are missing, broken or unclear, and somebody who would be merged
    into themselves.
    """
    context = surroundings(message, dialect, received_at)
    event = event_of(message)
    if event == _PARTS:
        pairs: tuple[Pair, ...] = (_parted(message, context),)
    else:
        pairs = tuple(_pair(part, context) for part in _parts(message))
    at = said_at(message, context)
    number = message.segments[0].whole(10).strip() or at.isoformat()
    told = event_provenance(message, PATIENT, at, context)
    content = Merge(
        pairs=pairs,
        event=event,
        renumbers=event == _RENUMBERS,
        by_hand=event in BY_HAND,
        said_at=at,
        provenance=Made(("Provenance", "merge", context.authority, number), told),
        practitioners=made(context.practitioners),
        organizations=made(context.organizations),
        flags=(),
        accounted=every_segment(message, {one.number: _fate(one) for one in message.segments}),
    )
    people = (tree for pair in pairs for tree in (pair.person.tree, pair.retired.tree))
    guard(message, (*people, *(each_.tree for each_ in content.all_made())), context)
    return replace(content, flags=flags_of(message, context))


def _parted(message: Message, context: Context) -> Pair:
    """Return the two whom an A37 names, each by a PID. Refuses one alone (AE 100)."""
    named = [segment for segment in message.segments if segment.name == "PID"]
    if len(named) < 2:
        text = "The message does not say whom to part from whom: it has one PID."
        raise refusal(100, "message-empty", "PID", text)
    one, other = (person_named({"PID": [pid]}, context) for pid in named[:2])
    return Pair(one, other, named[1].address(3))


def _parts(message: Message) -> Iterator[_Part]:
    """Yield the segments of each pair. Refuses one that is not whole (AE 100)."""
    part = _Part()
    found = False
    for segment in message.segments:
        if segment.name == "PID":
            if part.person and part.mrg is None:
                raise _half(segment)
            part, found = _Part({"PID": [segment]}), False
        elif segment.name == "PD1" and part.person:
            part.person.setdefault("PD1", []).append(segment)
        elif segment.name == "MRG":
            if not part.person or part.mrg is not None:
                text = "An MRG stands after the PID of whoever stays, one after each."
                raise refusal(100, "segment-order", segment.address(), text)
            part.mrg, found = segment, True
            yield part
    if not found:
        raise _half(message.segments[0])


def _half(segment: Segment) -> Exception:
    text = "The message does not say whose numbers are retired: a PID has no MRG after it."
    return refusal(100, "merge-empty", "MRG" if segment.name == "MSH" else segment.address(), text)


def _pair(part: _Part, context: Context) -> Pair:
    mrg = part.mrg
    if mrg is None:
        raise AssertionError("a part is yielded with its MRG")
    person = person_named(part.person, context)
    retired = _retired(mrg, context)
    stays = tuple(one for one in person.identifiers if one not in retired.identifiers)
    if retired.nhs_number == person.nhs_number:
        retired = replace(retired, nhs_number=None)
    if not (retired.identifiers or retired.nhs_number) or not (stays or person.nhs_number):
        text = "Somebody would be merged into themselves: PID-3 and MRG-1 name the same numbers."
        raise refusal(204, "merge-itself", mrg.address(1), text)
    return Pair(replace(person, identifiers=stays), retired, mrg.address(1))


def _retired(mrg: Segment, context: Context) -> PersonNamed:
    numbers = prior_numbers(mrg, context)
    tree: Tree = {"resourceType": "Patient", "identifier": list(numbers.trees)}
    names = [human_name(sent, context, mrg.address(7)) for sent in each(mrg, 7)]
    if any(names):
        tree["name"] = [name for name in names if name]
    return PersonNamed(
        tree=tree,
        nhs_number=numbers.nhs_number,
        identifiers=numbers.local,
        family="",
        given="",
        birth_date="",
        gender="",
        deceased=None,
        restricted=None,
        identity_unknown=False,
    )


def _fate(segment: Segment) -> str:
    if segment.name in {"MSH", "EVN"}:
        return "filed in Provenance"
    if segment.name in {"PID", "MRG"}:
        return "filed in Patient.link"
    return "kept raw: a merge changes nobody's details"
