"""What a message is found by beside its own numbers: whom it is about, and its unmapped codes.

An NHS number is kept as a keyed hash alone, so that the index tells nobody a number that they do
not have already.
"""

import re
from collections.abc import Iterator

from fhir_server.model.identifiers import NHS_NUMBER, NhsNumber
from fhir_server.model.ids import derived_id

_MARK = "\x1f"
"""Begins a key that no number of a sender's is."""

_NAMING = re.compile(rb"(?:PID|MRG)[^\r\n]*")
_PARTS = re.compile(r"[^0-9 -]+")
_SYSTEM = NHS_NUMBER.rpartition("/")[2].encode() + b'"'
_VALUE = re.compile(rb'"value"\s*:\s*"([0-9][0-9 -]{8,20}[0-9])"')
_NEAR = 1024
"""Bytes before and behind the name of the system in which the number of an Identifier stands."""
_HEAD = 64
_LONGEST = 65_536
"""Bytes of one segment that are looked through."""


def of_person(id_key: bytes, number: NhsNumber) -> str:
    """Return the key of the messages about the person with this NHS number."""
    return f"{_MARK}person{_MARK}{derived_id(id_key, 'message', NHS_NUMBER, number.digits)}"


def of_code(id_key: bytes, feed: str, system: str, code: str) -> str:
    """Return the key of the messages whose results wait for the meaning of the feed's *code*."""
    return f"{_MARK}code{_MARK}{derived_id(id_key, 'code', feed, system, code)}"


def of_persons_in(id_key: bytes, raw: bytes) -> tuple[str, ...]:
    """Return the keys for every NHS number in PID and MRG of *raw*, read or not.

    What could not be filed is looked for by its person most of all.
    """
    return tuple(of_person(id_key, number) for number in numbers_in(raw))


def numbers_in(raw: bytes) -> tuple[NhsNumber, ...]:
    """Return every NHS number that stands in PID and MRG of *raw*, each once.

    Of a Bundle, those that stand beside the name of their system.
    """
    is_bundle = raw[:_HEAD].lstrip()[:1] == b"{"
    return tuple(dict.fromkeys(_in_bundle(raw) if is_bundle else _numbers(raw)))


def _numbers(raw: bytes) -> Iterator[NhsNumber]:
    for segment in _segments(raw):
        for part in _PARTS.split(segment[:_LONGEST].decode("latin-1")):
            number = NhsNumber.parse(part) if len(part) >= 10 else None
            if number is not None:
                yield number


def _in_bundle(raw: bytes) -> Iterator[NhsNumber]:
    place = raw.find(_SYSTEM)
    while place >= 0:
        around = raw[max(0, place - _NEAR) : place + _NEAR]
        for text in _VALUE.findall(around):
            number = NhsNumber.parse(text.decode("latin-1"))
            if number is not None:
                yield number
        place = raw.find(_SYSTEM, place + 1)


def _segments(raw: bytes) -> Iterator[bytes]:
    """Yield PID and MRG segments; found by their names, so that a large document costs nothing."""
    for name in (b"PID", b"MRG"):
        place = raw.find(name)
        while place >= 0:
            if not place or raw[place - 1 : place] in {b"\r", b"\n"}:
                match = _NAMING.match(raw, place)
                yield match[0] if match else b""
            place = raw.find(name, place + 1)
