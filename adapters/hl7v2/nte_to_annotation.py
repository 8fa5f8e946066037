"""NTE to Annotation: the lines of one comment joined, never trimmed inside and never wrapped.

Microbiology and cellular pathology rely on columns. Lines belong together while author and time
stay the same. Source: HL7 v2 chapter 2 (NTE); the guide's sheet NTE[Observation].
"""

from collections.abc import Sequence
from itertools import groupby

from adapters.hl7v2.composite import first
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.dates import loose_date_time
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.xcn_to_practitioner import reference_to_person


def annotations(notes: Sequence[Segment], context: Context) -> list[Tree]:
    """Return the comments that consecutive NTE segments make; none where they are all blank."""
    made = []
    for (by, at), lines in groupby(notes, key=_signature):
        together = list(lines)
        text = "\n".join(line for note in together for line in _lines(note, context)).strip("\n")
        if not text.strip():
            continue
        annotation: Tree = {}
        note = together[0]
        if by:
            author = reference_to_person(first(note, 5), context, note.address(5))
            if "reference" in author:
                annotation["authorReference"] = author
            elif author:
                annotation["authorString"] = author["display"]
        when = loose_date_time(at, context, note.address(6)) if at else ""
        if when:
            annotation["time"] = when
        annotation["text"] = text
        made.append(annotation)
    return made


def _signature(note: Segment) -> tuple[str, str]:
    return note.field(5), note.field(6)


def _lines(note: Segment, context: Context) -> list[str]:
    if not note.field(3):
        return [""]
    if context.dialect.literal_tilde:
        mark = note.delimiters.repetition
        count = len(note.repetitions(3))
        return [mark.join(note.whole(3, number) for number in range(1, count + 1))]
    return [note.whole(3, number) for number in range(1, len(note.repetitions(3)) + 1)]
