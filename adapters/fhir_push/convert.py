"""A Bundle to what is filed of it: the same as of a message of results in HL7 v2, by one rule each.

Pure, and never a guess. Every entry is accounted for: filed, or kept with the message and flagged;
a Bundle is never converted in part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapters.fhir_push.bundle import Entry, Head
from adapters.fhir_push.dates import require_believable, start_of
from adapters.fhir_push.directory import directory_of, keys_of
from adapters.fhir_push.person import person_of, the_patient
from adapters.fhir_push.references import Rewriting, indexed
from adapters.fhir_push.reports import Plan, group_of, planned
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.conversion import PATIENT, Conversion, Flag, Key
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.refusal import Refused

Tree = dict[str, Any]

_TOMORROW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a feed says of its Bundles: its dialect, its organisation, and what that is called."""

    dialect: Dialect
    authority: str
    sender: str


@dataclass(frozen=True, slots=True)
class Converted:
    """What a Bundle became, and the key of what each entry is filed as, by its number."""

    content: Conversion
    keys: Mapping[int, Key]


def convert(
    entries: Sequence[Entry],
    head: Head,
    timestamp: str,
    agreed: Agreement,
    received_at: datetime | None = None,
) -> Converted:
    """Return what the judged *entries* become; *timestamp* is Bundle.timestamp, "" for none.

    *received_at* (aware) bounds what dates are believed. Raises Refused with a stable code and the
    FHIRPath of the culprit: for an identity that is missing, broken or unclear, a report without a
    number, a status or a time, a result that no report names, a reference that leads elsewhere.
    """
    setting = _setting(entries, head, timestamp, agreed, received_at)
    patient = the_patient(setting)
    shared: dict[int, Key] = {
        patient.number: PATIENT,
        **keys_of(list(entries), setting.rewriting.index, agreed.authority),
    }
    setting = replace(setting, rewriting=replace(setting.rewriting, keys=shared))
    person = person_of(patient, setting)
    plans = _plans(setting)
    keys = dict(shared)
    for plan in reversed(plans):
        keys |= plan.keys()
    groups = tuple(group_of(plan, setting, keys) for plan in plans)
    organizations, practitioners = directory_of(setting)
    _flag_kept(setting, keys)
    conversion = Conversion(
        person=person,
        groups=groups,
        practitioners=practitioners,
        organizations=organizations,
        flags=tuple(dict.fromkeys(setting.rewriting.flags)),
        accounted={entry.number: _fate(entry, keys) for entry in entries},
        places=_places(patient, plans),
    )
    return Converted(conversion, keys)


def _setting(
    entries: Sequence[Entry],
    head: Head,
    timestamp: str,
    agreed: Agreement,
    received_at: datetime | None,
) -> Setting:
    latest = received_at + _TOMORROW if received_at is not None else None
    require_believable({"issued": timestamp} if timestamp else {}, "Bundle", latest)
    return Setting(
        head=head,
        entries=entries,
        rewriting=Rewriting(indexed(entries), {}),
        dialect=agreed.dialect,
        authority=agreed.authority,
        sender=agreed.sender,
        sent_text=timestamp,
        sent_at=start_of(timestamp) if timestamp else None,
        received_at=received_at,
        latest=latest,
    )


def _plans(setting: Setting) -> list[Plan]:
    """Return the plans of all reports; raises Refused where a result belongs to none of them."""
    reports = setting.entries_of("DiagnosticReport")
    if not reports:
        text = "The Bundle holds no DiagnosticReport: nothing says what its results belong to."
        raise Refused("AE", 100, "message-empty", "Bundle.entry", text)
    taken: set[Key] = set()
    placed: dict[int, Key] = {}
    plans = [planned(report, setting, taken, placed) for report in reports]
    for entry in setting.entries_of("Observation"):
        if entry.number not in placed:
            text = "No report names this result, and no group of results that a report names."
            raise Refused("AE", 100, "entry-unplaced", entry.path, text)
    return plans


def _flag_kept(setting: Setting, keys: Mapping[int, Key]) -> None:
    for entry in setting.entries:
        if entry.number not in keys and entry.type != "MessageHeader":
            setting.rewriting.flags.append(Flag("entry-kept", entry.path))


def _fate(entry: Entry, keys: Mapping[int, Key]) -> str:
    if entry.type == "MessageHeader":
        return "filed in Provenance"
    if entry.number in keys:
        return f"filed as {entry.type}"
    return "kept raw: it is of no use by itself"


def _places(patient: Entry, plans: Sequence[Plan]) -> Mapping[str, str]:
    """Return where the Bundle has what filing calls by an address of HL7 v2."""
    one = plans[0].report.path if len(plans) == 1 else ""
    report = one or "Bundle.entry.resource.ofType(DiagnosticReport)"
    return {
        "PID.3": f"{patient.path}.identifier",
        "PID.5": f"{patient.path}.name",
        "PID.7": f"{patient.path}.birthDate",
        "PID.8": f"{patient.path}.gender",
        "OBR.2": f"{report}.basedOn",
        "OBR.3": f"{report}.identifier",
        "OBR.22": f"{report}.issued",
        "OBR.25": f"{report}.status",
        "OBX.11": "Bundle.entry.resource.ofType(Observation).status",
    }
