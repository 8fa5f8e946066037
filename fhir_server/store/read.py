"""Reading what is stored: by id, by version, and the versions of one resource."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Text,
    any_,
    bindparam,
    func,
    select,
)

from fhir_server import prepared
from fhir_server.access import Access, OwnRecord
from fhir_server.audit import redaction
from fhir_server.model import json
from fhir_server.model.ids import bucket_of
from fhir_server.sight import Sight, seen_by
from fhir_server.store.tables import care_relationship, resource, resource_version

_AT_ONCE = 500  # ids in one statement
_COLUMNS = 8


class Stored(NamedTuple):
    """One version of a resource: the bytes that are served, and what decides who may see them.

    *last_updated* and *release_at* are microseconds since 1970; *release_at* None means held.
    *patient* is an id, or the empty text.
    """

    type: str
    id: str
    version: int
    last_updated: int
    patient: str
    release_at: int | None
    labels: int
    body: bytes

    @property
    def reference(self) -> str:
        """The relative reference to the resource."""
        return f"{self.type}/{self.id}"


def columns(table: FromClause) -> list[ColumnElement[Any]]:
    """Return the columns of *table* that make a `Stored`, in its order."""
    names = ("type", "id", "version", "last_updated", "patient", "release_at", "labels", "body")
    return [table.c[name] for name in names]


CURRENT = select(*columns(resource)).where(
    *(resource.c[name] == bindparam(name) for name in ("bucket", "type", "id"))
)
"""What stands at a `place`, unguarded."""
MANY = {
    name: select(*columns(resource)).where(
        *(resource.c[name] == bindparam(name) for name in ("bucket", "type")), is_among
    )
    for name, is_among in (
        (
            "sqlite",
            resource.c.id.in_(
                select(func.json_each(bindparam("ids")).table_valued("value").c.value)
            ),
        ),
        ("postgresql", resource.c.id == any_(bindparam("ids", type_=ARRAY(Text)))),
    )
}
"""What stands at one of `places`, unguarded, by dialect: the same text for any number of ids."""


def stored(row: Sequence[Any]) -> Stored:
    """Return the row of `columns`, with whatever stands behind them, as a value."""
    return Stored._make(row[:_COLUMNS])


def audit_event(row: Row[Any]) -> Stored:
    """Return a row of the ledger as the AuditEvent that it is: its first and only version."""
    return Stored(
        type="AuditEvent",
        id=row.id,
        version=1,
        last_updated=row.recorded,
        patient=row.patient,
        release_at=row.recorded,
        labels=0,
        body=bytes(row.body),
    )


def audit_event_for(access: Access, row: Row[Any]) -> Stored:
    """Return a row of the ledger as *access* gets it: a patient is told nothing of others."""
    found = audit_event(row)
    if not isinstance(access.reach, OwnRecord):
        return found
    return found._replace(body=redaction.for_patient(found.body))


def by_id(resource_type: str, id_: str, *where: ColumnElement[bool]) -> Select[Any]:
    """Return the statement for the current version, under the conditions given."""
    return CURRENT.where(*where).params(place(resource_type, id_))


def seen(
    connection: Connection, access: Access, resource_type: str, id_: str, now: int
) -> Stored | None:
    """Return the current version if *access* may see it *now* (microseconds)."""
    statement, names = _seen(access.sight(resource_type))
    wanted = {"bucket": bucket_of(id_), "type": resource_type, "id": id_, "now": now}
    if names is None:
        return first(connection, statement, wanted)
    found = prepared.rows(connection, statement, wanted | names)
    return stored(found[0]) if found else None


@lru_cache(maxsize=1024)
def _seen(sight: Sight) -> tuple[Select[Any], dict[str, Any] | None]:
    """Return the statement of `seen`, and the parameters that name the caller.

    It is the same for everybody who sees like them; None where it has lists, and is theirs alone.
    """
    if sight.has_lists:
        return _statement(sight), None
    anybody, names = sight.unnamed()
    return _statement(anybody), dict(names)


@lru_cache(maxsize=512)
def _statement(sight: Sight) -> Select[Any]:
    """Return the statement of `seen`, made once: the sight is all that it depends on."""
    return CURRENT.where(seen_by(sight, resource, bindparam("now")))


def place(resource_type: str, id_: str) -> dict[str, Any]:
    """Return the parameters of `CURRENT` for one resource."""
    return {"bucket": bucket_of(id_), "type": resource_type, "id": id_}


def places(resource_type: str, ids: Sequence[str], dialect: str) -> Iterator[dict[str, Any]]:
    """Yield the parameters of `MANY` for these ids: once for each of their buckets, if they fit."""
    by_bucket: dict[int, list[str]] = {}
    for id_ in ids:
        by_bucket.setdefault(bucket_of(id_), []).append(id_)
    for bucket, here in by_bucket.items():
        for start in range(0, len(here), _AT_ONCE):
            part: Any = here[start : start + _AT_ONCE]
            listed = json.encode(part).decode() if dialect == "sqlite" else part
            yield {"bucket": bucket, "type": resource_type, "ids": listed}


def versions(resource_type: str, id_: str, *where: ColumnElement[bool]) -> Select[Any]:
    """Return the statement for the earlier versions, newest first, under the conditions given."""
    table = resource_version.c
    return (
        select(*columns(resource_version))
        .where(table.bucket == bucket_of(id_), table.type == resource_type, table.id == id_, *where)
        .order_by(table.version.desc())
    )


def first(
    connection: Connection, statement: Select[Any], parameters: Mapping[str, Any] | None = None
) -> Stored | None:
    """Return the first row of *statement*, or None."""
    row = connection.execute(statement, parameters).first()
    return None if row is None else stored(row)


_CARING = (
    select(care_relationship.c.team)
    .where(
        *(
            care_relationship.c[name] == bindparam(name)
            for name in ("bucket", "patient", "practitioner")
        ),
        care_relationship.c.starts <= bindparam("now"),
        care_relationship.c.ends.is_(None) | (care_relationship.c.ends > bindparam("now")),
    )
    .order_by(care_relationship.c.starts)
    .limit(1)
)


def caring_team(connection: Connection, patient: str, practitioner: str, now: int) -> str:
    """Return the id of a team by which *practitioner* cares for *patient* now; empty for none."""
    found = prepared.rows(
        connection,
        _CARING,
        {
            "bucket": bucket_of(patient),
            "patient": patient,
            "practitioner": practitioner,
            "now": now,
        },
    )
    return found[0].team if found else ""
