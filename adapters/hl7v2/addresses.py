"""XAD and AD to Address.

Source: HL7 v2 chapter 2A (XAD, SAD); datatype sheets of the "Version 2 to FHIR" guide.
"""

from adapters.hl7v2.code_tables import ADDRESS_TYPE, ADDRESS_USE
from adapters.hl7v2.composite import Composite
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.dates import period

_CENSUS_TRACT = "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract"


def postal_address(address: Composite, context: Context, place: str) -> Tree:
    """Return an XAD as an Address; empty where nothing is said. *place* is its field address."""
    made: Tree = {}
    kind = address[7]
    if kind in ADDRESS_USE:
        made["use"] = ADDRESS_USE[kind]
    if kind in ADDRESS_TYPE:
        made["type"] = ADDRESS_TYPE[kind]
    street = address.sub(1)
    lines = [street[1], street[2], street[3], address[2], address[19]]
    lines = [line for line in lines if line]
    if lines:
        made["line"] = lines
    for element, number in (
        ("city", 3),
        ("district", 9),
        ("state", 4),
        ("postalCode", 5),
        ("country", 6),
    ):
        if address[number]:
            made[element] = address[number]
    if not made.keys() - {"use", "type"}:
        return {}
    if address[10]:
        made["extension"] = [{"url": _CENSUS_TRACT, "valueString": address[10]}]
    valid = address.sub(12)
    validity = period(address[13] or valid[1], address[14] or valid[2], context, place)
    if validity:
        made["period"] = validity
    return made
