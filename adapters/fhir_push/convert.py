"""A Bundle to what is filed of it: the same as of a message of results, or of orders, in HL7 v2.

Pure, and never a guess. Every entry is accounted for: filed, or kept with the message and flagged;
a Bundle is never converted in part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapters.fhir_push import compositions
from adapters.fhir_push.bundle import Entry, Head
from adapters.fhir_push.dates import require_believable, start_of
from adapters.fhir_push.directory import directory_of, keys_of
from adapters.fhir_push.orders import order_keys, orders_of
from adapters.fhir_push.person import person_of, the_patient
from adapters.fhir_push.references import Rewriting, indexed
from adapters.fhir_push.reports import Plan, group_of, planned
from adapters.fhir_push.rules import HEADS
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.conversion import PATIENT, Conversion, Flag, Key, PersonNamed
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.orders import Orders
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

    content: Conversion | Orders
    keys: Mapping[int, Key]


def convert(
    entries: Sequence[Entry],
    head: Head,
    timestamp: str,
    agreed: Agreement,
    received_at: datetime | None = None,
) -> Converted:
    """Return what the judged *entries* become; *timestamp* is Bundle.timestamp, "" for none.

    Results where there is a report, else orders. *received_at* (aware) bounds what dates are
    believed. Raises Refused with a stable code and the FHIRPath of the culprit: for an identity
    that is missing, broken or unclear, a report or request without a number, a status or a time, a
    result that no report names, a reference that leads elsewhere, a document that contradicts what
    it holds.
    """
    setting = _setting(entries, head, timestamp, agreed, received_at)
    patient = the_patient(setting)
    shared: dict[int, Key] = {
        patient.number: PATIENT,
        **keys_of(list(entries), setting.rewriting.index, agreed.authority),
    }
    setting = replace(setting, rewriting=replace(setting.rewriting, keys=shared))
    person = person_of(patient, setting)
    compositions.require_agreeing(setting)
    if setting.entries_of("DiagnosticReport"):
        return _results(setting, patient, person)
    return _orders(setting, patient, person)


def _results(setting: Setting, patient: Entry, person: PersonNamed) -> Converted:
    plans = _plans(setting)
    keys = dict(setting.rewriting.keys)
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
        accounted={entry.number: _fate(entry, keys) for entry in setting.entries},
        places=_places(patient, [plan.report for plan in plans], "basedOn"),
    )
    return Converted(conversion, keys)


def _orders(setting: Setting, patient: Entry, person: PersonNamed) -> Converted:
    """Return the requests of a Bundle without a report; raises Refused where it has results."""
    requests = setting.entries_of("ServiceRequest")
    if not requests or setting.entries_of("Observation"):
        text = "The Bundle holds no DiagnosticReport: nothing says what its results belong to."
        raise Refused("AE", 100, "message-empty", "Bundle.entry", text)
    keys = {**setting.rewriting.keys, **order_keys(setting)}
    groups = orders_of(setting, keys)
    organizations, practitioners = directory_of(setting)
    _flag_kept(setting, keys)
    orders = Orders(
        person=person,
        groups=groups,
        practitioners=practitioners,
        organizations=organizations,
        flags=tuple(dict.fromkeys(setting.rewriting.flags)),
        accounted={entry.number: _fate(entry, keys) for entry in setting.entries},
        places=_places(patient, requests, "identifier"),
    )
    return Converted(orders, keys)


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
        is_told = entry.number in keys or entry.type in HEADS
        if not is_told or compositions.tells_more(entry, setting.rewriting.index):
            setting.rewriting.flags.append(Flag("entry-kept", entry.path))


def _fate(entry: Entry, keys: Mapping[int, Key]) -> str:
    if entry.type in HEADS:
        return "filed in Provenance"
    if entry.number in keys:
        return f"filed as {entry.type}"
    return "kept raw: it is of no use by itself"


def _places(patient: Entry, about: Sequence[Entry], placer_at: str) -> Mapping[str, str]:
    """Return where the Bundle has what filing calls by an address of HL7 v2.

    *about* are the reports or requests, which have the placer's number at *placer_at*.
    """
    of_type = f"Bundle.entry.resource.ofType({about[0].type})"
    one = about[0].path if len(about) == 1 else of_type
    return {
        "PID.3": f"{patient.path}.identifier",
        "PID.5": f"{patient.path}.name",
        "PID.7": f"{patient.path}.birthDate",
        "PID.8": f"{patient.path}.gender",
        "ORC.1": f"{one}.status",
        "OBR.2": f"{one}.{placer_at}",
        "OBR.3": f"{one}.identifier",
        "OBR.22": f"{one}.issued",
        "OBR.25": f"{one}.status",
        "OBX.11": "Bundle.entry.resource.ofType(Observation).status",
        "MSH.7": "Bundle.timestamp",
    }
