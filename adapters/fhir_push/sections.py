"""Which department a report is of, as its category says: what the release policy asks about it."""

from dataclasses import dataclass
from typing import Any

from adapters.hl7v2.code_tables import HISTOLOGY_SECTIONS, IMAGING_SECTIONS, THO
from adapters.hl7v2.dialect import Dialect

Tree = dict[str, Any]

_SNOMED_CT = "http://snomed.info/sct"
_HISTOLOGY = frozenset({"394597005"})
"""SNOMED CT: histopathology."""
_IMAGING = frozenset({"394914008"})
"""SNOMED CT: radiology."""


@dataclass(frozen=True, slots=True)
class Section:
    """A department, by its code of HL7 v2 table 0074 where it has one but LAB."""

    code: str
    is_histology: bool
    is_imaging: bool


def section_of(tree: Tree, dialect: Dialect) -> Section:
    """Return the section of a DiagnosticReport, by its categories and the feed's list of tests."""
    coded = [
        (coding.get("system", ""), coding.get("code", ""))
        for concept in tree.get("category", ())
        for coding in concept.get("coding", ())
    ]
    sections = [code.upper() for system, code in coded if system.endswith("/v2-0074")]
    tests = {coding.get("code", "") for coding in tree["code"].get("coding", ())}
    specialties = {code for system, code in coded if system == _SNOMED_CT}
    is_imaging = (f"{THO}/observation-category", "imaging") in coded
    return Section(
        code=next((code for code in sections if code != "LAB"), ""),
        is_histology=bool(
            not HISTOLOGY_SECTIONS.isdisjoint(sections)
            or specialties & _HISTOLOGY
            or tests & dialect.histology_tests
        ),
        is_imaging=bool(
            is_imaging or not IMAGING_SECTIONS.isdisjoint(sections) or specialties & _IMAGING
        ),
    )
