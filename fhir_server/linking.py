"""Joining two records of one person, and parting them again: a merge moves nothing.

Buckets and ids stay. What names the retired patient is rewritten in place, as new versions that
name the survivor; `patient_link` lets the one predicate see both; who cares for the one cares for
the other. Parting takes the link away and writes the versions that name the patient again.
https://hl7.org/fhir/R4/patient.html#merging
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from fhir_server.errors import Conflict
from fhir_server.model import json, patient_links
from fhir_server.model.ids import bucket_of
from fhir_server.model.patient_links import REPLACED_BY, REPLACES
from fhir_server.model.validate import judge
from fhir_server.record import Stored, Writer
from fhir_server.search.conditions import among
from fhir_server.store import links, read
from fhir_server.store.tables import care_relationship, patient_link, resource

Tree = dict[str, Any]

_AS_THEY_WERE = frozenset({"AuditEvent", "Patient", "Provenance"})
"""Types that go on naming the retired patient: they tell of that resource, or of that time."""
_MOST_LINKS = 100


@dataclass(frozen=True, slots=True)
class Parted:
    """What parting wrote, and what was filed for the survivor while the records were one."""

    written: tuple[Stored, ...]
    since: int
    """When the records were joined, in microseconds since 1970."""
    filed_meanwhile: tuple[str, ...]


def whole(writer: Writer, patient: str) -> tuple[str, ...]:
    """Return the ids under which the record of *patient* is kept, the survivor's first."""
    first = links.survivor(writer.select, patient)
    return tuple(dict.fromkeys((first, *links.together(writer.select, patient))))


def join(writer: Writer, retired: str, survivor: str, reason: str) -> tuple[Stored, ...]:
    """Make the record of *retired* part of that of *survivor*; return what was written.

    Both are ids of Patients that survive so far; the caller holds the locks of all buckets of
    both records. Raises Conflict where they are one record already.
    """
    theirs, own = whole(writer, retired), whole(writer, survivor)
    if survivor in theirs:
        raise Conflict.of("These two are one record already.")
    written = [
        _patient(writer, retired, reason, patient_links.retired(_tree(writer, retired), survivor)),
        _patient(
            writer,
            survivor,
            reason,
            patient_links.surviving(_tree(writer, survivor), _tree(writer, retired)),
        ),
        *_renamed(writer, theirs, survivor, reason),
    ]
    _regroup(writer, [(*own, *theirs)])
    return tuple(written)


def part(writer: Writer, retired: str, reason: str) -> Parted:
    """Take the record of *retired* out of the one into which it was merged, with all in its own.

    The caller holds the locks of all buckets of the record. Raises Conflict where it is joined to
    none.
    """
    tree = _tree(writer, retired)
    into = patient_links.other(tree, REPLACED_BY)
    if not into:
        raise Conflict.of("This record is not joined to another.")
    everyone = whole(writer, retired)
    since = _since(writer, retired, into)
    theirs = tuple(_descendants(writer, retired))
    rest = tuple(one for one in everyone if one not in theirs)
    numbers = list(_tree(writer, retired).get("identifier", ()))
    written = [_patient(writer, retired, reason, patient_links.standing(tree))]
    written += [
        _patient(
            writer, above, reason, patient_links.without(_tree(writer, above), retired, numbers)
        )
        for above in _ancestors(writer, into)
    ]
    written += _renamed(writer, theirs, retired, reason)
    meanwhile = tuple(_filed_since(writer, rest, since))
    _regroup(writer, [rest, theirs])
    return Parted(tuple(written), since, meanwhile)


def _tree(writer: Writer, patient: str) -> Tree:
    stored = writer.current("Patient", patient)
    if stored is None:
        raise Conflict.of("There is no such patient.")
    tree: Tree = json.decode(stored.body)
    return tree


def _patient(writer: Writer, patient: str, reason: str, tree: Tree) -> Stored:
    before = writer.current("Patient", patient)
    return writer.file(
        judge(tree),
        id_=patient,
        patient=patient,
        release_at=writer.now,
        labels=before.labels if before else 0,
        reason=reason,
    ).stored


def _descendants(writer: Writer, patient: str) -> Iterator[str]:
    """Yield *patient* and all that were merged into them, directly or not."""
    waiting, met = [patient], set[str]()
    while waiting:
        one = waiting.pop()
        if one in met:
            continue
        met.add(one)
        yield one
        waiting += patient_links.others(_tree(writer, one), REPLACES)


