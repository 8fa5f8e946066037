"""The reckoning after a fault: what was acknowledged, against what is in the store."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from sqlalchemy import Select, Table, func, select

from adapters.intake.tables import claim, inbox, inbox_key, report_standing
from fhir_server.model import json
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from fhir_server.store.tables import (
    audit_entry,
    audit_head,
    index_token,
    resource,
    resource_version,
)
from tests.faults.hospital import RESULTS, Sent

Kind = Literal["lost", "double", "order", "other"]
KINDS: tuple[Kind, ...] = ("lost", "double", "order", "other")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong: acknowledged and lost, there twice, out of a person's order, or else."""

    kind: Kind
    text: str


def filed(database_url: str) -> set[str]:
    """Return the control ids of the messages that were filed."""
    with _Store(database_url) as store:
        return {row.control_id for row in store.rows(_FILED)}


def findings(
    database_url: str, sent: Mapping[str, Sent], acknowledged: Iterable[str]
) -> list[Finding]:
    """Return what is wrong in the store, after *sent* were sent and *acknowledged*; all by id."""
    with _Store(database_url) as store:
        rows = store.rows(_FILED)
        kept = Counter(row.control_id for row in rows)
        found = [
            Finding("lost", f"{one} was acknowledged and is lost")
            for one in acknowledged
            if not kept[one]
        ]
        found += [
            Finding("double", f"{one} was kept {times} times")
            for one, times in kept.items()
            if times > 1
        ]
        found += _out_of_order(store, rows, sent)
        found += [
            Finding("other", text)
            for text in (
                *_otherwise_fated(store),
                *(
                    f"{row.control_id} is kept with other bytes"
                    for row in rows
                    if bytes(row.raw) != sent[row.control_id].raw
                ),
                *_of_keys(store, [sent[one] for one in kept]),
                *_of_resources(store, rows),
                *_of_results(store, [sent[one] for one in kept]),
                *_of_counts(store, len(rows)),
            )
        ]
    return found


_FILED = select(inbox).where(inbox.c.fate == "filed")


class _Store:
    def __init__(self, database_url: str) -> None:
        self._record = Record(open_engines(database_url, is_patient=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._record.close()

    def rows(self, statement: Select[Any]) -> Sequence[Any]:
        return self._record.select(statement)

    def number(self, table: Table, *where: Any) -> int:
        return int(self.rows(select(func.count()).select_from(table).where(*where))[0][0])


def _out_of_order(
    store: _Store, rows: Sequence[Any], sent: Mapping[str, Sent]
) -> Iterator[Finding]:
    """Yield the people whose messages were not filed, by the ledger, in the order they were sent.

    A message is sent when all before it were acknowledged: by then they have to be filed.
    """
    made_by = {reference: row.control_id for row in rows for reference in row.made.split("\n")}
    as_filed = defaultdict[str, list[str]](list)
    entries = select(audit_entry.c.entity).where(audit_entry.c.subtype == "message-filed")
    for entry in store.rows(entries.order_by(audit_entry.c.seq)):
        control_id = made_by.get(entry.entity, "")
        if control_id:
            as_filed[sent[control_id].person].append(control_id)
    for person, ids in as_filed.items():
        first = list(dict.fromkeys(ids))
        if first != sorted(first):
            yield Finding("order", f"{person}: filed as {' '.join(first)}")


def _otherwise_fated(store: _Store) -> Iterator[str]:
    for row in store.rows(select(inbox.c.fate, inbox.c.code).where(inbox.c.fate != "filed")):
        yield f"{row.fate} {row.code}"


def _of_keys(store: _Store, kept: Sequence[Sent]) -> Iterator[str]:
    """Yield each number by which a message should be found and is not, and each that finds none."""
    keys = defaultdict[str, set[str]](set)
    for row in store.rows(select(inbox_key.c.control_id, inbox_key.c.key)):
        keys[row.control_id].add(row.key)
    for one in kept:
        if missing := {one.control_id, *one.accessions} - keys.pop(one.control_id, set()):
            yield f"{one.control_id} is not found by {' '.join(sorted(missing))}"
    yield from (f"{one} is found and is not there" for one in keys)


def _of_resources(store: _Store, rows: Sequence[Any]) -> Iterator[str]:
    """Yield what a message made and is not there, and what is there and no message made."""
    made = Counter(reference for row in rows for reference in row.made.split("\n"))
    there = {
        f"{row.type}/{row.id}/_history/{row.version}"
        for row in store.rows(select(resource.c.type, resource.c.id, resource.c.version))
    }
    yield from (f"{one} was made and is not there" for one in made.keys() - there)
    yield from (f"{one} is there and no message made it" for one in there - made.keys())
    indexed = {row.id for row in store.rows(select(index_token.c.id).distinct())}
    for reference in there:
        resource_type, id_, *_ = reference.split("/")
        if resource_type in {"Observation", "DiagnosticReport"} and id_ not in indexed:
            yield f"{reference} can't be found by searching"


def _of_results(store: _Store, kept: Sequence[Sent]) -> Iterator[str]:
    """Yield each result that is not there exactly once, with the digits that were sent."""
    bodies = [
        json.decode(bytes(row.body))
        for row in store.rows(select(resource.c.body).where(resource.c.type == "Observation"))
    ]
    there = Counter(str(tree["valueQuantity"]["value"]) for tree in bodies)
    wanted = Counter(value for one in kept for value in one.values)
    for value in there.keys() | wanted.keys():
        if there[value] != wanted[value]:
            yield f"the result {value} is there {there[value]} times, not {wanted[value]}"


def _of_counts(store: _Store, messages: int) -> Iterator[str]:
    for name, wanted, number in (
        ("reports", messages, store.number(resource, resource.c.type == "DiagnosticReport")),
        ("results", messages * RESULTS, store.number(resource, resource.c.type == "Observation")),
        ("orders", messages, store.number(resource, resource.c.type == "ServiceRequest")),
        ("earlier versions", 0, store.number(resource_version)),
        ("standing reports", messages, store.number(report_standing)),
        ("filler numbers", messages, store.number(claim, claim.c.kind == "filler")),
        (
            "entries of filing",
            messages,
            store.number(audit_entry, audit_entry.c.subtype == "message-filed"),
        ),
        ("the ledger", store.rows(select(audit_head.c.size))[0][0], store.number(audit_entry)),
    ):
        if number != wanted:
            yield f"{name}: {number}, not {wanted}"
