"""XPN, and the name in XCN and CNN, to HumanName.

Source: HL7 v2 chapter 2A (XPN, FN); datatype sheets of the "Version 2 to FHIR" guide.
"""

from adapters.hl7v2.code_tables import NAME_USE
from adapters.hl7v2.composite import Composite
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.dates import period

_HSD = "http://hl7.org/fhir/StructureDefinition"
# FN.2 to FN.5: parts of a surname that some countries write apart.
_SURNAME_PARTS = ((2, "own-prefix"), (3, "own-name"), (4, "partner-prefix"), (5, "partner-name"))
# XPN.11, table 0444: G prefix given middle family suffix, F prefix family middle given suffix.
_ASSEMBLY_ORDER = {"G": "NL1", "F": "NL3"}


def human_name(name: Composite, context: Context, address: str) -> Tree:
    """Return an XPN as a HumanName; empty where it names nobody."""
    made = name_parts(name, given_at=2, prefix_at=5, suffixes_at=(4, 6, 14))
    if not made:
        return {}
    use = NAME_USE.get(name[7])
    if use:
        made["use"] = use
    valid = name.sub(10)
    start, end = name[12] or valid[1], name[13] or valid[2]
    validity = period(start, end, context, address)
    if validity:
        made["period"] = validity
    return made


def nickname(name: Composite) -> Tree:
    """Return XPN.15, what a person is called, as a HumanName of its own; empty where not sent."""
    return {"use": "nickname", "text": name[15]} if name[15] else {}


def name_parts(
    name: Composite, *, given_at: int, prefix_at: int, suffixes_at: tuple[int, ...]
) -> Tree:
    """Return the parts of a name whose family name stands before *given_at*.

    A name that the sender did not split (`Dr S Smith` as the family name, nothing else) is
    `text`, because its parts would be guessed.
    """
    family = name[given_at - 1]
    given = [part for part in (name[given_at], *name[given_at + 1].split()) if part]
    prefix = name[prefix_at]
    if family and not given and not prefix and " " in family:
        return {"text": family}
    made: Tree = {}
    if family:
        made["family"] = family
        parts = _surname_parts(name.sub(given_at - 1))
        if parts:
            made["_family"] = {"extension": parts}
    if given:
        made["given"] = given
    if prefix:
        made["prefix"] = [prefix]
    suffixes = [name[number] for number in suffixes_at if name[number]]
    if suffixes:
        made["suffix"] = suffixes
    order = _ASSEMBLY_ORDER.get(name[11]) if given_at == 2 else None
    if order and made:
        made["extension"] = [
            {"url": f"{_HSD}/humanname-assembly-order", "valueCode": order},
        ]
    return made


def _surname_parts(surname: Composite) -> list[Tree]:
    return [
        {"url": f"{_HSD}/humanname-{part}", "valueString": surname[number]}
        for number, part in _SURNAME_PARTS
        if surname[number]
    ]
