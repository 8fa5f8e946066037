"""PID, PD1 and NK1 to the person they name, as a Patient for whoever does not know them yet.

A result message never overwrites what is known of a person: the Patient made here is filed only
for somebody new. Source: HL7 v2 chapter 3, 3.4.2; the guide's sheets PID[Patient], PD1[Patient],
NK1[Patient]; UK Core Patient.
"""

import re

from adapters.hl7v2.addresses import postal_address
from adapters.hl7v2.code_tables import GENDER, MARITAL_NULL, MARITAL_STATUS, THO, YES_NO
from adapters.hl7v2.codeable_concepts import codeable_concept, concepts
from adapters.hl7v2.composite import each, first, value
from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.conversion import PersonNamed, Tree
from adapters.hl7v2.dates import date, date_time
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.names import human_name, nickname
from adapters.hl7v2.nk1_to_contact import contact
from adapters.hl7v2.patient_identifiers import numbers_of
from adapters.hl7v2.telecoms import contact_point
from adapters.hl7v2.to_organization import reference_to_xon
from adapters.hl7v2.xcn_to_practitioner import reference_to_person

_ORDINAL = re.compile(r"[0-9]{1,2}")
_HSD = "http://hl7.org/fhir/StructureDefinition"
ETHNIC_CATEGORY = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory"
RESTRICTED = {"system": f"{THO}/v3-Confidentiality", "code": "R"}
"""In `meta.security` of a Patient whose details are protected (PD1-12)."""
_ETHNIC_CODES = "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland"
_ETHNIC = frozenset({*"ABCDEFGHJKLMNPRSZ", "99"})


def person_named(segments: dict[str, list[Segment]], context: Context) -> PersonNamed:
    """Return the person whom PID names.

    *segments* are those before the first order, by name. Refuses an identity that is missing,
    broken or unclear, a birth date that can't be believed, an administrative sex of no
    meaning, and an animal (AE).
    """
    pid = segments["PID"][0]
    if value(pid, 35):
        raise refusal(103, "not-human", pid.address(35), "PID-35 names the species of an animal.")
    numbers = numbers_of(pid, context)
    tree: Tree = {"resourceType": "Patient", "identifier": list(numbers.trees)}
    names = _names(pid, context)
    if names:
        tree["name"] = names
    _add_birth_and_death(tree, pid, context)
    gender = _gender(pid)
    if gender:
        tree["gender"] = gender
    _add_contact_details(tree, pid, context)
    _add_particulars(tree, pid, context)
    contacts = [contact(nk1, context) for nk1 in segments.get("NK1", ())]
    contacts = [named for named in contacts if named]
    if contacts:
        tree["contact"] = contacts
    pd1 = segments["PD1"][0] if "PD1" in segments else None
    restricted = None if pd1 is None else YES_NO.get(value(pd1, 12))
    if pd1 is not None:
        _add_practice(tree, pd1, context)
    if restricted:
        tree["meta"] = {"security": [dict(RESTRICTED)]}
    called = first(pid, 5)
    return PersonNamed(
        tree=tree,
        nhs_number=numbers.nhs_number,
        identifiers=numbers.local,
        family=called[1],
        given=called[2],
        birth_date=tree.get("birthDate", ""),
        gender=gender,
        deceased=True if "deceasedDateTime" in tree else tree.get("deceasedBoolean"),
        restricted=restricted,
        identity_unknown=value(pid, 31) == "Y",
    )


def _names(pid: Segment, context: Context) -> list[Tree]:
    names = []
    for sent in each(pid, 5):
        names += [human_name(sent, context, pid.address(5)), nickname(sent)]
    names += [human_name(alias, context, pid.address(9)) for alias in each(pid, 9)]
    return [name for name in names if name]


def _gender(pid: Segment) -> str:
    sent = value(pid, 8)
    if not sent:
        return ""
    gender = GENDER.get(sent.upper())
    if gender is None:
        text = "PID-8 is not an administrative sex that is known here."
        raise refusal(103, "sex-unknown", pid.address(8), text)
    return gender


def _add_birth_and_death(tree: Tree, pid: Segment, context: Context) -> None:
    born = value(pid, 7)
    if born:
        tree["birthDate"] = date(born, context, pid.address(7))
        moment = date_time(born, context, pid.address(7))
        if len(moment) > 10:
            birth_time = {"url": f"{_HSD}/patient-birthTime", "valueDateTime": moment}
            tree["_birthDate"] = {"extension": [birth_time]}
    died = value(pid, 29)
    if died:
        tree["deceasedDateTime"] = date_time(died, context, pid.address(29))
    elif value(pid, 30) in YES_NO:
        tree["deceasedBoolean"] = YES_NO[value(pid, 30)]


