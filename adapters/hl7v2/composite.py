"""A composite value of HL7 v2: components, or subcomponents, read by number.

Splitting comes before unescaping, always: a decoded `^` must not make a component.
Source: HL7 v2 chapter 2, 2.5.3 and 2.7.
"""

from dataclasses import dataclass

from adapters.hl7v2.delimiters import Delimiters
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.escapes import unescape

DELETED = '""'
"""Two quotation marks: the sender deletes the value; an empty field says nothing."""


@dataclass(frozen=True, slots=True)
class Composite:
    """One repetition of a field, or one component of it, split into its parts.

    The parts are numbered from 1, as in the standard; one that is not there is empty.
    """

    parts: tuple[str, ...]
    delimiters: Delimiters

    def __bool__(self) -> bool:
        """Tell whether any part says something."""
        return any(part and part != DELETED for part in self.parts)

    def __getitem__(self, number: int) -> str:
        """Return the text of a part, unescaped and without blanks around it.

        Of a part that has subcomponents this is the first: what a reader of an older version
        would see there.
        """
        if number > len(self.parts):
            return ""
        part = self.parts[number - 1]
        # Most parts are one word: nothing in them to split, to decode or to strip.
        if part.isalnum():
            return part
        if not part or part == DELETED:
            return ""
        separator = self.delimiters.subcomponent
        if separator and separator in part:
            part = part.split(separator, 1)[0]
        return text_of(part, self.delimiters).strip()

    def sub(self, number: int) -> "Composite":
        """Return a part as a composite of its subcomponents."""
        part = self.parts[number - 1] if number <= len(self.parts) else ""
        separator = self.delimiters.subcomponent
        parts = tuple(part.split(separator)) if separator else (part,)
        return Composite(parts, self.delimiters)


def text_of(escaped: str, delimiters: Delimiters) -> str:
    """Return text as its author wrote it, escapes decoded."""
    escape = delimiters.escape
    return unescape(escaped, delimiters) if escape and escape in escaped else escaped


def composite(escaped: str, delimiters: Delimiters) -> Composite:
    """Return one repetition of a field, split into components."""
    separator = delimiters.component
    parts = tuple(escaped.split(separator)) if separator else (escaped,)
    return Composite(parts, delimiters)


def first(segment: Segment, number: int) -> Composite:
    """Return the first repetition of a field; an empty composite where there is none."""
    repetitions = segment.repetitions(number)
    return composite(repetitions[0] if repetitions else "", segment.delimiters)


def each(segment: Segment, number: int) -> list[Composite]:
    """Return the repetitions of a field that say something."""
    if not segment.field(number):
        return []
    made = [composite(text, segment.delimiters) for text in segment.repetitions(number)]
    return [value for value in made if value]


def value(segment: Segment, number: int) -> str:
    """Return the text of a field of one component: first repetition, unescaped, stripped."""
    text = segment.field(number)
    # Most fields are one word: nothing to split.
    return text if not text or text.isalnum() else first(segment, number)[1]
