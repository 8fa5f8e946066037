"""A message taken apart for a person's eyes: segments and fields by name and address.

Pure, and for looking only: what could not be converted is taken apart as far as it can be read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.hl7v2 import er7
from adapters.hl7v2.er7 import Refused, Segment
from adapters.hl7v2.field_names import SEGMENTS, field_name

LONGEST = 500
"""Characters of one field that are shown; a document inside has millions."""
MOST_SEGMENTS = 500
"""Segments that are taken apart; the raw message shows all."""

_ADDRESS = re.compile(r"([A-Z][A-Z0-9]{1,3})(?:\[(\d+)\])?(?:[.-](\d+))?(?:\.(\d+))?")


@dataclass(frozen=True, slots=True)
class Field:
    """One field that is not empty: `OBX[3].5`, what it is called, and its repetitions as text."""

    address: str
    name: str
    values: tuple[str, ...]
    blamed: bool
    """Whether it is the field that a fault names."""


@dataclass(frozen=True, slots=True)
class Part:
    """One segment: its address, what it is about, and its fields."""

    address: str
    name: str
    fields: tuple[Field, ...]
    blamed: bool


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The segments of a message; *unread* says why there are none, *more* how many are left out."""

    parts: tuple[Part, ...]
    unread: str = ""
    more: int = 0


def anatomy(raw: bytes, charset: str = "", blamed: str = "") -> Anatomy:
    """Return the parts of *raw*; *blamed* is the address in a fault (`PID.7`, `OBX[3].5`)."""
    try:
        message = er7.read(raw, default_charset=charset)
    except Refused as refused:
        return Anatomy((), refused.text)
    shown = message.segments[:MOST_SEGMENTS]
    culprit = _culprit(blamed)
    parts = tuple(_part(segment, culprit) for segment in shown)
    return Anatomy(parts, more=len(message.segments) - len(shown))


_Culprit = tuple[str, int, int] | None
"""Segment name, occurrence and field; 0 for the whole segment."""


def _culprit(address: str) -> _Culprit:
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return None
    name, occurrence, field, _ = found.groups()
    return name, int(occurrence or 1), int(field or 0)


def _part(segment: Segment, culprit: _Culprit) -> Part:
    here = culprit is not None and culprit[:2] == (segment.name, segment.occurrence)
    number = culprit[2] if culprit is not None and here else 0
    fields = list(_fields(segment, number))
    if number and not any(one.blamed for one in fields):
        missing = Field(segment.address(number), field_name(segment.name, number), (), blamed=True)
        fields = _in_order(fields, missing, number)
    return Part(segment.address(), SEGMENTS.get(segment.name, ""), tuple(fields), here)


def _fields(segment: Segment, blamed: int) -> Iterator[Field]:
    for number in range(1, len(segment.fields)):
        if segment.field(number):
            yield Field(
                segment.address(number),
                field_name(segment.name, number),
                tuple(_short(one) for one in segment.repetitions(number)),
                number == blamed,
            )


def _in_order(fields: list[Field], missing: Field, number: int) -> list[Field]:
    """Return *fields* with one that is empty, and ought not to be, in its place."""
    before = sum(int(one.address.rpartition(".")[2]) < number for one in fields)
    return [*fields[:before], missing, *fields[before:]]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
