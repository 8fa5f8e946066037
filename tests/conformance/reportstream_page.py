"""The part of the conformance page about the outputs that CDC's ReportStream publishes.

The messages and Bundles are not in the project. What was counted when they were there stands in
`reportstream_figures.json`; a test counts anew wherever they are.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fhir_server.model import json
from tests.conformance.reportstream import CLINICAL, NAMED, Tally, agreement
from tests.conformance.reportstream_pairs import pairs
from tests.conformance.reportstream_theirs import ID, OWN

FIGURES = Path(__file__).with_name("reportstream_figures.json")
Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]

NOT_MADE: Mapping[str, str] = {
    "Provenance": "one of ours stands for their three, in another form; not compared",
    "MessageHeader": "the inbox keeps the message with its header",
    "Encounter": "too little is said of a visit; reports name it by its number",
    "EpisodeOfCare": "too little is said of a visit",
    "Location": "places are words: of an appointment, of who works where",
    "RelatedPerson": "a next of kin is a contact of the patient",
    "Coverage": "insurance is no matter of care here",
    "Organization": "whom only a kind named here names: senders, receivers, authorities, employers",
    "Practitioner": "whom only a kind named here names: of a visit, of an order's Provenance",
    "PractitionerRole": "whom only a kind named here names",
    "Device": "whom only a kind named here names: a sender's software, a participant",
    "ServiceRequest": "what their messages name and their Bundles lack",
}
"""Kinds of resource that are not compared, or not everywhere, with the reason."""

_NO_DATE = "a date alone (OBR-7) makes no specimen: a scan has one; it is the report's date"
_ORDER = "an order holds nothing that tells what somebody suspects, and no collection to come"
_ONE = "one number is one person: several in one message share the number 1"
_NAMELESS = "a telephone without an organisation's name or id belongs to whoever asked"
_RATIO = "the comparator is a quotation mark: the value is kept as words"
_SPM = "of two accounts of a specimen SPM counts, and OBR fills the gaps"

DECIDED: Mapping[str, str] = {
    "DiagnosticReport.result.reference": "an answer to a question (OBX-29 QST) is no result",
    "DiagnosticReport.specimen.reference": f"{_NO_DATE}; {_SPM}",
    "Observation.resourceType": _ORDER,
    "Observation.status": _ORDER,
    "Observation.subject.reference": _ORDER,
    "Observation.valueCodeableConcept.coding.display": _ORDER,
    "Observation.valueRatio.denominator.unit": _RATIO,
    "Observation.valueRatio.denominator.value": _RATIO,
    "Observation.valueRatio.numerator.unit": _RATIO,
    "Observation.valueRatio.numerator.value": _RATIO,
    "Organization.identifier.extension(identifier-checkDigit).valueString": _ONE,
    "Organization.name": _ONE,
    "Organization.telecom._system.extension(data-absent-reason).valueCode": "what kind of number "
    "it is, its form tells",
    "Organization.telecom.extension(contactpoint-area).valueString": _NAMELESS,
    "Organization.telecom.extension(contactpoint-country).valueString": _NAMELESS,
    "Organization.telecom.extension(contactpoint-local).valueString": _NAMELESS,
    "Organization.telecom.system": _NAMELESS,
    "Organization.telecom.use": _NAMELESS,
    "Organization.telecom.value": _NAMELESS,
    "Patient.contact.period.end": "a contact without a name or number is nobody",
    "Patient.contact.period.start": "a contact without a name or number is nobody",
    "Patient.extension(patient-congregation).valueString": "the extension may stand once",
    "Practitioner.name._family.extension(humanname-own-name).valueString": _ONE,
    "Practitioner.name.family": f"{_ONE}; a name that was not split is text",
    "Practitioner.name.given": _ONE,
    "PractitionerRole.organization.reference": f"{_NAMELESS}; {_ONE}",
    "ServiceRequest.requester.reference": "an address to call, which is no telephone, makes a role",
    "ServiceRequest.supportingInfo.reference": _ORDER,
    "Specimen.collection.bodySite.coding.display": _ORDER,
    "Specimen.collection.collectedDateTime": _NO_DATE,
    "Specimen.collection.collectedPeriod.end": f"{_NO_DATE}; {_ORDER}",
    "Specimen.collection.collectedPeriod.start": f"{_NO_DATE}; {_ORDER}",
    "Specimen.identifier.type.coding.code": _ORDER,
    "Specimen.identifier.type.coding.system": _ORDER,
    "Specimen.note.text": f"a code is no part of a comment; {_SPM}",
    "Specimen.resourceType": f"{_NO_DATE}; {_SPM}",
}
"""What we make otherwise, by element, with the reason."""


def figures() -> dict[str, Any]:
    """Return what was counted last."""
    found: dict[str, Any] = json.decode(FIGURES.read_bytes())
    return found


def counted() -> dict[str, Any]:
    """Return what is counted now."""
    return _plain(agreement())


def _plain(tally: Tally) -> dict[str, Any]:
    alike: Counter[str] = Counter()
    for path, number in tally.alike.items():
        alike[path.partition(".")[0]] += number
    return {
        "messages": tally.messages,
        "refused": dict(sorted(tally.refused.items())),
        "extensions": tally.extensions,
        "elsewhere": dict(sorted(tally.elsewhere.items())),
        "own": dict(sorted(tally.own.items())),
        "alike": dict(sorted(alike.items())),
        "otherwise": dict(sorted(tally.otherwise.items())),
    }


def share(told: Mapping[str, Any], *, also: Iterable[str] = ()) -> float:
    """Return the share of elements alike; *also* are keys of OWN that count as differences."""
    alike = sum(told["alike"].values())
    other = sum(told["otherwise"].values()) + sum(told["own"].get(name, 0) for name in also)
    return float(alike / (alike + other))


def section(table: Table) -> str:
    """Return the part of the page."""
    told = figures()
    raw = share(told, also=set(OWN) - {ID})
    kinds = [
        (kind, str(told["alike"].get(kind, 0)), str(_of(kind, told["otherwise"])))
        for kind in (*CLINICAL, *NAMED)
    ]
    elsewhere = sorted(told["elsewhere"].items(), key=lambda one: (-one[1], one[0]))
    owned = sorted(told["own"].items(), key=lambda one: (-one[1], one[0]))
    others = sorted(told["otherwise"].items(), key=lambda one: (-one[1], one[0]))
    refused = ", ".join(f"`{name}`" for name in told["refused"])
    return f"""## Beside published outputs

