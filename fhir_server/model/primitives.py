"""The primitive types of FHIR R4: how each stands in JSON, what it may hold, how it is called.

Calendar dates must exist (no 30 February), so the patterns know the months and the leap years.
Control characters in texts are the concern of `fhir_server.model.json`.

https://hl7.org/fhir/R4/datatypes.html#primitive
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

MAX_STRING = 1024 * 1024
"""Characters of a string or a markdown text (R4, string)."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One primitive type: its Python type, its bounds, and words for a person who got it wrong."""

    python: type
    """str, bool, int or Decimal; a bool is never taken for a number, nor text for either."""
    says: str
    pattern: str = ""
    """Regular expression for the whole text; empty where any text will do."""
    low: int | None = None
    high: int | None = None
    longest: int | None = None


_YEAR = "(?!0000)[0-9]{4}"
_LEAP = "(?!0000)(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP}-02-29)"
)
_MONTH = f"{_YEAR}-(?:0[1-9]|1[0-2])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]{1,9})?"
_ZONE = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

_LABEL = "(?!xn--)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HOST = (
    rf"(?:(?:{_LABEL}\.)*(?!xn--)[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?|{_BYTE}(?:\.{_BYTE}){{3}})"
)
_PORT = (
    "(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
)
_URL = (
    rf"(?:(?:https?|ftp|ws|wss|mllp)://{_HOST}{_PORT}(?:[/?#]\S*)?"
    r"|(?:urn|mailto|tel|cid):[A-Za-z0-9]\S*"
    r"|/?[A-Za-z0-9.#-]+(?:/[^\s?/]+)*(?:\?\S*)?)"
)
_BASE64 = (
    "(?=.)(?:[A-Za-z0-9+/]{64})*+(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
)
_HEX = "[0-9a-f]"

PRIMITIVES: Mapping[str, Primitive] = MappingProxyType(
    {
        "boolean": Primitive(bool, "true or false"),
        "integer": Primitive(int, "a whole number of 32 bits", low=-(2**31), high=2**31 - 1),
        "unsignedInt": Primitive(int, "a whole number from 0", low=0, high=2**31 - 1),
        "positiveInt": Primitive(int, "a whole number from 1", low=1, high=2**31 - 1),
        "decimal": Primitive(Decimal, "a number"),
        "string": Primitive(str, "a text that is not empty", longest=MAX_STRING),
        "markdown": Primitive(str, "a text that is not empty", longest=MAX_STRING),
        "xhtml": Primitive(str, "an XHTML <div>", longest=MAX_STRING),
        "code": Primitive(str, "a code, text without outer spaces", r"[^\s]+(?: [^\s]+)*"),
        "id": Primitive(
            str, "an id of 1 to 64 letters, digits, '-' and '.'", r"[A-Za-z0-9\-.]{1,64}"
        ),
        "uri": Primitive(str, "a URI without spaces", r"\S+"),
        "canonical": Primitive(str, "a URI without spaces", r"\S+"),
        "url": Primitive(str, "a URL such as https://example.org/page", _URL),
        "oid": Primitive(
            str, "an OID such as urn:oid:1.2.3", r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"
        ),
        "uuid": Primitive(
            str,
            "a random UUID such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
            f"urn:uuid:{_HEX}{{8}}-{_HEX}{{4}}-4{_HEX}{{3}}-[89ab]{_HEX}{{3}}-{_HEX}{{12}}",
        ),
        "base64Binary": Primitive(str, "base64 text without spaces", _BASE64),
        "date": Primitive(
            str, "a date that exists, as YYYY, YYYY-MM or YYYY-MM-DD", f"{_YEAR}|{_MONTH}|{_DAY}"
        ),
        "dateTime": Primitive(
            str,
            "a date that exists, or one with time and zone such as 2024-03-09T14:05:00Z",
            f"{_YEAR}|{_MONTH}|{_DAY}(?:T{_TIME}{_ZONE})?",
        ),
        "instant": Primitive(
            str, "an instant with zone such as 2024-03-09T14:05:00Z", f"{_DAY}T{_TIME}{_ZONE}"
        ),
        "time": Primitive(str, "a time of day such as 14:05:00", _TIME),
    }
)
"""Name of the type in FHIR to what we hold of it."""


def whole(pattern: str) -> str:
    """Return *pattern* so that `re.search` finds it only where it is the whole text."""
    return rf"\A(?:{pattern})\Z"
