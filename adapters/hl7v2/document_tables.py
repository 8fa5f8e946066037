"""HL7 v2 tables of chapter 9 (documents) as FHIR codes, and what each event does to a document.

Each table is data: a v2 code on the left, its meaning here on the right. A code that is not in a
table has no meaning here. Sources: HL7 v2.8.2 chapter 9 and chapter 2C; the sheet TXA of the HL7
"Version 2 to FHIR" guide, with its gaps decided by us.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from adapters.hl7v2.code_tables import THO

Relation = Literal["", "replaces", "appends"]


@dataclass(frozen=True, slots=True)
class DocumentEvent:
    """What a trigger event says of the document in TXA-12.

    *with_content*: its text or file comes along, and has to. *relation*: what the document is to
    its parent (TXA-13). *cancels*: it should never have been sent.
    """

    with_content: bool
    relation: Relation = ""
    cancels: bool = False


DOCUMENT_EVENTS: Mapping[str, DocumentEvent] = {
    "T01": DocumentEvent(with_content=False),
    "T02": DocumentEvent(with_content=True),
    "T03": DocumentEvent(with_content=False),
    "T04": DocumentEvent(with_content=True),
    "T05": DocumentEvent(with_content=False, relation="appends"),
    "T06": DocumentEvent(with_content=True, relation="appends"),
    "T07": DocumentEvent(with_content=False),
    "T08": DocumentEvent(with_content=True),
    "T09": DocumentEvent(with_content=False, relation="replaces"),
    "T10": DocumentEvent(with_content=True, relation="replaces"),
    "T11": DocumentEvent(with_content=False, cancels=True),
}
"""MSH-9.2 of an MDM: original (T01, T02), change of status (T03, T04), addendum (T05, T06), edit
(T07, T08), replacement (T09, T10), cancellation (T11); the odd ones announce, the even bring it."""

COMPLETION: Mapping[str, str] = {
    "AU": "final",
    "DI": "preliminary",
    "DO": "preliminary",
    "IN": "preliminary",
    "IP": "preliminary",
    "LA": "final",
    "PA": "preliminary",
}
"""TXA-17, table 0271, to DocumentReference.docStatus: final once somebody has authenticated it."""

AVAILABILITY: Mapping[str, str] = {
    "AV": "current",
    "CA": "entered-in-error",
    "OB": "superseded",
    "UN": "current",
}
"""TXA-19, table 0273, to DocumentReference.status."""

AVAILABLE = frozenset({"AV"})
"""TXA-19 of what may be used in care; anything else is not for the patient either."""

CONFIDENTIALITY: Mapping[str, tuple[str, str]] = {
    "R": (f"{THO}/v3-Confidentiality", "R"),
    "U": (f"{THO}/v2-0272", "U"),
    "V": (f"{THO}/v3-Confidentiality", "V"),
}
"""TXA-18, table 0272, to a security label; U asks for no more care than usual."""

SENSITIVE_TYPES = frozenset({"AR", "PC", "PH"})
"""TXA-2, table 0270: autopsy, psychiatric consultation and history. A clinician opens them."""

PATHOLOGY_TYPES = frozenset({"SP"})
"""TXA-2, table 0270: surgical pathology, which may bring a diagnosis."""

IMAGING_TYPES = frozenset({"DI"})
"""TXA-2, table 0270: diagnostic imaging."""
