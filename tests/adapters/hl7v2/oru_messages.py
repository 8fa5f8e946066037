"""ORU^R01 messages for tests, built from a few segments, and what they became."""

from typing import Any

from adapters.hl7v2.composite import Composite, composite
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import PATIENT, Conversion, Key, Tree, resolve
from adapters.hl7v2.delimiters import DEFAULT
from adapters.hl7v2.dialect import STANDARD, Dialect
from adapters.hl7v2.er7 import read
from adapters.hl7v2.kinds import convert

MSH = r"MSH|^~\&|LIMS|NMH|PORTAL|PFH|20260803140507||ORU^R01|M1|P|2.4"
PID = "PID|1||9990000018^^^NHS^NH||Ashdown^Alan||19550302|M"
ORC = "ORC|RE|P1|F1"
OBR = (
    "OBR|1|P1|F1|PSA^Prostate specific antigen^L|||202608031000|||||||||||||||20260803140500||CH|F"
)
OBX = "OBX|1|NM|PSA^PSA^L||7.30|ug/L|0.0-6.5|H|||F"


def oru(*segments: str, charset: str = "utf-8") -> bytes:
    """The bytes of a message; without *segments*, of one with a single PSA."""
    return "\r".join((*(segments or (MSH, PID, ORC, OBR, OBX)), "")).encode(charset)


def converted(*segments: str, dialect: Dialect = STANDARD, **options: Any) -> Conversion:
    content = convert(read(oru(*segments)), dialect, **options)
    assert isinstance(content, Conversion)
    return content


def with_results(*results: str, dialect: Dialect = STANDARD) -> Conversion:
    """What a message becomes whose order has these segments after its OBR."""
    return converted(MSH, PID, ORC, OBR, *results, dialect=dialect)


def observations(conversion: Conversion) -> list[Tree]:
    return [made.tree for group in conversion.groups for made in group.observations]


def field_of(segment: str, number: int, value: str) -> str:
    """*segment* with field *number* (in MSH: as numbered there) set to *value*."""
    place = number - 1 if segment.startswith("MSH") else number
    fields = segment.split("|")
    fields += [""] * (place + 1 - len(fields))
    fields[place] = value
    return "|".join(fields)


class _NamedByKey(dict[Key, str]):
    def __missing__(self, key: Key) -> str:
        return " ".join(part for part in key[1:] if part)


def readable(tree: Tree) -> Tree:
    """*tree* with each reference as the type and key of what it refers to."""
    return resolve(tree, _NamedByKey({PATIENT: "named"}))


def part(text: str) -> Composite:
    """A field's repetition with the usual delimiters."""
    return composite(text, DEFAULT)


def surroundings(dialect: Dialect = STANDARD, authority: str = "NMH") -> Context:
    """What a mapper knows of a message from *authority*."""
    return Context(dialect, authority, f"urn:portal-fhir:codes:{authority}", None, None, None)
