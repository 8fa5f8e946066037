"""XCN and CNN to Practitioner, and what somebody does for an organisation to PractitionerRole.

A person with an identifier becomes a resource that all messages share; one with a name alone
stays a name in the reference. Source: HL7 v2 chapter 2A (XCN, CNN); datatype sheets of the
"Version 2 to FHIR" guide; https://github.com/HL7-UK/System-Identifiers.
"""

from collections.abc import Mapping

from adapters.hl7v2.code_tables import NAME_USE, THO
from adapters.hl7v2.codeable_concepts import table_code
from adapters.hl7v2.composite import Composite
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Link, Tree
from adapters.hl7v2.dates import period
from adapters.hl7v2.identifiers import (
    assigner,
    authority_name,
    authority_system,
    with_check_digit,
)
from adapters.hl7v2.names import name_parts
from fhir_server.model.identifiers import (
    GMC_NUMBER,
    GMP_NUMBER,
    HCPC_NUMBER,
    NMC_NUMBER,
    SDS_USER,
)

PROFESSIONAL_SYSTEMS: Mapping[str, str] = {
    "GMC": GMC_NUMBER,
    "GMP": GMP_NUMBER,
    "HCPC": HCPC_NUMBER,
    "NMC": NMC_NUMBER,
    "SDS": SDS_USER,
}
"""What XCN.9 or XCN.13 calls a national register, to the system of its numbers."""

RESPONSIBLE_OBSERVER = {
    "coding": [{"system": f"{THO}/practitioner-role", "code": "responsibleObserver"}]
}
MEDICAL_DIRECTOR = {"coding": [{"system": f"{THO}/v2-0912", "code": "MDIR"}]}


def reference_to_person(
    person: Composite, context: Context, address: str, *, home: Tree | None = None
) -> Tree:
    """Return a reference to the Practitioner of an XCN; empty where it names nobody.

    *home* is the address that another field gives for them (ORC-24).
    """
    name = name_parts(person, given_at=3, prefix_at=6, suffixes_at=(5, 21))
    called = _called(name)
    value = person[1]
    if not value:
        return {"display": called} if called else {}
    hd = person.sub(9)
    domain, identifier = _identifier(person, hd, context)
    valid = period(person[19], person[20], context, address)
    use = NAME_USE.get(person[10])
    tree: Tree = {"resourceType": "Practitioner", "identifier": [identifier]}
    if name:
        if use:
            name["use"] = use
        if valid:
            name["period"] = valid
        tree["name"] = [name]
    if home:
        tree["address"] = [home]
    if person[7]:
        tree["qualification"] = [{"code": table_code(person[7], "v2-0360")}]
    reference: Tree = {
        "reference": context.practitioner(("Practitioner", *domain, value), tree),
    }
    if called:
        reference["display"] = called
    return reference


def _identifier(person: Composite, hd: Composite, context: Context) -> tuple[tuple[str, ...], Tree]:
    authority, kind = authority_name(hd), person[13]
    system = PROFESSIONAL_SYSTEMS.get(authority) or PROFESSIONAL_SYSTEMS.get(kind)
    system = system or authority_system(hd, context)
    identifier: Tree = {"type": table_code(kind, "v2-0203")} if kind else {}
    if system:
        identifier["system"] = system
    identifier["value"] = person[1]
    named = assigner(hd, context) if authority not in PROFESSIONAL_SYSTEMS else {}
    if named:
        identifier["assigner"] = named
    domain = (system,) if system else (context.authority, authority)
    return domain, with_check_digit(identifier, person[11])


def reference_from_ndl(named: Composite, context: Context, address: str) -> Tree:
    """Return a reference to the person of an NDL, whose first component is a CNN.

    To the Practitioner, or to a PractitionerRole where the NDL says when (.2, .3) and where (.4
    to .11) they worked. Some senders of older versions put an XCN in its place: then the field
    has no subcomponents.
    """
    person = named.sub(1)
    if len(person.parts) == 1 and named[2] and not named[2][:1].isdigit():
        return reference_to_person(named, context, address)
    # CNN.8 to .11 are the authority, as three parts of their own; XCN.9 has them in one.
    shortened = Composite(person.parts[:7], person.delimiters)
    reference = reference_to_person(shortened, context, address)
    return _on_duty(reference, named, context, address) if len(named.parts) > 1 else reference


def _on_duty(person: Tree, ndl: Composite, context: Context, address: str) -> Tree:
    when = period(ndl[2], ndl[3], context, address)
    # Room, bed, point of care, floor, building, facility: from the nearest to the farthest.
    told = dict.fromkeys(ndl[number] for number in (5, 6, 4, 11, 10, 7) if ndl[number])
    where = ", ".join(told)
    if not isinstance(person.get("reference"), Link) or not (when or where):
        return person
    tree: Tree = {"resourceType": "PractitionerRole", "practitioner": person}
    if when:
        tree["period"] = when
    if where:
        tree["location"] = [{"type": "Location", "display": where}]
    parts = (*person["reference"].key[1:], *when.values(), where)
    made: Tree = {"reference": context.practitioner(("PractitionerRole", *parts), tree)}
    return {**made, "display": person["display"]} if "display" in person else made


def reference_to_role(
    person: Tree,
    context: Context,
    *,
    code: Tree | None = None,
    organization: Tree | None = None,
    telecoms: list[Tree] | None = None,
) -> Tree:
    """Return a reference to what *person* (a reference) does: a PractitionerRole.

    Where *person* has no identifier there is nobody to have a role: the person, else the
    organisation, is what remains.
    """
    if not isinstance(person.get("reference"), Link):
        return person or organization or {}
    if not (code or organization or telecoms):
        return person
    parts = list(person["reference"].key[1:])
    tree: Tree = {"resourceType": "PractitionerRole", "practitioner": person}
    if organization:
        tree["organization"] = organization
        link = organization.get("reference")
        parts += link.key[1:] if isinstance(link, Link) else [str(organization["display"])]
    if code:
        tree["code"] = [code]
        parts.append(code["coding"][0]["code"])
    if telecoms:
        tree["telecom"] = telecoms
    made: Tree = {"reference": context.practitioner(("PractitionerRole", *parts), tree)}
    if "display" in person:
        made["display"] = person["display"]
    return made


def _called(name: Tree) -> str:
    if "text" in name:
        return str(name["text"])
    parts = (*name.get("prefix", ()), *name.get("given", ()), name.get("family", ""))
    return " ".join(part for part in parts if part)
