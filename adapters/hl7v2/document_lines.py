"""Documents whose base64 came in lines: put together again, before lines are taken for segments.

Senders wrap base64 at 76 characters, as in mail, and a line end inside OBX-5 parts the segment.
Only an OBX of type ED that ends in its fifth field is open to be continued, and only by lines of
base64: the line with the fields that follow ends it. Any other line is no part of it, and one that
may be a segment is one: a document that misses it is found to be cut short.
"""

import re
from collections.abc import Iterable, Iterator

_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}|Z[A-Z0-9]{1,3}")
_PIECE = re.compile(r"[A-Za-z0-9+/_-]+={0,2}[ \t]*")
_IN_THE_DOCUMENT = 5  # separators before OBX-5 ends


def has_documents(text: str, separator: str) -> bool:
    """Tell whether a segment of *text* can be of type ED: a look that costs next to nothing."""
    return f"{separator}ED{separator}" in text


def rejoined(lines: Iterable[str], separator: str) -> Iterator[str]:
    """Yield *lines*, each document that was parted as the one line that it should have been."""
    parted: list[str] = []
    for line in lines:
        if parted and _is_piece(line.partition(separator)[0]):
            parted.append(line.rstrip(" \t"))
            if separator in line:
                yield "".join(parted)
                parted = []
            continue
        if parted:
            yield "".join(parted)
            parted = []
        if _is_open(line, separator):
            parted = [line]
        else:
            yield line
    if parted:
        yield "".join(parted)


def _is_piece(first: str) -> bool:
    return _PIECE.fullmatch(first) is not None and _SEGMENT.fullmatch(first) is None


def _is_open(line: str, separator: str) -> bool:
    fields = line.split(separator, _IN_THE_DOCUMENT + 1)
    return len(fields) == _IN_THE_DOCUMENT + 1 and fields[0] == "OBX" and fields[2].strip() == "ED"
