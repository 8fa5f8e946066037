"""NM, SN, CQ and the units beside them to Quantity, with every digit that was sent.

A unit gets a UCUM code only where the sender gave it or where its spelling is in the unit table;
nothing is ever converted. Source: HL7 v2 chapter 2A (NM, SN, CQ);
https://hl7.org/fhir/R4/datatypes.html#Quantity
"""

import re
from decimal import Decimal

from adapters.hl7v2.codeable_concepts import code_text
from adapters.hl7v2.coding_systems import UCUM, system_uri
from adapters.hl7v2.composite import Composite
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.unit_table import UCUM_CODES

COMPARATORS = frozenset({"<", "<=", ">", ">="})
NUMBER = r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})"
_NUMBER = re.compile(NUMBER)
_COMPARED = re.compile(rf"(<=|>=|<|>)?\s*({NUMBER})")
_TEN = re.compile(r"[xX*]?\s?10")
_POWER = re.compile(r"\d+(?:/\S.*)?")
_RANGE = re.compile(rf"({NUMBER})\s*(?:-|–|to)\s*({NUMBER})")
_LIMIT = re.compile(rf"(<=|>=|<|>|≤|≥)\s*({NUMBER})")


def decimal(text: str) -> Decimal | None:
    """Return the number that *text* is, digits as written; None where it is no number."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def compared(text: str) -> tuple[str, Decimal] | None:
    """Return the comparator ("" for none) and the number of `<0.01`; None for anything else."""
    form = _COMPARED.fullmatch(text)
    return (form[1] or "", Decimal(form[2])) if form else None


def unit_of(units: Composite, context: Context) -> Tree:
    """Return OBX-6 as the unit, system and code of a Quantity; empty where no unit is sent.

    `10^9/L` with its `^` not escaped, which splits the field, is put together again.
    """
    parts = units.parts
    if len(parts) > 1 and _TEN.fullmatch(parts[0]) and _POWER.fullmatch(parts[1]):
        return _spelt(f"{units[1]}^{units[2]}")
    code, text, system = units[1], units[2], units[3]
    if code and system:
        uri = context.dialect.local_systems.get(system) or system_uri(system, context.local_base)
        if uri:
            return {"unit": text or code, "system": uri, "code": code_text(code)}
    return _spelt(text or code)


def _spelt(text: str) -> Tree:
    if not text:
        return {}
    code = UCUM_CODES.get(text)
    return {"unit": text, "system": UCUM, "code": code} if code else {"unit": text}


def quantity(number: Decimal, unit: Tree, comparator: str = "") -> Tree:
    """Return a Quantity of *number* with what `unit_of` made."""
    if comparator:
        return {"value": number, "comparator": comparator, **unit}
    return {"value": number, **unit}


def composite_quantity(cq: Composite, context: Context) -> Tree:
    """Return a CQ as a Quantity; empty where its first component is no number."""
    number = decimal(cq[1])
    return {} if number is None else quantity(number, unit_of(cq.sub(2), context))


def reference_range(text: str, unit: Tree) -> Tree:
    """Return OBX-7 as a reference range: its text always, low and high where it can be read.

    Read are `a-b`, `a - b`, `a to b`, and `<b`, `<=b`, `>a`, `>=a`. A low above its high, `NA` or
    anything else is text alone.
    """
    form = _RANGE.fullmatch(text)
    made: Tree = {}
    if form:
        low, high = Decimal(form[1]), Decimal(form[2])
        if low <= high:
            made = {"low": quantity(low, unit), "high": quantity(high, unit)}
    else:
        form = _LIMIT.fullmatch(text)
        if form:
            end = "high" if form[1] in {"<", "<=", "≤"} else "low"
            made = {end: quantity(Decimal(form[2]), unit)}
    made["text"] = text
    return made
