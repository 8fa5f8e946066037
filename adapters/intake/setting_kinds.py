"""The kinds of value that a setting takes: read from JSON or TOML, or from a typed text.

Each says in words what it takes, for whoever got it wrong and for the documentation.
"""

import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo

from adapters.hl7v2 import code_tables
from adapters.hl7v2.charsets import codec_named
from adapters.intake import expected
from adapters.intake.feeds import FRAME_LIMIT, RESERVED

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}")
CATEGORIES = frozenset(
    {"social-history", "vital-signs", "imaging", "laboratory", "procedure"}
    | {"survey", "exam", "therapy", "activity"}
)
"""https://terminology.hl7.org/CodeSystem/observation-category"""

_YES, _NO = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: what it is in words, how it is read from JSON or TOML, and from a text.

    Both readers raise TypeError or ValueError for what is none.
    """

    takes: str
    read: Callable[[Any], Any]
    from_text: Callable[[str], Any]


def _exactly(kind: type[Any]) -> Callable[[Any], Any]:
    def same(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError
        return value

    return same


_one_text: Callable[[Any], str] = _exactly(str)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise TypeError
    return tuple(value)


def _named_texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError
    return dict(zip(_texts(list(value)), _texts(list(value.values())), strict=True))


def _networks(value: Any) -> tuple[str, ...]:
    found = _texts(value)
    for one in found:
        ip_network(one, strict=False)
    return found


def _fingerprints(value: Any) -> tuple[str, ...]:
    found = _texts(value)
    if not all(map(_FINGERPRINT.fullmatch, found)):
        raise ValueError
    return found


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(_exactly(str)(value))
    except (OSError, KeyError):
        raise ValueError from None


def _size(value: Any) -> int:
    size: int = _exactly(int)(value)
    if not 0 < size <= FRAME_LIMIT:
        raise ValueError
    return size


def _feed_name(value: Any) -> str:
    name: str = _exactly(str)(value)
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise ValueError
    return name


def _parts(text: str) -> list[str]:
    return [part for one in text.split(",") if (part := one.strip())]


def _pairs(text: str) -> dict[str, str]:
    found = [one.partition("=") for one in _parts(text)]
    if not all(name and mark for name, mark, _ in found):
        raise ValueError
    return {name.strip(): value.strip() for name, _, value in found}


def _yes_or_no(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise ValueError
    return word in _YES


def one_of(*choices: str) -> Kind:
    """Return the kind of a text that is one of *choices*."""

    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError
        return str(value)

    return Kind(f"one of {', '.join(choices)}", read, read)


TEXT = Kind("a text", _exactly(str), str)
FLAG = Kind("true or false", _exactly(bool), _yes_or_no)
TEXTS = Kind("a list of texts", _texts, lambda text: _texts(_parts(text)))
SET = Kind(
    "a list of texts", lambda value: frozenset(_texts(value)), lambda text: frozenset(_parts(text))
)
NAMED = Kind("a table of texts, each under a name", _named_texts, _pairs)
NETWORKS = Kind(
    "a list of networks, such as 10.1.2.0/24", _networks, lambda text: _networks(_parts(text))
)
FINGERPRINTS = Kind(
    "a list of SHA-256 fingerprints, 64 hexadecimal digits each",
    _fingerprints,
    lambda text: _fingerprints(_parts(text)),
)
SIZE = Kind(
    f"a whole number of bytes from 1 to {FRAME_LIMIT}", _size, lambda text: _size(int(text))
)
ZONE = Kind("the name of a time zone, such as Europe/London", _zone, _zone)
NAME = Kind(
    f"letters, digits, - and _, 64 at most, and not {', '.join(sorted(RESERVED))}",
    _feed_name,
    _feed_name,
)
EXPECTED = Kind(
    "a table of weekdays, saturdays, sundays (hours such as 08-18) and silence_minutes",
    expected.from_settings,
    expected.from_text,
)


def of_table(takes: str, codes: Container[str]) -> Kind:
    """Return the kind of a text that is empty or one of *codes*; *takes* says which these are."""

    def read(value: Any) -> str:
        if value and value not in codes:
            raise ValueError
        return _one_text(value)

    return Kind(takes, read, read)


def _charset(value: Any) -> str:
    name = _one_text(value)
    if name and not codec_named(name):
        raise ValueError
    return name


ACCEPT_OR_ERROR = one_of("AA", "AE")
CHARSET = Kind("a name of table 0211, such as UNICODE UTF-8 or 8859/1", _charset, _charset)
REPORT_STATUS = of_table(
    "a code of table 0123 that has a meaning, or nothing", code_tables.REPORT_STATUS
)
RESULT_STATUS = of_table(
    "a code of table 0085 that has a meaning, or nothing", code_tables.OBSERVATION_STATUS
)
CATEGORY = of_table("a code of observation-category, or nothing", CATEGORIES)
AVAILABILITY = of_table("one of AV, CA, OB, UN, or nothing", frozenset({"AV", "CA", "OB", "UN"}))
