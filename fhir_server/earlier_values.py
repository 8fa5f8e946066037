"""What a report said before the laboratory changed it, and who had read that: from the ledger.

A result that was corrected or taken back has been read by somebody, who may have acted on it. The
ledger knows who looked, and when; the versions know what stood there at that moment.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from fhir_server.access import Access, CaredFor, Interaction, visible
from fhir_server.errors import Forbidden, NotFound
from fhir_server.looks import Answer
from fhir_server.looks import Look as LookTaken
from fhir_server.model import json
from fhir_server.record import Asked, Record, Stored
from fhir_server.store import links
from fhir_server.store import read as reading
from fhir_server.store.tables import audit_entry, resource_version

Tree = dict[str, Any]
Ask = Callable[[Select[Any]], Sequence[Row[Any]]]
"""Statement to rows: of a reading connection, or of the transaction that files the change."""

CHANGED = frozenset({"corrected", "amended", "entered-in-error", "cancelled"})
"""Statuses with which a laboratory says that what it sent before does not hold."""

LOOKS = frozenset(
    {
        *("read", "vread", "history", "history-instance"),
        *("search", "search-type", "operation"),
    }
)
"""What can be done with a record that shows what stands in it; subtypes of the ledger."""

_ACTED_ON = frozenset({"component", "interpretation", "presentedForm", "conclusion"})
_LISTED = frozenset({"DiagnosticReport", "Observation"})
_DONE = "0"


@dataclass(frozen=True, slots=True)
class EarlierValue:
    """One thing that a result or a report said, until the laboratory changed it.

    *tree* is the version that said it, *after* the one that replaced it. Instants are microseconds
    since 1970: it stood from *since* until *until*, and the patient could see it from *opened*
    on, None for never.
    """

    reference: str
    tree: Tree
    after: Tree
    since: int
    until: int
    opened: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """One entry of the ledger by which somebody had an earlier value.

    *entry* is the AuditEvent; *opened* tells whether the result itself was asked for: otherwise
    it was on a list.
    """

    entry: Stored
    agent: str
    opened: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What was changed in one report, newest first, and every look at what was there before."""

    report: str
    patient: str
    values: tuple[EarlierValue, ...]
    looks: tuple[Look, ...]


def replaced(versions: Iterable[Stored]) -> list[EarlierValue]:
    """Return what *versions* of one resource, newest first, said before it was changed.

    Only a change by which the laboratory says that the earlier value does not hold counts: an early
    result that became final with another value was never more than early.
    """
    found: list[EarlierValue] = []
    after: tuple[Stored, Tree] | None = None
    run: list[tuple[Stored, Tree]] = []
    for stored in versions:
        tree = json.decode(stored.body)
        if run and _said(tree) != _said(run[-1][1]):
            found.extend(_earlier(run, after))
            after, run = run[-1], []
        run.append((stored, tree))
    found.extend(_earlier(run, after))
    return found


def _earlier(
    run: list[tuple[Stored, Tree]], after: tuple[Stored, Tree] | None
) -> Iterator[EarlierValue]:
    """Yield what *run*, versions that say the same, said, if the one *after* them changed it."""
    if after is None or after[1].get("status") not in CHANGED or not _said(run[0][1]):
        return
    opened = [one.release_at for one, _ in run if one.release_at is not None]
    yield EarlierValue(
        reference=run[0][0].reference,
        tree=run[0][1],
        after=after[1],
        since=run[-1][0].last_updated,
        until=after[0].last_updated,
        opened=min(opened, default=None),
    )


def _said(tree: Tree) -> Tree:
    """Return what of a result or a report somebody acts on."""
    return {
        name: value for name, value in tree.items() if name.startswith("value") or name in _ACTED_ON
    }


def versions_of(ask: Ask, current: Stored) -> Iterator[Stored]:
    """Yield all versions of what stands as *current*, newest first: unguarded."""
    yield current
    yield from map(reading.stored, ask(reading.versions(current.type, current.id)))


