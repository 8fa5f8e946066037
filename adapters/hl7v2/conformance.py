"""The judging lane: what *hl7apy* says of a message, for onboarding a feed and for tests.

It is slow and strict about form, so it never stands between a laboratory and the record; it is
asked afterwards, or beside. Line ends, a fifth delimiter and unknown versions are normalised
before it sees the message; groups are looked for only to report, because grouping drops what
stands out of place.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message
from hl7apy.validation import Validator

from adapters.hl7v2 import er7

_VERSIONS = ("2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2")
_NEAREST = {"2.1": "2.2", "2.7.1": "2.7", "": "2.4"}
_LATEST = _VERSIONS[-1]
_NOT_TRUNCATED = frozenset(_VERSIONS[:7])  # know four delimiters only

# hl7apy's reports, whose own words may quote a value and are therefore said anew.
_REPORTS = (
    (re.compile(r"Missing required child (\w+)\.(\w+)"), "A required part is missing."),
    (re.compile(r"Child limit exceeded (\w+)\.(\w+)"), "A part is repeated too often."),
    (re.compile(r"Value .* not in table \w+ in element (\w+)\.(\w+)", re.DOTALL),
     "The value is not in the table of this field."),
    (re.compile(r"Exceeded max length \(\d+\) of (\w+)\.(\w+)"), "The value is too long."),
    (re.compile(r"Datatype \S+ is not correct for (\w+)\.(\w+)"), "The data type is another one."),
)  # fmt: skip
_FIELD = re.compile(r"[A-Z][A-Z0-9]{2}_(\d+)")

# What hl7apy raises for a message that it can't take: its own kinds, and what its insides let out.
_UNREADABLE = (
    HL7apyException, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which a message departs from its version of the standard.

    *address* is the field's or segment's (`OBX[3].11`), or a group's name; *text* a sentence
    without anything of the message in it.
    """

    severity: Literal["error", "warning"]
    address: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A segment as hl7apy has read it: its name and, for OBX, fields 3 and 5 escaped."""

    name: str
    identifier: str = ""
    value: str = ""


def judge(raw: bytes) -> list[Finding]:
    """Return where the message departs from structure and data types of its version.

    Never raises for what is in the message: what we or hl7apy can't read is a finding, too.
    """
    try:
        message = er7.read(raw)
    except er7.Refused as refused:
        return [Finding("error", refused.field, refused.text)]
    try:
        flat = _parse(message, find_groups=False)
    except _UNREADABLE:
        return [Finding("error", "MSH", "The second reader can't take this message apart.")]
    with TemporaryDirectory() as directory:
        report = Path(directory) / "report"
        return [
            finding
            for segment, judged in zip(message.segments, flat.children, strict=True)
            for finding in _segment_findings(segment, judged, report)
        ] + _structure_findings(message, report)


def second_reading(raw: bytes) -> tuple[Reading, ...] | None:
    """Return the segments of *raw* as hl7apy reads them, None where it or we can't."""
    try:
        message = er7.read(raw)
        flat = _parse(message, find_groups=False)
        repetition = message.delimiters.repetition
        return tuple(
            Reading(child.name, _field(child.obx_3, repetition), _field(child.obx_5, repetition))
            if child.name == "OBX"
            else Reading(child.name)
            for child in flat.children
        )
    except (er7.Refused, *_UNREADABLE):
        return None


def _field(repetitions: Any, mark: str) -> str:
    return mark.join(repetition.to_er7() for repetition in repetitions)


def _parse(message: er7.Message, *, find_groups: bool) -> Any:
    return parse_message(
        _normalised(message), validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=find_groups
    )


def _normalised(message: er7.Message) -> str:
    """Return the message with CR ends, and a version and delimiters that hl7apy knows."""
    head = message.segments[0]
    separator = message.delimiters.field
    sent = head.text(12).strip()
    version = sent if sent in _VERSIONS else _NEAREST.get(sent, _LATEST)
    fields = [*head.fields, *[""] * (13 - len(head.fields))]
    fields[12] = version
    if version in _NOT_TRUNCATED:
        fields[2] = fields[2][:4]
    first = separator.join(["MSH", *fields[2:]])
    rest = (separator.join(segment.fields) for segment in message.segments[1:])
    return "\r".join([first, *rest])


def _segment_findings(segment: er7.Segment, judged: Any, report: Path) -> Iterator[Finding]:
    for severity, (parent, child), text in _reported(judged, report):
        field = _FIELD.fullmatch(child if parent == segment.name else parent)
        yield Finding(severity, segment.address(int(field[1]) if field else None), text)


def _structure_findings(message: er7.Message, report: Path) -> list[Finding]:
    """Return what is amiss with the order and the groups of the segments."""
    try:
        grouped = _parse(message, find_groups=True)
    except _UNREADABLE:
        return [Finding("error", "MSH.9", "The segments do not fit the structure of this message.")]
    found = [
        Finding(severity, f"{parent}.{child}", text)
        for severity, (parent, child), text in _reported(grouped, report)
        if len(parent) > 3 and not _FIELD.fullmatch(parent) and not _FIELD.fullmatch(child)
    ]
    if _count(grouped) < len(message.segments):
        found.append(
            Finding("error", "MSH.9", "A segment stands where the structure has no place.")
        )
    return found


def _reported(
    judged: Any, report: Path
) -> Iterator[tuple[Literal["error", "warning"], tuple[str, str], str]]:
    report.write_text("")
    with suppress(*_UNREADABLE):  # it raises the first error after it has written them all
        Validator.validate(judged, report_file=str(report))
    for line in report.read_text().splitlines():
        severity, _, words = line.partition(": ")
        for pattern, text in _REPORTS:
            match = pattern.match(words)
            if match:
                kind: Literal["error", "warning"] = "error" if severity == "Error" else "warning"
                yield kind, (match[1], match[2]), text


def _count(element: Any) -> int:
    children: Sequence[Any] = element.children
    return sum(1 if child.classname == "Segment" else _count(child) for child in children)
