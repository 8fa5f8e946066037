"""Which code system a sender means by the third component of a coded element.

HL7 v2 table 0396 names code systems by short names; FHIR by URIs. A name that is in no table is
the sender's own, and gets a URI of the sender's, so that two hospitals' local codes never mix.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from adapters.hl7v2.code_tables import THO

LOINC = "http://loinc.org"
SNOMED_CT = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"

STANDARD = frozenset({LOINC, SNOMED_CT})
"""The systems in which a test is known to everybody; a code in no other is a local one."""

SYSTEMS: Mapping[str, str] = {
    "LN": LOINC,
    "LOINC": LOINC,
    "SCT": SNOMED_CT,
    "SNM": SNOMED_CT,
    "SNM3": SNOMED_CT,
    "SNOMED": SNOMED_CT,
    "SNOMED-CT": SNOMED_CT,
    "UCUM": UCUM,
    "CDCREC": "urn:oid:2.16.840.1.113883.6.238",
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "DMD": "https://dmd.nhs.uk",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
    "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "OPCS4": "https://fhir.hl7.org.uk/CodeSystem/OPCS-4",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
}
"""Table 0396 names, in capitals, to the URIs of https://hl7.org/fhir/R4/terminologies-systems.html."""

_LOCAL_CODES = "urn:portal-fhir:codes"
_HL7_TABLE = re.compile(r"HL7-?(\d{4})")


def sender_base(authority: str) -> str:
    """Return the URI of the local codes of a sender (MSH-4) with whom no other is agreed."""
    return f"{_LOCAL_CODES}:{quote(authority)}" if authority else ""


def system_uri(name: str, local_base: str) -> str:
    """Return the URI of the code system that a sender calls *name*.

    An empty name, `L`, `99xxx` or any unknown one is local: a URI below *local_base*. Empty only
    where *local_base* is empty too.
    """
    known = SYSTEMS.get(name) or SYSTEMS.get(name.upper())
    if known:
        return known
    table = _HL7_TABLE.fullmatch(name.upper())
    if table:
        return f"{THO}/v2-{table[1]}"
    if not local_base:
        return ""
    return f"{local_base}:{quote(name, safe='-._')}" if name and name != "L" else local_base
