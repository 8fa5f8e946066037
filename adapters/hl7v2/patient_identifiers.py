"""PID-3 and its kin: which numbers are a person's, and which of them is the NHS number.

By authority and type, never by position, unless the feed's agreement says so. A number that
claims to be an NHS number and is none, or two that differ, are never resolved here: the sender
must. Source: HL7 UK A.3; NHS Data Dictionary, NHS number; UK Core Patient.
"""

from dataclasses import dataclass

from adapters.hl7v2.code_tables import VERIFICATION_STATUS
from adapters.hl7v2.codeable_concepts import table_code
from adapters.hl7v2.composite import Composite, each, value
from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.identifiers import authority_name, extended_identifier
from fhir_server.model.identifiers import NHS_NUMBER, NhsNumber

_NHS_AUTHORITY = "NHS"
_NHS_TYPES = frozenset({"NH", "NHS", "NHSNMBR", "NHSNO"})
_VERIFICATION = (
    "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
)
_VERIFICATION_CODES = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"
_NOT_TRACED = "02"


@dataclass(frozen=True, slots=True)
class Numbers:
    """A person's identifiers: as FHIR, the NHS number, and the local ones with who gave them."""

    trees: tuple[Tree, ...]
    nhs_number: NhsNumber | None
    local: tuple[tuple[str, str], ...]


def numbers_of(pid: Segment, context: Context) -> Numbers:
    """Return the identifiers in PID-2, -3, -4, -19 and -20.

    Refuses a person without any usable identifier (AE 101, `identity-missing`; AE 204,
    `identity-unclear` where nobody says whose number it is), an NHS number that fails its check
    digit (AE 102, `nhs-number-bad`), ten zeros, and two NHS numbers that differ (AE 204,
    `identity-unclear`).
    """
    nhs_numbers, trees, local = _listed(pid, 3, context)
    if context.dialect.nhs_number_in_pid_19 and value(pid, 19):
        nhs_numbers.append(_nhs_number(value(pid, 19), pid, 19))
    _refuse_unclear(nhs_numbers, trees, local, pid.address(3))
    if nhs_numbers:
        trees.insert(0, _nhs_identifier(nhs_numbers[0], value(pid, 32)))
    trees += _weaker(pid, context)
    return Numbers(tuple(trees), nhs_numbers[0] if nhs_numbers else None, tuple(local))


def prior_numbers(mrg: Segment, context: Context) -> Numbers:
    """Return the retired identifiers in MRG-1, else MRG-4; refuses as `numbers_of`."""
    number = 1 if mrg.field(1) else 4
    nhs_numbers, trees, local = _listed(mrg, number, context)
    _refuse_unclear(nhs_numbers, trees, local, mrg.address(number))
    if nhs_numbers:
        trees.insert(0, _nhs_identifier(nhs_numbers[0], ""))
    return Numbers(tuple(trees), nhs_numbers[0] if nhs_numbers else None, tuple(local))


Listed = tuple[list[NhsNumber], list[Tree], list[tuple[str, str]]]


def _listed(segment: Segment, number: int, context: Context) -> Listed:
    """Return the NHS numbers in a field, its other identifiers, and those of a known authority."""
    nhs_numbers: list[NhsNumber] = []
    trees: list[Tree] = []
    local: list[tuple[str, str]] = []
    for position, extended in enumerate(each(segment, number)):
        if not extended[1]:
            continue
        authority = _authority(extended, position, context)
        if authority == _NHS_AUTHORITY or extended[5].upper() in _NHS_TYPES:
            nhs_numbers.append(_nhs_number(extended[1], segment, number))
            continue
        tree = extended_identifier(extended, context, segment.address(number))
        if authority:
            local.append((authority, extended[1]))
            _add_system(tree, authority, context)
        else:
            context.flag("identifier-unplaced", segment.address(number))
        trees.append(tree)
    return nhs_numbers, trees, local


def _authority(extended: Composite, position: int, context: Context) -> str:
    named = authority_name(extended.sub(4)) or authority_name(extended.sub(6))
    if named:
        return named
    agreed = context.dialect.identifier_authorities
    return agreed[position] if position < len(agreed) else ""


def _add_system(tree: Tree, authority: str, context: Context) -> None:
    system = context.dialect.identifier_systems.get(authority)
    if system and "system" not in tree:
        tree["system"] = system
    if "assigner" not in tree:
        tree["assigner"] = {"display": authority}


def _nhs_number(text: str, pid: Segment, number: int) -> NhsNumber:
    if not text.strip("0 -"):
        raise refusal(
            204, "identity-unclear", pid.address(number), "Ten zeros are nobody's NHS number."
        )
    parsed = NhsNumber.parse(text)
    if parsed is None:
        raise refusal(
            102, "nhs-number-bad", pid.address(number), "The NHS number fails its check digit."
        )
    return parsed


def _refuse_unclear(
    nhs_numbers: list[NhsNumber], trees: list[Tree], local: list[tuple[str, str]], place: str
) -> None:
    name = "PID-3" if place.startswith("PID") else "MRG-1"
    if any(number != nhs_numbers[0] for number in nhs_numbers[1:]):
        raise refusal(204, "identity-unclear", place, "The message holds two NHS numbers.")
    if nhs_numbers or local:
        return
    if trees:
        text = f"{name} does not say who gave the identifier, and the feed's agreement does not."
        raise refusal(204, "identity-unclear", place, text)
    raise refusal(101, "identity-missing", place, f"{name} holds no identifier.")


def _nhs_identifier(number: NhsNumber, traced: str) -> Tree:
    code = traced[-2:] if traced[:-2] in {"NSTS", "PDS"} else ""
    if code not in VERIFICATION_STATUS:
        code = _NOT_TRACED
    coding = {"system": _VERIFICATION_CODES, "code": code, "display": VERIFICATION_STATUS[code]}
    return {
        "extension": [{"url": _VERIFICATION, "valueCodeableConcept": {"coding": [coding]}}],
        "system": NHS_NUMBER,
        "value": number.digits,
    }


def _weaker(pid: Segment, context: Context) -> list[Tree]:
    """Return the identifiers that identify nobody by themselves: PID-2, -4, -19 and -20."""
    made = [
        extended_identifier(extended, context, pid.address(number))
        for number in (2, 4)
        for extended in each(pid, number)
    ]
    if not context.dialect.nhs_number_in_pid_19 and value(pid, 19):
        made.append({"type": table_code("SS", "v2-0203"), "value": value(pid, 19)})
    for licence in each(pid, 20):
        if licence[1]:
            tree: Tree = {"type": table_code("DL", "v2-0203"), "value": licence[1]}
            if licence[2]:
                tree["assigner"] = {"display": licence[2]}
            made.append(tree)
    return [tree for tree in made if tree]
