"""What a laboratory changed after somebody had read it, as people read it.

A patient is told what a corrected result said before, where it was open to them; those who care for
them are told that, and who had read it, from the ledger.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fhir_server import earlier_values
from fhir_server.clock import from_micros
from fhir_server.earlier_values import EarlierValue, Look
from fhir_server.model import json
from portal_api import london
from portal_api.access_entry import Access, access
from portal_api.caller import Caller, look
from portal_api.london import Moment
from portal_api.readings import concept_text, reading, value_text
from portal_api.results import Report

Tree = dict[str, Any]

CHANGED = earlier_values.CHANGED
_DEEDS = {"entered-in-error": "Taken back", "cancelled": "Cancelled"}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that the laboratory changed. *test* is the name that it gave the test."""

    test: str
    before: str
    after: str
    stood_from: Moment
    changed_at: Moment


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who had an earlier value: by name where the ledger has one, else by reference.

    *opened*: they asked for the result itself; otherwise it was on a list that they asked for.
    """

    who: str
    role: str
    organization: str
    application: str
    first: Moment
    last: Moment
    times: int
    opened: bool


@dataclass(frozen=True, slots=True)
class Corrections:
    """What was changed in one report, newest first, and who had read what was there before."""

    changes: tuple[Change, ...]
    readers: tuple[Reader, ...]


async def corrections(caller: Caller, report_id: str) -> Corrections:
    """Return what was changed in a report, for a clinician who cares for the patient.

    Raises NotFound for a report that is not the caller's, Forbidden for anybody but a clinician.
    """
    found = await look(earlier_values.changes, caller.record, caller.access, report_id)
    return Corrections(tuple(_change(one) for one in found.values), _readers(found.looks))


async def said_before(caller: Caller, report: Report) -> dict[str, str]:
    """Return what the corrected results of *report* said before, by the id of the result.

    As far as the caller could read it then: what was never open to a patient is not told to them.
    """
    told: dict[str, str] = {}
    for one in report.readings:
        if one.status not in CHANGED:
            continue
        versions = await look(caller.record.history, caller.access, "Observation", one.observation)
        earlier = earlier_values.replaced(versions)
        if earlier:
            told[one.observation] = _text(earlier[0].tree)
    return told


def _change(value: EarlierValue) -> Change:
    return Change(
        test=concept_text(value.tree.get("code", {})),
        before=_text(value.tree),
        after=_DEEDS.get(value.after["status"], "") or _text(value.after),
        stood_from=london.at(from_micros(value.since)),
        changed_at=london.at(from_micros(value.until)),
    )


def _text(tree: Tree) -> str:
    """Return what a version of a result says, in one line if it is a number."""
    if tree["resourceType"] != "Observation":
        return tree.get("conclusion", "") or "Another document"
    found = reading(tree, {})
    parts = [value_text(found.quantity)] if found.quantity else []
    parts += [found.text] if found.text else []
    for component in tree.get("component", ()):
        part = reading(component, {})
        value = value_text(part.quantity) if part.quantity else part.text
        parts.append(f"{part.given_name}: {value}")
    return "\n".join(parts) or "No value"


def _readers(looks: Iterable[Look]) -> tuple[Reader, ...]:
    """Return each person or application once, whoever looked last first."""
    found: dict[str, list[tuple[Look, Access]]] = {}
    for one in looks:
        found.setdefault(one.agent, []).append((one, access(json.decode(one.entry.body))))
    return tuple(_reader(entries) for entries in found.values())


def _reader(entries: list[tuple[Look, Access]]) -> Reader:
    newest, oldest = entries[0][1], entries[-1][1]
    return Reader(
        who="" if newest.role == "patient" else newest.name or newest.user,
        role=newest.role,
        organization=newest.organization,
        application=newest.client,
        first=oldest.when,
        last=newest.when,
        times=len(entries),
        opened=any(look.opened for look, _ in entries),
    )
