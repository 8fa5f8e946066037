"""HD, EI, EIP and CX to Identifier, and whose identifiers they are.

Source: HL7 v2 chapter 2A; datatype sheets of the "Version 2 to FHIR" guide; for UK systems
https://github.com/HL7-UK/System-Identifiers.
"""

import re
from uuid import UUID

from adapters.hl7v2.codeable_concepts import table_code
from adapters.hl7v2.composite import Composite
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.dates import period
from fhir_server.model.identifiers import ODS_ORGANIZATION

URI = "urn:ietf:rfc:3986"
CHECK_DIGIT = "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit"
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")


def universal_uri(universal: str, kind: str) -> str:
    """Return a universal id (HD.2) of type ISO or UUID as a URI; empty for any other."""
    if kind == "ISO" and _OID.fullmatch(universal):
        return f"urn:oid:{universal}"
    if kind == "UUID":
        try:
            return f"urn:uuid:{UUID(universal)}"
        except ValueError:
            return ""
    return ""


def authority_name(hd: Composite) -> str:
    """Return what an assigning authority or facility is called: HD.1, else HD.2."""
    return hd[1] or hd[2]


def authority_system(hd: Composite, context: Context) -> str:
    """Return the URI of the identifiers that an authority gives out; empty where none is known.

    The agreed one of the feed, else its ISO or UUID.
    """
    agreed = context.dialect.identifier_systems.get(authority_name(hd))
    return agreed or universal_uri(hd[2], hd[3])


def authority_identifier(hd: Composite, context: Context) -> list[Tree]:
    """Return the identifiers of the organisation that an HD names: ODS code, universal id."""
    made: list[Tree] = []
    name, universal, kind = hd[1], hd[2], hd[3]
    if name:
        is_ods = name in context.dialect.ods_codes
        made.append({"system": ODS_ORGANIZATION, "value": name} if is_ods else {"value": name})
    if universal:
        uri = universal_uri(universal, kind)
        if uri:
            made.append({"system": URI, "value": uri})
        else:
            made.append({"value": universal})
        if kind:
            made[-1] = {"type": table_code(kind, "v2-0301"), **made[-1]}
    return made


def assigner(hd: Composite, context: Context) -> Tree:
    """Return a reference by identifier to the organisation that an HD names; empty for none."""
    identifiers = authority_identifier(hd, context)
    return {"identifier": identifiers[0], "display": authority_name(hd)} if identifiers else {}


def with_check_digit(identifier: Tree, digit: str) -> Tree:
    """Return *identifier* with the check digit that was sent beside it, where one was.

    How it was computed (CX.3, XCN.12, XON.5) has no place in FHIR: the guide's extension may
    stand on a NamingSystem only.
    """
    if not digit:
        return identifier
    return {"extension": [{"url": CHECK_DIGIT, "valueString": digit}], **identifier}


def _identifier(kind: Tree, value: str, hd: Composite, context: Context) -> Tree:
    made: Tree = {"type": kind} if kind else {}
    system = authority_system(hd, context)
    if system:
        made["system"] = system
    made["value"] = value
    named = assigner(hd, context)
    if named:
        made["assigner"] = named
    return made


def entity_identifier(entity: Composite, context: Context, kind: str = "") -> Tree:
    """Return an EI as an Identifier of type *kind* (table 0203: PLAC, FILL …); empty for none.

    EI.2 to EI.4 say who gave it: the system where that is a URI, the assigner always.
    """
    if not entity[1]:
        return {}
    hd = Composite(entity.parts[1:4], entity.delimiters)
    return _identifier(table_code(kind, "v2-0203") if kind else {}, entity[1], hd, context)


def pair_identifiers(pair: Composite, context: Context, placer: str, filler: str) -> list[Tree]:
    """Return an EIP as identifiers: the placer's of type *placer*, the filler's of *filler*."""
    made = [
        entity_identifier(pair.sub(1), context, placer),
        entity_identifier(pair.sub(2), context, filler),
    ]
    return [identifier for identifier in made if identifier]


def extended_identifier(extended: Composite, context: Context, address: str) -> Tree:
    """Return a CX as an Identifier; empty where it holds no id.

    CX.2 is the check digit, .4 the authority, .5 the type, .7 and .8 the period.
    """
    if not extended[1]:
        return {}
    kind = table_code(extended[5], "v2-0203") if extended[5] else {}
    made = _identifier(kind, extended[1], extended.sub(4), context)
    valid = period(extended[7], extended[8], context, address)
    if valid:
        made["period"] = valid
    return with_check_digit(made, extended[2])
