"""Bytes of one HL7 v2 message → segments and fields, with nothing lost and nothing guessed.

ER7 is the vertical-bar encoding of HL7 v2.8 chapter 2, 2.6. This reader is the working lane: one
pass, linear in size, and a field's repetitions and components are split only when asked for.
Splitting comes before unescaping, so no decoded character ever makes a segment or a field.
Every line of the raw message that is not blank is a segment of the Message, or a line of the
document before it, or the message is refused: a line that is no segment is the rest of a text that
a line end has cut, and a cut text is never filed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.hl7v2 import charsets
from adapters.hl7v2.delimiters import Delimiters, read_delimiters
from adapters.hl7v2.document_lines import has_documents, rejoined
from adapters.hl7v2.escapes import escape, unescape
from adapters.hl7v2.refusal import Refused
from adapters.hl7v2.segment_names import BATCH, DELIMITER_DECLARING, KNOWN

__all__ = ["Delimiters", "Message", "Refused", "Segment", "escape", "read", "unescape"]

# The ceilings of one message: above anything a laboratory has a reason to send.
MOST_SEGMENTS = 50_000
MOST_FIELDS = 1_000  # in a segment
MOST_REPETITIONS = 20_000  # in a field
MOST_COMPONENTS = 10_000  # in a field; subcomponents likewise

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_SITE_NAME = re.compile(r"Z[A-Z0-9]{1,3}")
_LINE_END = re.compile(r"\r\n|\r|\n")
_VERSION = re.compile(r"2\.(?:[1-9]|[1-9]\d)(?:\.\d)?")
_KNOWN_VERSIONS = frozenset(
    f"2.{minor}"
    for minor in ("1", "2", "3", "3.1", "4", "5", "5.1", "6", "7", "7.1", "8", "8.1", "8.2")
)
_ONCE_A_MESSAGE = frozenset({"EVN", "MSA", "MSH", "PD1", "PID", "PV1", "PV2"})


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment, its fields decoded but still escaped.

    *number* counts the segments of the message, *occurrence* those of this name, both from 1;
    blank lines don't count. `fields[0]` is the name, in capitals. In MSH, FHS and BHS `fields[1]`
    is the field separator itself and `fields[2]` the other delimiters, so that `fields[n]` is
    always field n. All numbers that address a part count from 1.
    """

    name: str
    number: int
    occurrence: int
    fields: tuple[str, ...]
    delimiters: Delimiters

    def field(self, n: int) -> str:
        """Return field *n* whole and escaped, "" where it is absent."""
        return self.fields[n] if n < len(self.fields) else ""

    def repetitions(self, n: int) -> tuple[str, ...]:
        """Return the repetitions of field *n*, escaped; none where the field is empty."""
        field = self.field(n)
        if not field:
            return ()
        # Most fields have one repetition: nothing to split.
        mark = self.delimiters.repetition
        if not mark or mark not in field:
            return (field,)
        return tuple(self._split(n, field, mark))

    def whole(self, n: int, repetition: int = 1) -> str:
        """Return one repetition of field *n* unescaped as one text: for ST, TX and FT.

        A `^` or `&` that a sender forgot to escape stays in the text, where it was.
        """
        return self._plain(n, self._repetition(n, repetition))

    def components(self, n: int, repetition: int = 1) -> tuple[str, ...]:
        """Return the components of field *n* unescaped; none where the repetition is empty.

        A component with subcomponents comes as one text with the separators in it; ask `text`
        for the parts, because after unescaping an escaped `&` can't be told from a separator.
        """
        part = self._repetition(n, repetition)
        if not part:
            return ()
        return tuple(
            self._plain(n, each) for each in self._split(n, part, self.delimiters.component)
        )

    def text(self, n: int, component: int = 1, subcomponent: int = 1, repetition: int = 1) -> str:
        """Return one subcomponent unescaped, "" where it is absent.

        A component without subcomponents is its own first one; `""`, the order to delete, comes
        as these two characters.
        """
        part = self._repetition(n, repetition)
        if not part:
            return ""
        part = _nth(self._split(n, part, self.delimiters.component), component)
        part = _nth(self._split(n, part, self.delimiters.subcomponent), subcomponent)
        return self._plain(n, part)

    def address(self, n: int | None = None, component: int | None = None) -> str:
        """Return how an error report names the segment, a field or a component of it.

        `OBX[3].5.1`: component 1 of field 5 of the third OBX. Segments that stand once in a
        message have no number: `PID.3`; a second PID has: `PID[2].3`.
        """
        single = self.occurrence == 1 and self.name in _ONCE_A_MESSAGE
        place = self.name if single else f"{self.name}[{self.occurrence}]"
        return ".".join([place, *(str(part) for part in (n, component) if part is not None)])

    def _repetition(self, n: int, repetition: int) -> str:
        return _nth(self.repetitions(n), repetition)

    def _split(self, n: int, text: str, mark: str) -> list[str]:
        return text.split(mark) if mark and mark in text and not self._declares(n) else [text]

    def _plain(self, n: int, text: str) -> str:
        return text if self._declares(n) else unescape(text, self.delimiters)

    def _declares(self, n: int) -> bool:
        return n <= 2 and self.name in DELIMITER_DECLARING


def _nth(parts: Sequence[str], place: int) -> str:
    return parts[place - 1] if 1 <= place <= len(parts) else ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its bytes as they came, and every segment of them in order.

    *charset* is the Python codec that decoded it; *flags* what the operator should see
    (`segment-ends`, `charset-guessed`, …), in order and without repetition; *blank_lines* how many
    were passed over.
    """

    raw: bytes
    segments: tuple[Segment, ...]
    delimiters: Delimiters
    charset: str
    flags: tuple[str, ...]
    blank_lines: int = 0

    def first(self, name: str) -> Segment | None:
        """Return the first segment called *name*, None where there is none."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def all(self, name: str) -> tuple[Segment, ...]:
        """Return the segments called *name* in order."""
        return tuple(segment for segment in self.segments if segment.name == name)


