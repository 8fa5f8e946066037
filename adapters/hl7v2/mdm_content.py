"""The OBX of a document message to its content: texts, files, and pointers to files.

Neighbouring lines of text under one code are one text, columns and blank lines as they were sent;
a file is what its bytes are, not what it is called. Source: HL7 v2.8 chapter 9, 9.6.2 (MDM^T02);
the guide's sheet OBX[DocumentReference].
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from adapters.hl7v2.attachments import Attached, attached, encapsulated, pointed
from adapters.hl7v2.code_tables import WITHDRAWN
from adapters.hl7v2.codeable_concepts import codeable_concept, words
from adapters.hl7v2.composite import first, value
from adapters.hl7v2.context import Context
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import Result
from adapters.hl7v2.nte_to_annotation import annotations
from adapters.hl7v2.obx_value import DOCUMENT_TYPES, text_lines

_TEXT = "text/plain; charset=utf-8"


def contents(
    results: Sequence[Result], title: str, created: str, context: Context
) -> list[Attached]:
    """Return the texts and files of a document, in the order in which they were sent.

    *title* is the document's own; a part that has a name of its own takes that. One that is empty
    or was taken back (OBX-11 D, W) is left out, flagged. Refuses a file that can't be decoded or is
    cut short (AE 102, `document-broken`).
    """
    standing = [result for result in results if _stands(result.obx, context)]
    made: list[Attached] = []
    for (is_file, *_), together in groupby(standing, key=_signature):
        parts = list(together)
        named = words(codeable_concept(first(parts[0].obx, 3), context)) or title
        if is_file:
            made.extend(_files(parts, title or named, created, context))
        else:
            text = "\n".join(text_lines(part.obx, context) for part in parts)
            made.append(attached(text.encode(), _TEXT, named, created))
        made.extend(_comments(parts, created, context))
    return made


def _stands(obx: Segment, context: Context) -> bool:
    if value(obx, 11).upper() in WITHDRAWN:
        context.flag("document-withdrawn", obx.address())
        return False
    if not obx.field(5):
        context.flag("document-empty", obx.address(5))
        return False
    return True


def _signature(result: Result) -> tuple[bool, str, int]:
    """Return what neighbouring parts of one text have in common; a file stands alone."""
    if result.kind in DOCUMENT_TYPES:
        return True, "", result.obx.number
    return False, result.obx.field(3), 0


def _files(
    parts: Sequence[Result], title: str, created: str, context: Context
) -> Iterator[Attached]:
    for part in parts:
        read = pointed if part.kind == "RP" else encapsulated
        found = read(part.obx, context, title, created)
        if found is not None:
            yield found


def _comments(parts: Sequence[Result], created: str, context: Context) -> Iterator[Attached]:
    for part in parts:
        for note in annotations(part.notes, context):
            yield attached(note["text"].encode(), _TEXT, "Comment", created)
