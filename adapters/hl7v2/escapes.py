r"""Escape sequences: what stands in a field for a character that would part it.

HL7 v2.8 chapter 2, 2.7. Always after splitting: no character that comes out of an escape
sequence ever makes a segment, a field or a frame.
"""

import re
from functools import lru_cache

from adapters.hl7v2.delimiters import Delimiters

_KNOWN = r"[FSRTEP]|\.br|\.sp[+]?\d{0,2}|X(?:[0-9A-Fa-f]{2})+"
# Well formed but without a meaning for plain text: matched whole, so that its closing escape
# character is not taken for the opening one of the next sequence.
_OTHER = r"[HN]|Z\w*|C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4,6}|\.(?:in|ti|fi|nf|ce|sk)[+-]?\d*"


def unescape(text: str, delimiters: Delimiters) -> str:
    r"""Return *text*, the raw text of a field or a part of one, with its sequences resolved.

    `\F\ \S\ \R\ \T\ \E\` become the message's own delimiters, `\P\` the truncation character
    `#`, `\.br\` a newline, `\.sp2\` two, `\X..\` the characters of these bytes (UTF-8, else
    Windows-1252, else ISO 8859-1). Unknown, unfinished and broken sequences stay as they are, as
    does one that stands for a delimiter which the message does not have.
    """
    escape = delimiters.escape
    if not escape or escape not in text:
        return text
    meanings = {
        "F": delimiters.field,
        "S": delimiters.component,
        "R": delimiters.repetition,
        "T": delimiters.subcomponent,
        "E": escape,
        "P": "#",
    }

    def meaning(match: re.Match[str]) -> str:
        sequence = match[1]
        if sequence is None:
            return match[0]
        if sequence[0] == "X":
            return _hexadecimal(sequence[1:])
        if sequence[0] == ".":
            return "\n" * int(sequence[3:] or "1")
        return meanings[sequence] or match[0]

    return _pattern(escape).sub(meaning, text)


def escape(text: str, delimiters: Delimiters) -> str:
    r"""Return *text* as it may stand in a field of a message with these *delimiters*.

    The inverse of `unescape` for every text without lone surrogates; line ends and other control
    characters become `\X..\`. Raises ValueError where *text* needs a sequence and the message
    declares no escape character.
    """
    mark = delimiters.escape
    names = {
        delimiters.field: "F",
        delimiters.component: "S",
        delimiters.repetition: "R",
        delimiters.subcomponent: "T",
        mark: "E",
    }
    names.pop("", None)
    written = []
    for character in text:
        if character in names:
            sequence = names[character]
        elif character < " " or character == "\x7f":
            sequence = f"X{ord(character):02X}"
        else:
            written.append(character)
            continue
        if not mark:
            raise ValueError("The text needs an escape character and the message declares none.")
        written.append(f"{mark}{sequence}{mark}")
    return "".join(written)


@lru_cache(maxsize=16)
def _pattern(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(f"{mark}(?:({_KNOWN})|(?:{_OTHER})){mark}", re.ASCII)


def _hexadecimal(digits: str) -> str:
    octets = bytes.fromhex(digits)
    for charset in ("utf-8", "cp1252"):
        try:
            return octets.decode(charset)
        except UnicodeDecodeError:
            continue
    return octets.decode("iso8859-1")