CDC's ReportStream publishes a message and its Bundle for each datatype and segment of the guide;
{told["messages"]} of them were at hand. Many hold one field and lack what any result must have
(whose it is, an order's number, a status): that is filled in first. Of these
{sum(told["refused"].values())} are set aside all the same, as they must be: {refused}.

Compared is every element that a Bundle holds of a patient, report, result, request or specimen, and
of whomever these name, outside extensions that only CDC knows ({told["extensions"]} elements).
**{raw:.1%}** are alike. Without what else is ReportStream's own, **{share(told):.1%}** are.

{table(("kind", "alike", "otherwise"), kinds)}
What is ReportStream's own. All is found by rule, and never by what is made here, but for what the
guide speaks against: that is counted where it differs.

{table(("elements", "what"), ((str(n), OWN[name]) for name, n in owned))}
What is not compared, because the portal makes no such resource of a result, or names these people
elsewhere:

{table(("elements", "kind", "why"), ((str(n), kind, NOT_MADE[kind]) for kind, n in elsewhere))}
What is made otherwise:

{table(("elements", "which", "why"), ((str(n), f"`{name}`", DECIDED[name]) for name, n in others))}
"""


def _of(kind: str, counts: Mapping[str, int]) -> int:
    return sum(number for path, number in counts.items() if path.startswith(f"{kind}."))


def main(write: Callable[[bytes], int] = FIGURES.write_bytes) -> None:
    """Count anew and write what was counted, where the messages are at hand."""
    if pairs():
        write(json.encode(counted()) + b"\n")
