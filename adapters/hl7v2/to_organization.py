"""XON, HD and the coded producer in OBX-15 to Organization.

An organisation with an identifier becomes a resource that all messages share; one with a name
alone is too little to stand by itself and stays a name in the reference. Source: HL7 v2 chapter
2A (XON, HD); datatype sheets of the "Version 2 to FHIR" guide.
"""

from adapters.hl7v2.addresses import postal_address
from adapters.hl7v2.codeable_concepts import table_code
from adapters.hl7v2.coding_systems import system_uri
from adapters.hl7v2.composite import Composite, first
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.identifiers import (
    authority_identifier,
    authority_name,
    authority_system,
    with_check_digit,
)
from fhir_server.model.identifiers import ODS_ORGANIZATION


def reference_to_xon(
    named: Composite, context: Context, *, address: Tree | None = None, telecom: Tree | None = None
) -> Tree:
    """Return a reference to the organisation of an XON; empty where it names none.

    XON.10 is its id, XON.3 only where .10 is empty, .4 the check digit, .6 says who gave it, .7
    its type.
    """
    name, value = named[1], named[10] or named[3]
    if not value:
        return {"display": name} if name else {}
    hd = named.sub(6)
    identifier: Tree = {"type": table_code(named[7], "v2-0203")} if named[7] else {}
    system = _system_of(value, context) or authority_system(hd, context)
    if system:
        identifier["system"] = system
    identifier["value"] = value
    identifier = with_check_digit(identifier, named[4])
    tree: Tree = {"resourceType": "Organization", "identifier": [identifier]}
    if name:
        tree["name"] = name
    if telecom:
        tree["telecom"] = [telecom]
    if address:
        tree["address"] = [address]
    # Without a system the value is known only to whoever gave it, or to the sender.
    domain = (system,) if system else (context.authority, authority_name(hd))
    return _reference(context, (*domain, value), tree, name)


def reference_to_producer(coded: Composite, context: Context) -> Tree:
    """Return a reference to the organisation that OBX-15 names by code and text."""
    code, name, system_name = coded[1], coded[2], coded[3]
    if not code:
        return {"display": name} if name else {}
    system = _system_of(code, context) or system_uri(system_name, context.local_base)
    identifier = {"system": system, "value": code} if system else {"value": code}
    tree: Tree = {"resourceType": "Organization", "identifier": [identifier]}
    if name:
        tree["name"] = name
    return _reference(context, (system or context.authority, code), tree, name)


def reference_to_sender(header: Segment, context: Context) -> Tree:
    """Return a reference to the organisation in MSH-4; where it is empty, to no one but a name."""
    facility = first(header, 4)
    identifiers = authority_identifier(facility, context)
    if not identifiers:
        name = context.dialect.authority or authority_name(first(header, 3))
        return {"display": name or "A sender that does not name itself"}
    tree: Tree = {"resourceType": "Organization", "identifier": identifiers}
    country = first(header, 17)[1]
    if country:
        tree["address"] = [{"country": country}]
    known = identifiers[0]
    domain = (known["system"],) if "system" in known else ("sender",)
    name = authority_name(facility)
    return _reference(context, (*domain, known["value"]), tree, name)


def laboratory(obx: Segment, context: Context) -> list[Tree]:
    """Return references to who did the test: OBX-15, and OBX-23 with its address in OBX-24."""
    made = []
    if obx.field(15):
        made.append(reference_to_producer(first(obx, 15), context))
    if obx.field(23):
        where = postal_address(first(obx, 24), context, obx.address(24))
        made.append(reference_to_xon(first(obx, 23), context, address=where))
    return [reference for reference in made if reference]


def _system_of(value: str, context: Context) -> str:
    return ODS_ORGANIZATION if value in context.dialect.ods_codes else ""


def _reference(context: Context, key: tuple[str, ...], tree: Tree, name: str) -> Tree:
    reference: Tree = {"reference": context.organization(("Organization", *key), tree)}
    if name:
        reference["display"] = name
    return reference
