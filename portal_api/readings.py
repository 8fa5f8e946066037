"""One measurement as a person reads it: an Observation turned into a value; and runs of them.

Pure. What can be compared stays together: a run holds readings of one code, unit, laboratory
and method (`result_series`), because a number from another laboratory or method is another number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from portal_api.london import Moment, moment
from portal_api.plain_names import PlainName, plain_name

Tree = Mapping[str, Any]
_ABOVE = frozenset({"H", "HH", "HU", ">"})
_BELOW = frozenset({"L", "LL", "LU", "<"})
_VERY = frozenset({"HH", "HU", "LL", "LU"})
_ODD = frozenset({"A", "AA"})
OUTSIDE = frozenset({"above", "below", "well above", "well below"})
"""Where a value can lie that is not in the usual range: words of `place`."""
_ABSENT: Mapping[str, str] = MappingProxyType(
    {
        "not-performed": "This test could not be done.",
        "error": "This test could not be done.",
        "not-asked": "This test was not asked for.",
        "temp-unknown": "The laboratory has no result yet.",
        "unknown": "There is no value.",
    }
)
"""Why there is no value, of https://hl7.org/fhir/R4/valueset-data-absent-reason.html."""
CORRECTED = frozenset({"corrected", "amended"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with the digits that the laboratory wrote, its comparator and its unit."""

    number: Decimal
    comparator: str
    """`<`, `<=`, `>`, `>=`, or empty."""
    unit: str
    """As the laboratory writes it; empty for a bare number."""


@dataclass(frozen=True, slots=True)
class Span:
    """The laboratory's usual range, in the unit of the value; a side that is open is None."""

    low: Decimal | None
    high: Decimal | None
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement of one test."""

    observation: str
    """The Observation's id."""
    name: PlainName
    given_name: str
    """The name that the laboratory used."""
    key: str
    """What makes two readings the same test: `system|code`, or the folded name."""
    quantity: Quantity | None
    text: str
    """The value in words, lines kept, where it is not a number."""
    taken: Moment | None
    laboratory: str
    method: str
    span: Span | None
    flag: str
    """The laboratory's own flag (v3-ObservationInterpretation), empty where it gave none."""
    status: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """Readings that can be compared, oldest first: of one laboratory, method and unit."""

    laboratory: str
    method: str
    unit: str
    readings: tuple[Reading, ...]


def reading(observation: Tree, names: Mapping[str, str]) -> Reading:
    """Return *observation* as a reading.

    *names* gives the display names of organisations by reference (`Organization/…`); a
    laboratory that is not there is called by the display text of the reference, or not at all.
    https://hl7.org/fhir/R4/observation.html
    """
    code = observation.get("code", {})
    codings = [
        (coding.get("system", ""), coding["code"])
        for coding in code.get("coding", ())
        if "code" in coding
    ]
    given = concept_text(code)
    taken = observation.get("effectiveDateTime") or observation.get("effectivePeriod", {}).get(
        "start", ""
    )
    return Reading(
        observation=observation.get("id", ""),
        name=plain_name(codings, given),
        given_name=given,
        key="|".join(codings[0]) if codings else given.casefold(),
        quantity=_quantity(observation.get("valueQuantity")),
        text=_words(observation),
        taken=moment(taken),
        laboratory=laboratory_of(observation, names),
        method=concept_text(observation.get("method", {})),
        span=_span(observation.get("referenceRange", ())),
        flag=_flag(observation.get("interpretation", ())),
        status=observation.get("status", ""),
        notes=tuple(note["text"] for note in observation.get("note", ()) if "text" in note),
    )


def concept_text(concept: Tree) -> str:
    """Return the words of a CodeableConcept: its text, else the first display, else the code."""
    if concept.get("text"):
        return str(concept["text"])
    for wanted in ("display", "code"):
        for coding in concept.get("coding", ()):
            if coding.get(wanted):
                return str(coding[wanted])
    return ""


def laboratory_of(resource: Tree, names: Mapping[str, str]) -> str:
    """Return the name of the organisation that performed a report or an observation, or nothing."""
    for performer in resource.get("performer", ()):
        reference = performer.get("reference", "")
        if reference.startswith("Organization/"):
            return names.get(reference) or str(performer.get("display", ""))
    return ""


def runs(readings: Iterable[Reading]) -> tuple[Run, ...]:
    """Return *readings* of one test as runs, oldest first, without those that lack date or number.

    A new run begins wherever laboratory, method or unit is not that of the reading before.
    """
    dated = [one for one in readings if one.taken is not None and one.quantity is not None]
    found: list[Run] = []
    for one in sorted(
        dated, key=lambda each: (each.taken.instant if each.taken else 0, each.observation)
    ):
        unit = one.quantity.unit if one.quantity else ""
        last = found[-1] if found else None
        if last and (last.laboratory, last.method, last.unit) == (one.laboratory, one.method, unit):
            found[-1] = Run(last.laboratory, last.method, last.unit, (*last.readings, one))
        else:
            found.append(Run(one.laboratory, one.method, unit, (one,)))
    return tuple(found)


def what_changed(before: Run, after: Run) -> str:
    """Return in words what differs between two runs, such as `laboratory and unit`."""
    pairs = (
        ("laboratory", before.laboratory, after.laboratory),
        ("method", before.method, after.method),
        ("unit", before.unit, after.unit),
    )
    changed = [word for word, old, new in pairs if old != new]
    return " and ".join(filter(None, (", ".join(changed[:-1]), *changed[-1:])))


def place(one: Reading) -> str:
    """Return where the value lies against the laboratory's usual range: a few words, or nothing.

    `above`, `below`, `well above`, `well below`, `within`, `unusual`, or empty. The laboratory's
    own flag counts first; without one the number is compared, if its comparator leaves no doubt.
    """
    if one.flag in _ABOVE | _BELOW:
        side = "above" if one.flag in _ABOVE else "below"
        return f"well {side}" if one.flag in _VERY else side
    if one.flag in _ODD:
        return "unusual"
    if one.flag == "N":
        return "within"
    return _compared(one.quantity, one.span) if one.quantity and one.span else ""


def _compared(value: Quantity, span: Span) -> str:
    low, high, number = span.low, span.high, value.number
    if value.comparator.startswith("<"):
        surely_below = low is not None and number <= low
        surely_within = low is None and high is not None and number <= high
        return "below" if surely_below else "within" if surely_within else ""
    if value.comparator.startswith(">"):
        surely_above = high is not None and number >= high
        surely_within = high is None and low is not None and number >= low
        return "above" if surely_above else "within" if surely_within else ""
    if high is not None and number > high:
        return "above"
    if low is not None and number < low:
        return "below"
    return "within" if (low, high) != (None, None) else ""


def value_text(value: Quantity) -> str:
    """Return the value as the laboratory wrote it: `<0.01 ug/L`."""
    return f"{value.comparator}{digits(value.number)} {unit_text(value.unit)}".rstrip()


def digits(number: Decimal) -> str:
    """Return all digits of *number*, without an exponent."""
    return format(number, "f")


def unit_text(unit: str) -> str:
    """Return a unit as it is printed: powers raised, no asterisk."""
    raised = unit.replace("10*9", "×10⁹").replace("10^9", "×10⁹").replace("10*12", "×10¹²")
    return raised.replace("1.73m2", "1.73m²")


def _quantity(value: Tree | None) -> Quantity | None:
    if not value or "value" not in value:
        return None
    unit = str(value.get("unit") or value.get("code") or "")
    return Quantity(Decimal(value["value"]), str(value.get("comparator", "")), unit)


def _words(observation: Tree) -> str:
    if "valueString" in observation:
        return str(observation["valueString"])
    if "valueCodeableConcept" in observation:
        return concept_text(observation["valueCodeableConcept"])
    if "valueRange" in observation:
        value = observation["valueRange"]
        ends = [
            value_text(end) for end in map(_quantity, (value.get("low"), value.get("high"))) if end
        ]
        return " to ".join(ends)
    if "valueRatio" in observation:
        value = observation["valueRatio"]
        parts = [
            value_text(end)
            for end in map(_quantity, (value.get("numerator"), value.get("denominator")))
            if end
        ]
        return ":".join(parts)
    if "valueDateTime" in observation:
        return str(observation["valueDateTime"])
    return _why_absent(observation.get("dataAbsentReason", {}))


def _why_absent(reason: Tree) -> str:
    """Return in plain words why there is no value, else what the laboratory says of it."""
    if reason.get("text"):
        return str(reason["text"])
    codes = (coding.get("code", "") for coding in reason.get("coding", ()))
    return next((_ABSENT[code] for code in codes if code in _ABSENT), concept_text(reason))


def _span(ranges: Sequence[Tree]) -> Span | None:
    if not ranges:
        return None
    first = ranges[0]
    low, high = (_quantity(first.get(side)) for side in ("low", "high"))
    return Span(
        low.number if low else None, high.number if high else None, str(first.get("text", ""))
    )


def _flag(interpretations: Sequence[Tree]) -> str:
    for concept in interpretations:
        for coding in concept.get("coding", ()):
            if coding.get("code"):
                return str(coding["code"])
    return ""
