"""A portal for synthetic people alone keeps nothing of a message about anybody else.

Looked for in the bytes, before anything is read: what can't be parsed would be kept for a person,
and a frame that was cut off too.
"""

import re

from adapters.hl7v2.kinds import Content
from adapters.intake.feeds import Feed
from fhir_server.model.identifiers import NhsNumber

CODE, ADDRESS = "number-not-synthetic", "PID.3"
TEXT = (
    "This portal is a demonstration: it takes NHS numbers from 999 000 0000 to 999 999 9999 only."
)

_VALUE = re.compile(r'"value"\s*:\s*"([0-9][0-9 -]{8,20}[0-9])"')
_PID = re.compile(r"(?:^|[\r\n\x0b])\s*(?:PID|MRG)[^\r\n]*", re.IGNORECASE)
_TEN_DIGITS = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){9}(?![0-9])")


def applies(feeds: tuple[Feed, ...]) -> bool:
    """Tell whether the portal with these *feeds* is for synthetic people alone."""
    return any(feed.synthetic_only for feed in feeds)


def may_name_a_person(raw: bytes) -> bool:
    """Tell whether a PID or MRG in *raw* holds a number that somebody may have as their NHS number.

    Or an Identifier of a Bundle.

    Whatever its delimiters: ten digits in a row, blanks and hyphens between them, that agree with
    their check digit and lie outside the range for tests. A local number of that form counts too.
    """
    text = raw.replace(b"\0", b"").decode("iso8859-1")
    if any(_is_of_somebody(NhsNumber.parse(one)) for one in _VALUE.findall(text)):
        return True
    found = (match for line in _PID.findall(text) for match in _TEN_DIGITS.findall(line))
    return any(_is_of_somebody(NhsNumber.parse(one)) for one in found)


def is_about_a_person(content: Content) -> bool:
    """Tell likewise of a message that was read, its escapes undone."""
    return _is_of_somebody(content.person.nhs_number)


def _is_of_somebody(number: NhsNumber | None) -> bool:
    return number is not None and not number.is_for_tests