def _add_contact_details(tree: Tree, pid: Segment, context: Context) -> None:
    addresses = [postal_address(sent, context, pid.address(11)) for sent in each(pid, 11)]
    addresses = [address for address in addresses if address]
    county = value(pid, 12)
    if county and not addresses:
        addresses = [{"district": county}]
    elif county:
        addresses[0].setdefault("district", county)
    if addresses:
        tree["address"] = addresses
    telecoms = [
        contact_point(sent, context, pid.address(number), use)
        for number, use in ((13, "home"), (14, "work"), (40, ""))
        for sent in each(pid, number)
    ]
    telecoms = [telecom for telecom in telecoms if telecom]
    if telecoms:
        tree["telecom"] = telecoms


def _add_particulars(tree: Tree, pid: Segment, context: Context) -> None:
    language = codeable_concept(first(pid, 15), context, "v2-0296")
    if language:
        tree["communication"] = [{"language": language}]
    marital = codeable_concept(first(pid, 16), context, "v2-0002")
    if marital:
        tree["maritalStatus"] = _marital_status(value(pid, 16), marital)
    if _ORDINAL.fullmatch(value(pid, 25)):
        tree["multipleBirthInteger"] = int(value(pid, 25))
    elif value(pid, 24) in YES_NO:
        tree["multipleBirthBoolean"] = YES_NO[value(pid, 24)]
    extensions = _extensions(pid, context)
    if extensions:
        tree["extension"] = extensions


def _marital_status(code: str, sent: Tree) -> Tree:
    system, meant = f"{THO}/v3-MaritalStatus", MARITAL_STATUS.get(code)
    if meant is None:
        system, meant = f"{THO}/v3-NullFlavor", MARITAL_NULL.get(code)
    if meant is None:
        return sent
    return {**sent, "coding": [{"system": system, "code": meant}, *sent.get("coding", ())]}


def _extensions(pid: Segment, context: Context) -> list[Tree]:
    made: list[Tree] = []
    maiden = value(pid, 6)
    if maiden:
        made.append({"url": f"{_HSD}/patient-mothersMaidenName", "valueString": maiden})
    made += [
        {"url": f"{_HSD}/patient-religion", "valueCodeableConcept": religion}
        for religion in concepts(pid, 17, context, "v2-0006")[:1]
    ]
    ethnic = first(pid, 22)
    if ethnic[1] in _ETHNIC:
        coding = {"system": _ETHNIC_CODES, "code": ethnic[1]}
        made.append({"url": ETHNIC_CATEGORY, "valueCodeableConcept": {"coding": [coding]}})
    elif told := codeable_concept(ethnic, context):
        made.append({"url": ETHNIC_CATEGORY, "valueCodeableConcept": told})
    born_in = pid.whole(23).strip()
    if born_in:
        made.append({"url": f"{_HSD}/patient-birthPlace", "valueAddress": {"text": born_in}})
    for number, name in ((26, "citizenship"), (39, "citizenship"), (28, "nationality")):
        for code in concepts(pid, number, context, "v2-0171" if number == 26 else "v2-0212"):
            part = {"url": "code", "valueCodeableConcept": code}
            made.append({"url": f"{_HSD}/patient-{name}", "extension": [part]})
    return made


def _add_practice(tree: Tree, pd1: Segment, context: Context) -> None:
    practices = [reference_to_xon(sent, context) for sent in each(pd1, 3)]
    doctors = [reference_to_person(sent, context, pd1.address(4)) for sent in each(pd1, 4)]
    found = [reference for reference in (*practices, *doctors) if reference]
    if found:
        tree["generalPractitioner"] = found
    extensions = tree.get("extension", [])
    for number, name, table in ((6, "patient-disability", "v2-0295"),):
        concept = codeable_concept(first(pd1, number), context, table)
        if concept:
            extensions.append({"url": f"{_HSD}/{name}", "valueCodeableConcept": concept})
    congregation = first(pd1, 14)[1]
    if congregation:
        extensions.append({"url": f"{_HSD}/patient-congregation", "valueString": congregation})
    if extensions:
        tree["extension"] = extensions
