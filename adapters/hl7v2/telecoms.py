"""XTN and TN to ContactPoint.

Senders in the UK hardly ever say what kind of number a number is; its form tells. Source: HL7 v2
chapter 2A (XTN); datatype sheets of the "Version 2 to FHIR" guide.
"""

import re

from adapters.hl7v2.code_tables import TELECOM_SYSTEM, TELECOM_USE
from adapters.hl7v2.composite import Composite
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.dates import period

_RANK = re.compile(r"[1-9][0-9]?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(
    r"[+(]?[\d][\d\s()/.-]{4,}(?:\s*(?:x|ext\.?)\s*\d+)?", re.IGNORECASE | re.ASCII
)
_HSD = "http://hl7.org/fhir/StructureDefinition"
# XTN.5 to XTN.8: a number in parts.
_PARTS = ((5, "country"), (6, "area"), (7, "local"), (8, "extension"))
_UK_MOBILE = re.compile(r"(?:\+?44|0)\s*7\d")


def contact_point(telecom: Composite, context: Context, address: str, use: str = "") -> Tree:
    """Return an XTN as a ContactPoint; empty where there is no number or address in it.

    *use* holds where XTN.2 says nothing (PID-13 home, PID-14 work). A number of the form 07… is a
    mobile's. What is neither a number nor an e-mail address has system `other`.
    """
    system = TELECOM_SYSTEM.get(telecom[3].upper(), "")
    number = _number(telecom)
    if system == "email" or (not system and telecom[4]):
        system, value = "email", telecom[4] or number
    else:
        value = number or telecom[4]
    if not value:
        return {}
    made: Tree = {"system": system or _system_of(value), "value": value}
    parts = _parts(telecom) if len(telecom.parts) > 4 and made["system"] != "email" else []
    if parts:
        made = {"extension": parts, **made}
    use = "mobile" if telecom[3] == "CP" else TELECOM_USE.get(telecom[2], use)
    if not telecom[2] and made["system"] == "phone" and _UK_MOBILE.match(value):
        use = "mobile"
    if use:
        made["use"] = use
    if _RANK.fullmatch(telecom[18]):
        made["rank"] = int(telecom[18])
    valid = period(telecom[13], telecom[14], context, address)
    if valid:
        made["period"] = valid
    return made


def _parts(telecom: Composite) -> list[Tree]:
    return [
        {"url": f"{_HSD}/contactpoint-{name}", "valueString": telecom[number]}
        for number, name in _PARTS
        if telecom[number]
    ]


def _number(telecom: Composite) -> str:
    if telecom[12]:
        return telecom[12]
    country, area, local, extension = (telecom[number] for number in (5, 6, 7, 8))
    if not local:
        return telecom[1]
    parts = [f"+{country.lstrip('+')}" if country else "", area, local]
    return " ".join(filter(None, parts)) + (f" X{extension}" if extension else "")


def _system_of(value: str) -> str:
    if _EMAIL.fullmatch(value):
        return "email"
    return "phone" if _NUMBER.fullmatch(value) else "other"
