"""The Patient of a Bundle to the person whom it names; filed only for somebody new.

As of an HL7 v2 message: what is known of a person is not changed by their results. Source: UK Core
Patient; https://hl7.org/fhir/R4/patient.html
"""

from typing import Any

from adapters.fhir_push.bundle import Entry
from adapters.fhir_push.dates import require_believable
from adapters.fhir_push.references import rewritten
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.conversion import Flag, PersonNamed
from adapters.hl7v2.pid_to_patient import RESTRICTED
from adapters.hl7v2.refusal import Refused
from fhir_server.model.identifiers import NHS_NUMBER, NhsNumber

Tree = dict[str, Any]

_KEPT = (
    *("extension", "identifier", "name", "telecom", "gender", "birthDate", "_birthDate"),
    *("deceasedBoolean", "deceasedDateTime", "address", "maritalStatus", "multipleBirthBoolean"),
    *("multipleBirthInteger", "contact", "communication", "generalPractitioner"),
)
"""Elements that are filed of somebody new. Pictures, narratives and links to others are not."""
_NHS_TYPES = frozenset({"NH"})


def the_patient(setting: Setting) -> Entry:
    """Return the one Patient whom the Bundle is about.

    Raises Refused where there is none (AE 101, `identity-missing`) or a second one (AE 100,
    `patients-several`).
    """
    found = setting.entries_of("Patient")
    if not found:
        text = "The Bundle holds no Patient: nothing says whose it is."
        raise Refused("AE", 101, "identity-missing", "Bundle.entry", text)
    if len(found) > 1:
        text = "A Bundle is about one Patient."
        raise Refused("AE", 100, "patients-several", found[1].path, text)
    return found[0]


def person_of(entry: Entry, setting: Setting) -> PersonNamed:
    """Return the person whom *entry*, a Patient, names.

    Raises Refused for an identity that is missing, broken or unclear, for a date that can't be
    believed, and for a link to another Patient.
    """
    tree = entry.tree
    if "link" in tree:
        text = "Two records are not joined by a Bundle."
        raise Refused("AE", 204, "merge-not-agreed", f"{entry.path}.link", text)
    if tree.get("active") is False:
        text = "The sender's own record of this person is not in use any more."
        raise Refused("AE", 204, "identity-unclear", f"{entry.path}.active", text)
    require_believable(tree, entry.path, setting.latest)
    nhs_number, local = _numbers(entry, setting)
    kept = {name: tree[name] for name in _KEPT if name in tree}
    kept = {"resourceType": "Patient", **rewritten(kept, entry, setting.rewriting)}
    if nhs_number is not None:
        kept["identifier"] = [_with_digits(one, nhs_number) for one in kept["identifier"]]
    restricted = _is_restricted(tree)
    if restricted:
        kept["meta"] = {"security": [dict(RESTRICTED)]}
    family, given = _called(tree)
    return PersonNamed(
        tree=kept,
        nhs_number=nhs_number,
        identifiers=local,
        family=family,
        given=given,
        birth_date=tree.get("birthDate", ""),
        gender=tree.get("gender", ""),
        deceased=True if "deceasedDateTime" in tree else tree.get("deceasedBoolean"),
        restricted=restricted or None,
        identity_unknown=False,
    )


def _numbers(
    entry: Entry, setting: Setting
) -> tuple[NhsNumber | None, tuple[tuple[str, str], ...]]:
    """Return the NHS number, and the other identifiers with who gave them."""
    nhs_number: NhsNumber | None = None
    local: dict[tuple[str, str], None] = {}
    identifiers = entry.tree.get("identifier", [])
    for number, one in enumerate(identifiers):
        where = f"{entry.path}.identifier[{number}].value"
        value = one.get("value", "")
        if _is_nhs_number(one):
            parsed = _nhs_number(value, where)
            if nhs_number is not None and parsed != nhs_number:
                raise _unclear(where, "The Patient has two NHS numbers.")
            nhs_number = parsed
            continue
        authority = _authority(one, setting)
        if authority and value and one.get("use") != "old":
            local[authority, value] = None
        elif value and not authority:
            setting.rewriting.flags.append(Flag("identifier-unplaced", where))
    if nhs_number is None and not local:
        where = f"{entry.path}.identifier"
        if identifiers:
            raise _unclear(where, "No identifier says who gave it.")
        text = "The Patient has no identifier."
        raise Refused("AE", 101, "identity-missing", where, text)
    return nhs_number, tuple(local)


def _is_nhs_number(identifier: Tree) -> bool:
    types = {one.get("code") for one in identifier.get("type", {}).get("coding", ())}
    return identifier.get("system") == NHS_NUMBER or (
        "system" not in identifier and not types.isdisjoint(_NHS_TYPES)
    )


def _nhs_number(value: str, where: str) -> NhsNumber:
    if not value.strip("0 -"):
        raise _unclear(where, "This is nobody's NHS number.")
    parsed = NhsNumber.parse(value)
    if parsed is None:
        text = "The NHS number fails its check digit."
        raise Refused("AE", 102, "nhs-number-bad", where, text)
    return parsed


def _unclear(where: str, text: str) -> Refused:
    return Refused("AE", 204, "identity-unclear", where, text)


def _authority(identifier: Tree, setting: Setting) -> str:
    """Return who gave a local number, by the name that the feed has for them in HL7 v2."""
    system = identifier.get("system", "")
    agreed = (name for name, uri in setting.dialect.identifier_systems.items() if uri == system)
    assigner = identifier.get("assigner", {})
    named = assigner.get("identifier", {}).get("value") or assigner.get("display", "")
    return next(agreed, "") or system or str(named)


def _with_digits(identifier: Tree, number: NhsNumber) -> Tree:
    if not _is_nhs_number(identifier):
        return identifier
    return {**identifier, "system": NHS_NUMBER, "value": number.digits}


def _is_restricted(tree: Tree) -> bool:
    labels = tree.get("meta", {}).get("security", ())
    return any(label.get("code") in {"R", "V"} for label in labels)


def _called(tree: Tree) -> tuple[str, str]:
    """Return family and first given name: of the official name, else the usual, else the first."""
    names = tree.get("name", [])
    order = ("official", "usual", None)
    best: Tree = min(
        names,
        key=lambda name: order.index(name.get("use")) if name.get("use") in order else len(order),
        default={},
    )
    return best.get("family", ""), next(iter(best.get("given", ())), "")
