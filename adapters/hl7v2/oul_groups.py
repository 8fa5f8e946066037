"""The segments of an OUL^R22, R23 or R24 in the groups of a result: one for each OBR.

An OUL begins with the specimen (R22), with its container (R23) or with the order (R24), and its
ORC comes after its OBR. Whatever the order, each OBR here gets the ORC, the specimens, the comments
and the results that are its own; an SPM before several OBR is the specimen of each of them.
Nothing is thrown away: every segment is in a group or among the *kept*. Source: HL7 v2.8 chapter 7,
7.3.7 to 7.3.9 (OUL).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import HEADER, PATIENT, Group, Grouped, Result, SpecimenLines

_CONTAINER = frozenset({"SAC", "INV"})
_DOCUMENT = frozenset({"TXA"})
_BETWEEN = frozenset({"NTE", "OBX", "ORC", "PRT", "TQ1", "TQ2"})


def grouped_by_specimen(segments: Sequence[Segment], context: Context) -> Grouped:
    """Return the segments of a message in their groups, one for each OBR.

    Refuses a message without PID or without an order, one of several patients, and an ORC without
    its OBR (AE 100).
    """
    made = Grouped(segments[0], {}, [], [])
    walk = _Walk(made, context, segments)
    for segment in segments:
        walk.take(segment)
    walk.finish()
    if "PID" not in made.patient:
        raise refusal(100, "message-empty", "PID", "The message names no patient: it has no PID.")
    if not made.groups:
        raise refusal(100, "message-empty", "OBR", "The message holds no result: it has no OBR.")
    return made


class _Walk:
    """The place in a message that has been reached."""

    def __init__(self, made: Grouped, context: Context, segments: Sequence[Segment]) -> None:
        self.made = made
        self.context = context
        self.of_specimens = frozenset(_followed_by(segments, "SPM", _CONTAINER))
        self.of_orders = frozenset(_followed_by(segments, "OBR", _DOCUMENT))
        self.group: Group | None = None
        self.early_orc: Segment | None = None
        """An ORC that a sender put before its OBR, as in other results."""
        self.specimens: list[SpecimenLines] = []
        """Those of the OBR to come; where one came already, it shares them with the next."""
        self.order_first = False
        """An SPM belongs to the OBR before it (R24), not to the one after it (R22, R23)."""
        self.notes: list[Segment] | None = None

    def take(self, segment: Segment) -> None:
        name = segment.name
        if name == "OBX":
            self._take_result(segment)
        elif name == "NTE":
            self._take_note(segment)
        elif name == "ORC":
            self._take_orc(segment)
        elif name == "OBR":
            self._take_order(segment)
        elif name == "SPM":
            self._take_specimen(segment)
        elif name == "TQ1" and self.group is not None:
            self.group.timings.append(segment)
            self.notes = None
        else:
            self._take_other(segment)

    def finish(self) -> None:
        if self.early_orc is not None:
            text = "An ORC has no OBR before or after it."
            raise refusal(100, "segment-order", self.early_orc.address(), text)
        for lines in self.specimens if self.group is None else ():
            results = ((one.obx, *one.notes) for one in lines.results)
            for segment in (lines.spm, *lines.notes, *(one for line in results for one in line)):
                self.made.kept.append((segment, "of a specimen without an order"))

    def _take_orc(self, orc: Segment) -> None:
        group = self.group
        if group is not None and group.orc is None and not group.results:
            self.made.groups[-1] = self.group = replace(group, orc=orc)
            self.notes = group.notes
            return
        if self.early_orc is not None:
            self.finish()
        self.early_orc = orc
        self.notes = None

    def _take_order(self, obr: Segment) -> None:
        group = Group(self.early_orc, obr, specimens=list(self.specimens))
        # What was measured of a specimen, or said of it, is told once: with its first order.
        self.specimens = [SpecimenLines(one.spm) for one in self.specimens]
        self.order_first = not self.specimens
        self.group = group
        self.made.groups.append(group)
        self.early_orc = None
        self.notes = group.notes

    def _take_specimen(self, spm: Segment) -> None:
        lines = SpecimenLines(spm)
        self.notes = lines.notes
        if self.group is not None and self.order_first:
            self.group.specimens.append(lines)
        elif self.group is not None:
            self.specimens, self.group = [lines], None
        else:
            self.specimens.append(lines)

    def _take_result(self, obx: Segment) -> None:
        result = Result(obx, obx.field(2).strip().upper())
        self.notes = None
        if self.early_orc is not None:
            raise refusal(100, "segment-order", obx.address(), "An OBX stands before any OBR.")
        if obx.number in self.of_orders:
            self.made.kept.append((obx, "a document of the order, not of its results"))
        elif self.group is not None:
            of_specimen = obx.number in self.of_specimens and self.group.specimens
            place = self.group.specimens[-1] if of_specimen else self.group
            place.results.append(result)
            self.notes = result.notes
        elif self.specimens:
            self.specimens[-1].results.append(result)
            self.notes = result.notes
        else:
            self.made.kept.append((obx, "a result about the person, outside any order"))

    def _take_note(self, note: Segment) -> None:
        if self.notes is not None:
            self.notes.append(note)
            return
        self.made.kept.append((note, "a comment outside any order, for staff only"))
        self.context.flag("note-unplaced", note.address())

    def _take_other(self, segment: Segment) -> None:
        name = segment.name
        if name == "PID" and (self.made.groups or "PID" in self.made.patient):
            text = "The message speaks of more than one patient; send one message for each."
            raise refusal(100, "patients-several", segment.address(), text)
        if name in PATIENT and self.group is None and not self.specimens:
            self.made.patient.setdefault(name, []).append(segment)
        elif name in HEADER:
            if name != "MSH":
                self.made.kept.append((segment, "about the sending software"))
        else:
            if self.group is not None:
                self.group.raw.append(segment)
            reason = "about a specimen's container" if name in _CONTAINER else "not mapped"
            self.made.kept.append((segment, reason))
        if name != "PRT":
            self.notes = None


def _followed_by(
    segments: Sequence[Segment], after: str, followers: frozenset[str]
) -> Iterator[int]:
    """Yield the numbers of the OBX that stand after *after* and right before one of *followers*."""
    waiting: list[int] = []
    is_within = False
    for segment in segments:
        if segment.name == after:
            waiting, is_within = [], True
        elif segment.name in followers and is_within:
            yield from waiting
            waiting, is_within = [], False
        elif segment.name == "OBX":
            waiting.append(segment.number)
        elif segment.name not in _BETWEEN:
            waiting, is_within = [], False
