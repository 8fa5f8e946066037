"""HL7 v2 as text: fields by number, separators escaped, segments ended by a carriage return. Pure.

HL7 v2 chapter 2: 2.5 (segments), 2.7 (escape sequences). What a laboratory's system would do; the
portal's own reader is `adapters.hl7v2.er7`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

_ESCAPES = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\n": "\\.br\\"}
)
_SECOND, _MINUTE = "%Y%m%d%H%M%S", "%Y%m%d%H%M"
CODECS: Mapping[str, str] = MappingProxyType(
    {"8859/1": "iso8859-1", "UNICODE UTF-8": "utf-8", "": "ascii"}
)
"""MSH-18 (table 0211) to the codec of the bytes."""


def escaped(text: str) -> str:
    """Return *text* as it may stand in a field."""
    return text.translate(_ESCAPES)


def components(*parts: str) -> str:
    """Return *parts* as the components of one field, those left empty at the end dropped."""
    return "^".join(escaped(part) for part in parts).rstrip("^")


def segment(name: str, fields: Mapping[int, str]) -> str:
    """Return a segment whose *fields*, by their number, are escaped already."""
    last = max(fields, default=0)
    return "|".join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def header(fields: Mapping[int, str]) -> str:
    """Return MSH with the usual separators; *fields* begin at MSH-3."""
    last = max(fields)
    return "|".join(["MSH", "^~\\&", *(fields.get(number, "") for number in range(3, last + 1))])


def message(segments: Iterable[str], charset: str) -> bytes:
    """Return the bytes of a message in the character set that MSH-18 calls *charset*."""
    return "".join(f"{one}\r" for one in segments).encode(CODECS[charset])


def to_the_minute(instant: datetime) -> str:
    """Return *instant* on the clock of a hospital in England, without an offset."""
    return instant.astimezone(ZoneInfo("Europe/London")).strftime(_MINUTE)


def to_the_second(instant: datetime) -> str:
    """Return *instant* likewise, with its seconds."""
    return instant.astimezone(ZoneInfo("Europe/London")).strftime(_SECOND)