def looks(
    ask: Ask, report: Stored, values: Sequence[EarlierValue], record: Iterable[str]
) -> tuple[Look, ...]:
    """Return every look of a person or an application at *values* of *report*, newest first.

    A patient, and an application in their name, had a value only while it was open to them;
    *record* are the ids under which their record is kept.
    """
    own = frozenset(f"Patient/{one}" for one in record)
    if not values:
        return ()
    entry = audit_entry.c
    rows = ask(
        select(audit_entry)
        .where(
            entry.patient == report.patient,
            entry.recorded >= min(one.since for one in values),
            entry.recorded <= max(one.until for one in values),
        )
        .order_by(entry.recorded.desc(), entry.seq.desc())
    )
    found = []
    for row in rows:
        had = [one for one in values if _had(row, one, report, own)]
        if had:
            named = any(_names(row, one.reference) for one in had)
            opened = named or _names(row, report.reference)
            found.append(Look(reading.audit_event(row), row.agent or row.client, opened))
    return tuple(found)


def _had(row: Row[Any], value: EarlierValue, report: Stored, own: frozenset[str]) -> bool:
    """Tell whether the entry *row* is of somebody who had *value* by it; *own* are the patient."""
    if row.outcome != _DONE or row.subtype not in LOOKS or not value.since <= row.recorded:
        return False
    if row.recorded >= value.until:
        return False
    if row.agent in own and (value.opened is None or row.recorded < value.opened):
        return False
    listed = row.entity in {"", row.entity_type} and row.entity_type in _LISTED
    return listed or _names(row, value.reference) or _names(row, report.reference)


def _names(row: Row[Any], reference: str) -> bool:
    return bool(row.entity == reference or row.entity.startswith(f"{reference}/_history"))


def changes(record: Record, access: Access, report_id: str) -> "Future[Changes]":
    """Answer a clinician with what was changed in a report, and who had read what was there.

    Raises NotFound for a report that is not the caller's to see, Forbidden for anybody but a
    clinician who cares for the patient: a patient has their own log.
    """

    def find(connection: Connection, access: Access, now: int) -> Answer:
        if not isinstance(access.reach, CaredFor):
            raise Forbidden.of("Who had read a result is told to those who care for the patient.")
        report = reading.seen(connection, access, "DiagnosticReport", report_id, now)
        if report is None:
            raise NotFound.of("There is no such resource, or it is not yours to see.")

        def ask(statement: Select[Any]) -> Sequence[Row[Any]]:
            return connection.execute(statement).all()

        def guarded(current: Stored) -> Iterator[Stored]:
            yield current
            seen = visible(access, current.type, resource_version, now)
            yield from map(reading.stored, ask(reading.versions(current.type, current.id, seen)))

        of_report = list(guarded(report))
        values = replaced(of_report)
        # Whoever may read reports alone is told what those said, and nothing of their results.
        reads_results = access.permits("Observation", Interaction.HISTORY)
        for id_ in _results(of_report) if reads_results else ():
            current = reading.seen(connection, access, "Observation", id_, now)
            if current is not None and current.patient == report.patient:
                values += replaced(guarded(current))
        values.sort(key=lambda one: (-one.until, one.reference))
        record = links.together(links.asking(connection), report.patient)
        looked = looks(ask, report, values, record)
        found = Changes(report.id, report.patient, tuple(values), looked)
        return Answer(found, (report.patient,))

    asked = Asked("history-instance", f"DiagnosticReport/{report_id}")
    return record.look(access, LookTaken("DiagnosticReport", Interaction.HISTORY, asked, find))


def _results(versions: Iterable[Stored]) -> list[str]:
    """Return the ids of the results that any of *versions* of a report names, each once."""
    references = [
        one.get("reference", "")
        for stored in versions
        for one in json.decode(stored.body).get("result", ())
    ]
    wanted = dict.fromkeys(one for one in references if one.startswith("Observation/"))
    return [one.removeprefix("Observation/") for one in wanted]
