"""Telling the teams that a result was changed after somebody had read it.

A withdrawal is told in any case, a correction where the ledger has a look at the value that stood
before: by the patient, a member of staff, or an application. The message is for the caring teams
alone; it names the test and never a value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fhir_server import linking
from fhir_server.clock import from_micros, instant_text
from fhir_server.earlier_values import CHANGED, EarlierValue, looks, replaced, versions_of
from fhir_server.message_recipients import caring_teams
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.model.validate import judge
from fhir_server.record import Stored, Writer

Tree = dict[str, Any]

ALERT = "http://terminology.hl7.org/CodeSystem/communication-category|alert"
"""Category of a Communication that tells the teams of a change, as a search has it."""

_WITHDRAWN, _CANCELLED = "entered-in-error", "cancelled"
_DEEDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        _WITHDRAWN: ("Result taken back", "took back"),
        _CANCELLED: ("Result cancelled", "cancelled"),
    }
)
_CORRECTED = ("Result corrected", "corrected")


@dataclass(frozen=True, slots=True)
class Told:
    """Which report was filed, what the test is called, and by which message."""

    report: str
    test: str
    control_id: str


def tell_teams(writer: Writer, told: Told, filed: Iterable[tuple[str, Tree]]) -> list[Stored]:
    """File an alert about what a message has changed, and return it; none where none is needed.

    *filed* are the report and its results as they were filed, each with its id.
    """
    changed = [
        value
        for id_, tree in filed
        if tree["status"] in CHANGED
        for value in _changed_now(writer, tree["resourceType"], id_)
    ]
    report = writer.current("DiagnosticReport", told.report) if changed else None
    if report is None:
        return []
    statuses = {one.after["status"] for one in changed}
    record = linking.whole(writer, report.patient)
    readers = {one.agent for one in looks(writer.select, report, changed, record)}
    if not readers and _WITHDRAWN not in statuses:
        return []
    deed = next((_DEEDS[one] for one in (_WITHDRAWN, _CANCELLED) if one in statuses), _CORRECTED)
    return [_filed(writer, report, told, (deed, readers, record))]


def _changed_now(writer: Writer, resource_type: str, id_: str) -> list[EarlierValue]:
    """Return what the version of this very message replaced."""
    current = writer.current(resource_type, id_)
    if current is None or current.last_updated < writer.now:
        return []
    found = replaced(versions_of(writer.select, current))
    return [one for one in found if one.until == current.last_updated]


def _filed(
    writer: Writer,
    report: Stored,
    told: Told,
    why: tuple[tuple[str, str], set[str], tuple[str, ...]],
) -> Stored:
    (topic, deed), readers, record = why
    text = f"The laboratory {deed} {told.test}. {_read(readers, record)}"
    teams = caring_teams(writer, report.patient)
    tree: Tree = {
        "resourceType": "Communication",
        "status": "in-progress",
        "category": [{"coding": [_coding(ALERT)]}],
        "priority": "urgent" if readers else "routine",
        "subject": {"reference": f"Patient/{record[0]}"},
        "topic": {"text": f"{topic}: {told.test}"},
        "about": [{"reference": report.reference}],
        "sent": instant_text(from_micros(writer.now)),
        "payload": [{"contentString": text}],
    }
    if teams:
        tree["recipient"] = [{"reference": f"CareTeam/{team}"} for team in teams]
    names = ("Communication", "result-changed", report.id, told.control_id)
    id_ = derived_id(writer.id_key, *names, bucket=bucket_of(report.patient))
    # Held from the patient for good: it is for the team.
    return writer.file(judge(tree), id_=id_, patient=report.patient, release_at=None).stored


def _read(readers: set[str], record: Iterable[str]) -> str:
    own = {f"Patient/{one}" for one in record}
    others = len(readers - own)
    who = ["the patient"] if own & readers else []
    who += [f"{others} other{'s' if others > 1 else ''}"] if others else []
    return f"It had been read by {' and '.join(who)}." if who else "Nobody had read it."


def _coding(token: str) -> Tree:
    system, _, code = token.partition("|")
    return {"system": system, "code": code}
