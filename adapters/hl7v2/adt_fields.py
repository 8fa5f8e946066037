"""ADT as data: what each event does to a person's details, and where each field goes.

Read by the converter, by whoever changes a stored Patient, and by the documentation. Source: HL7
v2.8 chapter 3; the sheets PID[Patient], PD1[Patient] and NK1[Patient] of the "Version 2 to FHIR"
guide; HL7 UK A.3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.pid_to_patient import ETHNIC_CATEGORY

_HSD = "http://hl7.org/fhir/StructureDefinition"


class Effect(StrEnum):
    """What an event does to the details of the person whom it names."""

    CREATES = "creates"
    """They are changed, and kept for somebody new here."""
    UPDATES = "updates"
    """They are changed for somebody known; nobody new is kept."""
    CANCELS = "cancels"
    """Something did not happen after all; who the person is stays as it was."""


@dataclass(frozen=True, slots=True)
class Event:
    """A trigger event: what it means, and what it does."""

    means: str
    effect: Effect


EVENTS: Mapping[str, Event] = MappingProxyType(
    {
        "A01": Event("admission", Effect.CREATES),
        "A02": Event("transfer", Effect.UPDATES),
        "A03": Event("discharge", Effect.UPDATES),
        "A04": Event("registration of a visit", Effect.CREATES),
        "A05": Event("pre-admission", Effect.CREATES),
        "A06": Event("outpatient becomes inpatient", Effect.UPDATES),
        "A07": Event("inpatient becomes outpatient", Effect.UPDATES),
        "A08": Event("change of details, during a visit", Effect.CREATES),
        "A11": Event("admission cancelled", Effect.CANCELS),
        "A12": Event("transfer cancelled", Effect.CANCELS),
        "A13": Event("discharge cancelled", Effect.CANCELS),
        "A28": Event("somebody new", Effect.CREATES),
        "A31": Event("change of details", Effect.CREATES),
    }
)
"""Trigger event (table 0003) to what it does."""


def _always(_: Tree) -> bool:
    return True


def _one_slot(_: Tree) -> str:
    return ""


def _is_alias(name: Tree) -> bool:
    return name.get("use") in {"maiden", "old"}


def _is_name(name: Tree) -> bool:
    return not _is_alias(name)


def _is_at_work(telecom: Tree) -> bool:
    return telecom.get("use") == "work"


def _is_private(telecom: Tree) -> bool:
    return not _is_at_work(telecom)


def _is_practice(reference: Tree) -> bool:
    return str(reference.get("reference", "")).startswith("Organization/")


def _is_doctor(reference: Tree) -> bool:
    return not _is_practice(reference)


def _kind(telecom: Tree) -> str:
    return f"{telecom.get('system')} {telecom.get('use')}"


@dataclass(frozen=True, slots=True)
class Element:
    """A part of Patient and the fields that speak of it.

    *name* is the element (`telecom`; `extension` with its *url*). *holds* tells which entries of
    it come from these fields. What a message says of an entry's *slot* takes the place of what
    was known of it: a new home number leaves the mobile's.
    """

    name: str
    fields: tuple[str, ...]
    holds: Callable[[Tree], bool] = _always
    slot: Callable[[Tree], str] = _one_slot
    url: str = ""


ELEMENTS: tuple[Element, ...] = (
    Element("name", ("PID-5",), _is_name),
    Element("name", ("PID-9",), _is_alias),
    Element("gender", ("PID-8",)),
    Element("address", ("PID-11", "PID-12")),
    Element("telecom", ("PID-13", "PID-40"), _is_private, _kind),
    Element("telecom", ("PID-14",), _is_at_work, _kind),
    Element("communication", ("PID-15",)),
    Element("maritalStatus", ("PID-16",)),
    Element("multipleBirthBoolean", ("PID-24",)),
    Element("multipleBirthInteger", ("PID-25",)),
    Element("contact", ("NK1-2", "NK1-4", "NK1-5", "NK1-6", "NK1-13", "NK1-40")),
    Element("generalPractitioner", ("PD1-3",), _is_practice),
    Element("generalPractitioner", ("PD1-4",), _is_doctor),
    Element("extension", ("PID-6",), url=f"{_HSD}/patient-mothersMaidenName"),
    Element("extension", ("PID-17",), url=f"{_HSD}/patient-religion"),
    Element("extension", ("PID-22",), url=ETHNIC_CATEGORY),
    Element("extension", ("PID-23",), url=f"{_HSD}/patient-birthPlace"),
    Element("extension", ("PID-26", "PID-39"), url=f"{_HSD}/patient-citizenship"),
    Element("extension", ("PID-28",), url=f"{_HSD}/patient-nationality"),
    Element("extension", ("PD1-6",), url=f"{_HSD}/patient-disability"),
    Element("extension", ("PD1-14",), url=f"{_HSD}/patient-congregation"),
)
"""What a feed with the right to it changes in a Patient whom the portal knows."""

BY_RULE: Mapping[str, str] = MappingProxyType(
    {
        "PID-2": "identifier: added, never taken away",
        "PID-3": "identifier: added, never taken away; who is meant is found by it",
        "PID-4": "identifier: added, never taken away",
        "PID-7": "birthDate: filled in where it is not known; another one waits for a person",
        "PID-19": "identifier: added, never taken away; an NHS number where the feed says so",
        "PID-20": "identifier: added, never taken away",
        "PID-29": "deceasedDateTime: nobody comes back to life by a message",
        "PID-30": "deceasedBoolean, where no date is known; N never undoes a death",
        "PID-31": "somebody whom the sender does not know is not filed",
        "PID-32": "identifier: how the NHS number was traced",
        "PID-33": "Provenance.occurred, where EVN-6 is empty",
        "PID-34": "Provenance.agent",
        "PD1-12": "meta.security: R where the person's details are protected",
        "EVN-2": "Provenance.recorded; what is older than what stands is not applied",
        "EVN-4": "Provenance.reason",
        "EVN-5": "Provenance.agent",
        "EVN-6": "Provenance.occurred",
        "EVN-7": "Provenance.location",
        "ROL-4": "generalPractitioner, of a role PP or FHCP (table 0443)",
    }
)
"""Fields that a rule of their own decides on: what becomes of them."""

KEPT_RAW: Mapping[str, str] = MappingProxyType(
    {
        "PV1": "a visit is not kept",
        "PV2": "a visit is not kept",
        "OBX": "what a ward observed is no result of a laboratory",
        "AL1": "allergies are no part of this record",
        "IAM": "allergies are no part of this record",
        "DG1": "a diagnosis is told by people, not shown from an admission",
        "DRG": "grouping for payment is no matter of care",
        "PR1": "procedures are no part of this record",
        "ROL": "a part in the visit, not that of a general practitioner",
        "GT1": "who pays is no matter of care",
        "IN1": "who pays is no matter of care",
        "IN2": "who pays is no matter of care",
        "IN3": "who pays is no matter of care",
        "ACC": "an accident is no part of this record",
        "UB1": "who pays is no matter of care",
        "UB2": "who pays is no matter of care",
        "DB1": "disabilities are told in PD1-6",
        "PDA": "a death is told in PID-29 and PID-30",
        "SFT": "about the sending software",
        "UAC": "about the sending software",
        "NTE": "a comment about a person, for staff only",
    }
)
"""Segments that become nothing, each with the reason; any other is `not mapped`."""