def read(raw: bytes, *, default_charset: str = "", doubled_escape: bool = False) -> Message:
    """Return the message whose bytes, without framing, are *raw*.

    *default_charset* is the feed's, for messages with an empty MSH-18; *doubled_escape* as
    `read_delimiters` has it. Raises Refused:
    `header-missing`, `batch-unexpected`, `delimiters-bad`, `charset-utf16`, `version-unknown`
    (AR); `charset-unreadable`, `segment-broken`, `field-too-large`, `message-too-large` (AE).
    """
    head = _head(raw)
    delimiters, delimiter_flags = read_delimiters(head, doubled_escape=doubled_escape)
    fields = head.split(delimiters.field, 19)
    version_flags = _version_flags(fields[11] if len(fields) > 11 else "", delimiters)
    declared = fields[17] if len(fields) > 17 else ""
    decoded = charsets.decode(raw, declared.strip(), default_charset)
    flags = [*delimiter_flags, *version_flags, *decoded.flags]
    text = decoded.text
    if "\n" in text:
        flags.append("segment-ends")
    segments, blank_lines = _segments(text, delimiters, flags)
    return Message(
        raw, tuple(segments), delimiters, decoded.charset, tuple(dict.fromkeys(flags)), blank_lines
    )


def _head(raw: bytes) -> str:
    """Return the first line, with its MSH in capitals and at the start of the line."""
    charsets.refuse_wide(raw)
    octets = raw.removeprefix(charsets.BYTE_ORDER_MARK).lstrip(b"\r\n \t")
    line = octets[: charsets.first_end(octets)].decode("iso8859-1")
    name = line[:3].upper()
    if name in BATCH:
        raise Refused("AR", 200, "batch-unexpected", name, "A batch is not taken as one message.")
    if name != "MSH":
        raise Refused("AR", 100, "header-missing", "MSH", "The message does not begin with MSH.")
    return name + line[3:]


def _version_flags(version: str, delimiters: Delimiters) -> tuple[str, ...]:
    name = version.partition(delimiters.component)[0].strip()
    if name in _KNOWN_VERSIONS:
        return ()
    if name and not _VERSION.fullmatch(name):
        raise Refused("AR", 203, "version-unknown", "MSH.12", "MSH-12 is no version of HL7 v2.")
    return ("version-assumed",)


def _segments(text: str, delimiters: Delimiters, flags: list[str]) -> tuple[list[Segment], int]:
    lines = _LINE_END.split(text) if "\n" in text else text.split("\r")
    if not lines[-1]:
        lines.pop()  # what follows the end of the last segment
    if has_documents(text, delimiters.field):
        sent = len(lines)
        lines = list(rejoined(lines, delimiters.field))
        flags.extend(("document-lines",) if len(lines) < sent else ())
    segments: list[Segment] = []
    occurrences: dict[str, int] = {}
    blank_lines = 0
    for line in lines:
        stripped = line.rstrip(" \t")
        if not stripped:
            blank_lines += 1
            continue
        fields = stripped.split(delimiters.field, MOST_FIELDS + 1)
        if fields[0] not in KNOWN:
            fields[0] = _odd_name(fields[0], segments, flags)
        name = fields[0]
        if not segments:
            fields.insert(1, delimiters.field)
        elif name == "MSH" or name in BATCH:
            raise Refused(
                "AR",
                200,
                "batch-unexpected",
                "MSH[2]" if name == "MSH" else name,
                "More than one message stands where one is expected.",
            )
        occurrences[name] = occurrence = occurrences.get(name, 0) + 1
        segment = Segment(name, len(segments) + 1, occurrence, tuple(fields), delimiters)
        segments.append(segment)
        _refuse_excess(segment, stripped)
    return segments, blank_lines


def _odd_name(found: str, segments: list[Segment], flags: list[str]) -> str:
    """Return the name of a segment that is no plain known one, flagged, or refuse its line."""
    name = found.strip(" \t").upper() if found.isascii() else ""
    form = () if found == name and len(name) == 3 else ("segment-form",)
    if name in KNOWN or (name in found and _SITE_NAME.fullmatch(name)):
        flags.extend(form)
        return name
    if _NAME.fullmatch(found):
        flags.append("segment-unknown")
        return found
    raise Refused(
        "AE",
        100,
        "segment-broken",
        segments[-1].address() if segments else "MSH",
        f"Line {len(segments) + 1} is not a segment: a line end has cut the text before it.",
    )


def _refuse_excess(segment: Segment, line: str) -> None:
    if segment.number > MOST_SEGMENTS:
        raise Refused(
            "AE",
            102,
            "message-too-large",
            segment.address(),
            f"The message has more than {MOST_SEGMENTS} segments.",
        )
    if len(segment.fields) > MOST_FIELDS + 1:
        raise Refused(
            "AE",
            102,
            "field-too-large",
            segment.address(),
            f"The segment has more than {MOST_FIELDS} fields.",
        )
    delimiters = segment.delimiters
    for mark, most, parts in (
        (delimiters.component, MOST_COMPONENTS, "components"),
        (delimiters.subcomponent, MOST_COMPONENTS, "subcomponents"),
        (delimiters.repetition, MOST_REPETITIONS, "repetitions"),
    ):
        if not mark or line.count(mark) < most:
            continue
        for n, field in enumerate(segment.fields):
            if field.count(mark) >= most:
                raise Refused(
                    "AE",
                    102,
                    "field-too-large",
                    segment.address(n),
                    f"The field has more than {most} {parts}.",
                )
