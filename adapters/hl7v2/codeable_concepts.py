"""CE, CNE, CWE, IS and ID to CodeableConcept and Coding.

Every triplet is kept: the local code beside the standard one, in the order in which they were
sent. Source: HL7 v2 chapter 2A (CWE); datatype sheets of the "Version 2 to FHIR" guide.
"""

import re

from adapters.hl7v2.code_tables import THO
from adapters.hl7v2.coding_systems import system_uri
from adapters.hl7v2.composite import Composite, each
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.er7 import Segment

_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
# Code, display, system, version, OID of the system: CWE.1-3 with .7 and .14, and so on.
_TRIPLETS = ((1, 2, 3, 7, 14), (4, 5, 6, 8, 17), (10, 11, 12, 13, 20))


def codeable_concept(coded: Composite, context: Context, table: str = "") -> Tree:
    """Return a CodeableConcept, empty where *coded* says nothing.

    *table* (`v2-0074`) is the code system of a code that names none, for fields that are bound
    to a table of HL7's; without it such a code is the sender's own. A text without a code is
    `text`.
    """
    codings = []
    length = len(coded.parts)
    text = coded[9] if length > 8 else ""
    for code_at, display_at, system_at, version_at, oid_at in _TRIPLETS:
        if code_at > length:
            break
        code, display, system = coded[code_at], coded[display_at], coded[system_at]
        if not code:
            text = text or display
            continue
        oid = coded[oid_at] if oid_at <= length else ""
        coding = {}
        uri = _system(system, oid, context, table)
        if uri:
            coding["system"] = uri
            if version_at <= length and coded[version_at]:
                coding["version"] = coded[version_at]
        coding["code"] = code_text(code)
        if display:
            coding["display"] = display
        codings.append(coding)
    made: Tree = {"coding": codings} if codings else {}
    if text:
        made["text"] = text
    return made


def concepts(segment: Segment, number: int, context: Context, table: str = "") -> list[Tree]:
    """Return the repetitions of a coded field that say something, as CodeableConcepts."""
    made = [codeable_concept(sent, context, table) for sent in each(segment, number)]
    return [concept for concept in made if concept]


def _system(name: str, oid: str, context: Context, table: str) -> str:
    if not name:
        if oid:
            return f"urn:oid:{oid}" if _is_oid(oid) else context.local_base
        return f"{THO}/{table}" if table else context.local_base
    uri = context.systems.get(name)
    if uri is None:
        agreed = context.dialect.local_systems.get(name)
        uri = context.systems[name] = agreed or system_uri(name, context.local_base)
    is_local = not uri or (context.local_base and uri.startswith(context.local_base))
    return f"urn:oid:{oid}" if oid and is_local and _is_oid(oid) else uri


def _is_oid(text: str) -> bool:
    return _OID.fullmatch(text) is not None


def code_text(code: str) -> str:
    """Return a code as FHIR lets one be: single blanks inside, none around."""
    return code if code.isalnum() else " ".join(code.split())


def table_code(code: str, table: str, display: str = "") -> Tree:
    """Return a CodeableConcept of one code of an HL7 table (`v2-0203`)."""
    coding = {"system": f"{THO}/{table}", "code": code_text(code)}
    if display:
        coding["display"] = display
    return {"coding": [coding]}


def words(concept: Tree) -> str:
    """Return what a person would call a CodeableConcept: its text, else a display, else a code."""
    if "text" in concept:
        return str(concept["text"])
    codings = concept.get("coding", ())
    for coding in codings:
        if "display" in coding:
            return str(coding["display"])
    return str(codings[0]["code"]) if codings else ""
