"""NK1 to Patient.contact.

A next of kin stays a contact of the patient: as a RelatedPerson they would be a second person in
the record, whom nobody has identified. Source: HL7 v2 chapter 3, 3.4.5; the guide's sheet
NK1[Patient].
"""

from adapters.hl7v2.addresses import postal_address
from adapters.hl7v2.code_tables import CONTACT_ROLE, GENDER, RELATIONSHIP, THO
from adapters.hl7v2.codeable_concepts import codeable_concept
from adapters.hl7v2.composite import Composite, each, first, value
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.dates import period
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.names import human_name
from adapters.hl7v2.telecoms import contact_point
from adapters.hl7v2.to_organization import reference_to_xon


def contact(nk1: Segment, context: Context) -> Tree:
    """Return the person or organisation that NK1 names as a contact; empty for nobody."""
    made: Tree = {}
    name = human_name(first(nk1, 2), context, nk1.address(2))
    if name:
        made["name"] = name
    organization = reference_to_xon(first(nk1, 13), context)
    if organization:
        made["organization"] = organization
    telecoms = [
        contact_point(sent, context, nk1.address(number), use)
        for number, use in ((5, ""), (6, "work"), (40, ""))
        for sent in each(nk1, number)
    ]
    telecoms = [telecom for telecom in telecoms if telecom]
    if telecoms:
        made["telecom"] = telecoms
    address = postal_address(first(nk1, 4), context, nk1.address(4))
    if address:
        made["address"] = address
    if not made:
        return {}
    role = codeable_concept(first(nk1, 7), context, "v2-0131")
    roles = [role for role in (_relationship(first(nk1, 3), context), role) if role]
    if roles:
        made["relationship"] = roles
    gender = GENDER.get(value(nk1, 15).upper())
    if gender:
        made["gender"] = gender
    valid = period(value(nk1, 8), value(nk1, 9), context, nk1.address(8))
    if valid:
        made["period"] = valid
    return made


def _relationship(sent: Composite, context: Context) -> Tree:
    concept = codeable_concept(sent, context, "v2-0063")
    code = sent[1]
    if code in RELATIONSHIP:
        meant = {"system": f"{THO}/v3-RoleCode", "code": RELATIONSHIP[code]}
    elif code in CONTACT_ROLE:
        meant = {"system": f"{THO}/v2-0131", "code": CONTACT_ROLE[code]}
    else:
        return concept
    return {**concept, "coding": [meant, *concept.get("coding", ())]}
