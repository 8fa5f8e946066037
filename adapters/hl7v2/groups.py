"""The segments of an ORU^R01 in their groups: whose comment is whose, whose specimen is whose.

A new ORC opens a group, unless the group so far is an ORC alone; an OBR without an ORC of its own
opens one too, and shares the ORC before it. An NTE belongs to the segment directly before it.
Nothing is thrown away: every segment is in a group or among the *kept*. Source: HL7 v2 chapter
7, 7.3.1 (ORU); HL7 UK A.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.er7 import Segment

HEADER = frozenset({"MSH", "SFT", "UAC", "ARV", "DSC"})
PATIENT = frozenset({"PID", "PD1", "NK1", "PV1", "PV2"})


@dataclass(frozen=True, slots=True)
class Result:
    """One OBX, the type of its value (OBX-2 in capitals) and the NTE after it."""

    obx: Segment
    kind: str
    notes: list[Segment] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SpecimenLines:
    """One SPM, the NTE after it, and the OBX that speak of the specimen itself."""

    spm: Segment
    notes: list[Segment] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Group:
    """One order and what came of it."""

    orc: Segment | None
    obr: Segment
    notes: list[Segment] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    specimens: list[SpecimenLines] = field(default_factory=list)
    timings: list[Segment] = field(default_factory=list)
    raw: list[Segment] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Grouped:
    """A message in its parts. *kept* holds the segments that stay raw, each with the reason."""

    header: Segment
    patient: dict[str, list[Segment]]
    groups: list[Group]
    kept: list[tuple[Segment, str]]


def grouped(segments: Sequence[Segment], context: Context) -> Grouped:
    """Return the segments of a message in their groups.

    Refuses a message without PID or without an order, a result before any order, and an ORC
    without its OBR (AE 100).
    """
    made = Grouped(segments[0], {}, [], [])
    walk = _Walk(made, context)
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

    def __init__(self, made: Grouped, context: Context) -> None:
        self.made = made
        self.context = context
        self.group: Group | None = None
        self.orc: Segment | None = None
        self.waiting_orc: Segment | None = None
        self.timings: list[Segment] = []
        """TQ1 that stand between an ORC and its OBR, as in an order message."""
        self.notes: list[Segment] | None = None
        """Where the next NTE goes; None where its place has no home in FHIR."""
        self.of_specimen = False
        """The next OBX speaks of the specimen. Where no result came before it, it does not."""

    def take(self, segment: Segment) -> None:
        name = segment.name
        if name == "OBX":
            self._take_result(segment)
        elif name == "NTE":
            self._take_note(segment)
        elif name == "ORC":
            self._open(segment)
        elif name == "OBR":
            self._take_order(segment)
        elif name == "SPM" and self.group is not None:
            lines = SpecimenLines(segment)
            self.group.specimens.append(lines)
            self.of_specimen = bool(self.group.results)
            self.notes = lines.notes
        else:
            self._take_other(segment)

    def finish(self) -> None:
        if self.waiting_orc is not None:
            raise refusal(
                100, "segment-order", self.waiting_orc.address(), "An ORC has no OBR after it."
            )

    def _open(self, orc: Segment) -> None:
        self.finish()
        self.waiting_orc = self.orc = orc
        self.group = None
        self.notes = None

    def _take_order(self, obr: Segment) -> None:
        self.group = Group(self.orc, obr, timings=self.timings)
        self.timings = []
        self.made.groups.append(self.group)
        self.waiting_orc = None
        self.of_specimen = False
        self.notes = self.group.notes

    def _take_result(self, obx: Segment) -> None:
        result = Result(obx, obx.field(2).strip().upper())
        group = self.group
        if group is None:
            if self.orc is None and self.context.dialect.patient_level_results:
                self.made.kept.append((obx, "a result about the person, outside any order"))
                self.notes = None
                return
            raise refusal(100, "segment-order", obx.address(), "An OBX stands before any OBR.")
        (group.specimens[-1].results if self.of_specimen else group.results).append(result)
        self.notes = result.notes

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
        if name in PATIENT and self.group is None and self.orc is None:
            self.made.patient.setdefault(name, []).append(segment)
        elif name == "TQ1" and (self.group is not None or self.waiting_orc is not None):
            (self.timings if self.group is None else self.group.timings).append(segment)
        elif name in HEADER:
            if name != "MSH":
                self.made.kept.append((segment, "about the sending software"))
        elif self.group is not None:
            self.group.raw.append(segment)
            self.made.kept.append((segment, "not mapped"))
        else:
            self.made.kept.append((segment, "not mapped"))
        self.notes = None
