"""Characters that no FHIR string may hold, replaced where a message carries them.

Below U+0020 only tab, line feed and carriage return are legal; any other becomes U+FFFD, and the
raw message keeps it. https://hl7.org/fhir/R4/datatypes.html#string
"""

import re
from collections.abc import Iterable
from typing import Any

from adapters.hl7v2.composite import text_of
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.er7 import Message

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_UNHOLDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def guard(message: Message, trees: Iterable[Tree], context: Context) -> None:
    """Replace what FHIR can't hold in *trees*, in place, and flag the segments that carry it.

    Looks only when the bytes of the message give reason to: most hold none and pay nothing.
    """
    escape = message.delimiters.escape
    sequence = f"{escape}X".encode() if escape else b""
    if not (_CONTROL.search(message.raw) or (sequence and sequence in message.raw)):
        return
    guilty = [
        segment
        for segment in message.segments
        if any(_UNHOLDABLE.search(text_of(text, segment.delimiters)) for text in segment.fields)
    ]
    if not guilty:
        return
    for segment in guilty:
        context.flag("text-replaced", segment.address())
    for tree in trees:
        _replace(tree)


def _replace(node: Any) -> None:
    places: Iterable[tuple[Any, Any]]
    if isinstance(node, dict):
        places = list(node.items())
    elif isinstance(node, list):
        places = list(enumerate(node))
    else:
        return
    for place, child in places:
        if isinstance(child, str):
            if _UNHOLDABLE.search(child):
                node[place] = _UNHOLDABLE.sub("\ufffd", child)
        else:
            _replace(child)
