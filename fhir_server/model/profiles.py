"""UK Core: which profiles a resource may say that it follows, as their rules hold.

A profile is named in `meta.profile` only where its rules hold for the resource; one of these that
a client names and that does not hold is taken away. Rules on what is referred to are those of the
resource referred to. Versions of the rules: Patient 2.6, Observation-Lab 2.0, Observation-Group-Lab
2.0, DiagnosticReport-Lab 1.0, Specimen 2.3, of https://simplifier.net/hl7fhirukcorer4.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fhir_server.model.identifiers import NHS_NUMBER

Tree = dict[str, Any]

_UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition"
_VERIFICATION = f"{_UK_CORE}/Extension-UKCore-NHSNumberVerificationStatus"
_ETHNIC = f"{_UK_CORE}/Extension-UKCore-EthnicCategory"
_THO = "http://terminology.hl7.org/CodeSystem"
_LABORATORY = (f"{_THO}/observation-category", "laboratory")
_LAB = (f"{_THO}/v2-0074", "LAB")


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile's address, and whether its rules hold for a valid resource of its type."""

    url: str
    holds: Callable[[Tree], bool]


def _is_patient(tree: Tree) -> bool:
    """At most one NHS number, which says how it was traced; an ethnic category that is known."""
    numbers = [one for one in tree.get("identifier", ()) if one.get("system") == NHS_NUMBER]
    ethnic = [one for one in tree.get("extension", ()) if one["url"] == _ETHNIC]
    traced = (
        any(_is_coded(one, _VERIFICATION) for one in number.get("extension", ()))
        for number in numbers
    )
    return len(numbers) <= 1 and all(traced) and all(_is_coded(one, _ETHNIC) for one in ethnic)


def _is_coded(extension: Tree, url: str) -> bool:
    """Tell whether *extension* is that of *url*, with a code of the system of its name.

    Each nation has a system of its own, of which the name goes on: `…StatusEngland`.
    """
    system = url.replace("/StructureDefinition/Extension-", "/CodeSystem/")
    codings = extension.get("valueCodeableConcept", {}).get("coding", ())
    return extension["url"] == url and any(
        one.get("system", "").startswith(system) and "code" in one for one in codings
    )


def _is_laboratory_result(tree: Tree) -> bool:
    """One laboratory category, a patient, and a value, a reason for none, or a note."""
    return (
        "hasMember" not in tree
        and _in_category(tree, _LABORATORY)
        and _is_of_patient(tree)
        and ("dataAbsentReason" in tree or "note" in tree or _has_value(tree))
    )


def _is_group_of_results(tree: Tree) -> bool:
    """One laboratory category, a patient, members, and no value of its own."""
    return (
        "hasMember" in tree
        and not _has_value(tree)
        and _in_category(tree, _LABORATORY)
        and _is_of_patient(tree)
    )


def _is_laboratory_report(tree: Tree) -> bool:
    """One category LAB, a patient, and a time of issue."""
    return _in_category(tree, _LAB) and _is_of_patient(tree) and "issued" in tree


def _is_specimen(tree: Tree) -> bool:
    """From a patient."""
    return _is_of_patient(tree)


def _in_category(tree: Tree, wanted: tuple[str, str]) -> bool:
    """Tell whether exactly one category has the code *wanted*, in its system, and no other."""
    found: Sequence[Tree] = ()
    for category in tree.get("category", ()):
        for coding in category.get("coding", ()):
            if coding.get("code") == wanted[1]:
                if found:
                    return False
                found = category["coding"]
                break
    for coding in found:
        if (coding.get("system"), coding.get("code")) != wanted:
            return False
    return bool(found)


def _is_of_patient(tree: Tree) -> bool:
    return str(tree.get("subject", {}).get("reference", "")).startswith("Patient/")


def _has_value(tree: Tree) -> bool:
    return any(name.startswith("value") for name in tree)


PROFILES: Mapping[str, tuple[Profile, ...]] = MappingProxyType(
    {
        "Patient": (Profile(f"{_UK_CORE}/UKCore-Patient", _is_patient),),
        "Observation": (
            Profile(f"{_UK_CORE}/UKCore-Observation-Lab", _is_laboratory_result),
            Profile(f"{_UK_CORE}/UKCore-Observation-Group-Lab", _is_group_of_results),
        ),
        "DiagnosticReport": (
            Profile(f"{_UK_CORE}/UKCore-DiagnosticReport-Lab", _is_laboratory_report),
        ),
        "Specimen": (Profile(f"{_UK_CORE}/UKCore-Specimen", _is_specimen),),
    }
)
"""What is claimed for each type of resource, where it holds."""


def claimed(tree: Tree) -> dict[str, list[str]]:
    """Return the `profile` of the resource's meta: what it names, and of ours what holds.

    Empty where that is nothing.
    """
    known = PROFILES.get(tree["resourceType"], ())
    sent = tree.get("meta", {}).get("profile", ())
    if not known and not sent:
        return {}
    ours = {profile.url for profile in known}
    kept = [url for url in sent if url.partition("|")[0] not in ours]
    kept += [profile.url for profile in known if profile.holds(tree)]
    return {"profile": kept} if kept else {}