def _ancestors(writer: Writer, patient: str) -> Iterator[str]:
    """Yield *patient* and all into whom they were merged, one after the other."""
    for _ in range(_MOST_LINKS):
        yield patient
        patient = patient_links.other(_tree(writer, patient), REPLACED_BY)
        if not patient:
            return


def _renamed(writer: Writer, record: Sequence[str], name: str, reason: str) -> Iterator[Stored]:
    """Yield the new versions of what is kept under *record*, with *name* in the patient's place."""
    everyone = whole(writer, name)
    old = {f"Patient/{one}" for one in (*record, *everyone)} - {f"Patient/{name}"}
    for stored in _kept(writer, record):
        if stored.type in _AS_THEY_WERE:
            continue
        tree = json.decode(stored.body)
        filed = writer.file(
            _readdressed(tree, old, f"Patient/{name}"),
            id_=stored.id,
            patient=stored.patient,
            release_at=stored.release_at,
            labels=stored.labels,
            reason=reason,
        )
        if filed.change != "unchanged":
            yield filed.stored


def _readdressed(value: Any, old: set[str], new: str) -> Any:
    if isinstance(value, dict):
        return {
            name: new if name == "reference" and child in old else _readdressed(child, old, new)
            for name, child in value.items()
        }
    if isinstance(value, list):
        return [_readdressed(child, old, new) for child in value]
    return value


def _kept(writer: Writer, record: Sequence[str]) -> list[Stored]:
    rows = writer.select(
        select(*read.columns(resource))
        .where(among(resource.c.bucket, resource.c.patient, record))
        .order_by(resource.c.bucket, resource.c.type, resource.c.id)
    )
    return [read.stored(row) for row in rows]


def _filed_since(writer: Writer, record: Sequence[str], since: int) -> Iterator[str]:
    """Yield references to the reports and letters that came new into *record* since then."""
    for stored in _kept(writer, record):
        told = stored.type in {"DiagnosticReport", "DocumentReference"}
        if told and stored.version == 1 and stored.last_updated >= since:
            yield stored.reference


def _since(writer: Writer, retired: str, into: str) -> int:
    table = patient_link.c
    rows = writer.select(
        select(table.since).where(
            table.bucket == bucket_of(retired), table.patient == retired, table.other == into
        )
    )
    return int(rows[0].since) if rows else writer.now


def _regroup(writer: Writer, records: Sequence[tuple[str, ...]]) -> None:
    """Make each of *records*, survivor first, one record, whose teams care for all of it."""
    everyone = [one for record in records for one in record]
    since = _known_since(writer, everyone)
    cares = care_relationship.c
    here = among(cares.bucket, cares.patient, everyone)
    known = writer.select(select(care_relationship).where(here))
    homes = _homes(writer, everyone)
    writer.execute(delete(care_relationship).where(here))
    table = patient_link.c
    writer.execute(delete(patient_link).where(among(table.bucket, table.patient, everyone)))
    for record in records:
        pairs = [(one, other) for one in record for other in record if one != other]
        linked = [
            links.place(one)
            | {"other": other, "survivor": record[0], "since": since.get((one, other), writer.now)}
            for one, other in pairs
        ]
        if linked:
            writer.execute(insert(patient_link), linked)
        relations = {
            (row.practitioner, row.team): (row.starts, row.ends)
            for row in known
            if homes.get(row.team, row.patient) in record
        }
        rows = list(_relationships(record, relations))
        if rows:
            writer.execute(insert(care_relationship), rows)


def _relationships(
    record: Iterable[str], relations: dict[tuple[str, str], tuple[int, int | None]]
) -> Iterator[Tree]:
    for patient in record:
        for (practitioner, team), (starts, ends) in relations.items():
            who = {"practitioner": practitioner, "team": team}
            yield links.place(patient) | who | {"starts": starts, "ends": ends}


def _known_since(writer: Writer, everyone: Sequence[str]) -> dict[tuple[str, str], int]:
    table = patient_link.c
    rows = writer.select(select(patient_link).where(among(table.bucket, table.patient, everyone)))
    return {(row.patient, row.other): row.since for row in rows}


def _homes(writer: Writer, everyone: Sequence[str]) -> dict[str, str]:
    """Return for each team the patient in whose record it was made."""
    table = resource.c
    rows = writer.select(
        select(table.id, table.patient).where(
            table.type == "CareTeam", among(table.bucket, table.patient, everyone)
        )
    )
    return {row.id: row.patient for row in rows}
