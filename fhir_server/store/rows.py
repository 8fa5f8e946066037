"""The rows that filing makes: versions moved, bodies replaced, index rows where they differ.

Gathered while a piece runs, and written in one multi-row statement for each table.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, delete, insert, update

from fhir_server.model import json
from fhir_server.model.ids import bucket_of
from fhir_server.search.index import IndexRows, index, sort_date
from fhir_server.store.read import Stored
from fhir_server.store.tables import (
    index_date,
    index_string,
    index_token,
    resource,
    resource_version,
)

Tree = dict[str, Any]
Line = dict[str, Any]


class Gathered:
    """What one piece has to write, kept until it is flushed."""

    def __init__(self) -> None:
        self._created: list[Line] = []
        self._changed: list[Line] = []
        self._superseded: list[Line] = []
        self._removed: list[tuple[Table, Line]] = []
        self._added: list[tuple[Table, Line]] = []

    def replace(
        self, before: Stored | None, after: Stored, tree: Tree, *, superseded_by: str, reason: str
    ) -> None:
        """Note that *after* (with the content *tree*) takes the place of *before*."""
        line = _line(after, sort_date(tree))
        if before is None:
            self._created.append(line)
            old: set[tuple[str, tuple[Any, ...]]] = set()
        else:
            self._changed.append(line)
            old_tree = json.decode(before.body)
            self._superseded.append(
                _line(before, sort_date(old_tree))
                | {
                    "superseded_at": after.last_updated,
                    "superseded_by": superseded_by,
                    "reason": reason,
                }
            )
            old = set(_keyed(index(old_tree, id_=before.id, patient=before.patient)))
        new = set(_keyed(index(tree, id_=after.id, patient=after.patient)))
        self._removed.extend(_lines(old - new))
        self._added.extend(_lines(new - old))

    def flush(self, connection: Connection) -> None:
        """Write everything gathered, and forget it."""
        if self._superseded:
            connection.execute(insert(resource_version), self._superseded)
        if self._changed:
            connection.execute(_UPDATE, [_keyed_for_update(line) for line in self._changed])
        if self._created:
            connection.execute(insert(resource), self._created)
        for table in (index_token, index_date, index_string):
            gone = [line for owner, line in self._removed if owner is table]
            if gone:
                connection.execute(_DELETES[table.name], [_prefixed(line) for line in gone])
            come = [line for owner, line in self._added if owner is table]
            if come:
                connection.execute(insert(table), come)
        self.forget()

    def forget(self) -> None:
        """Drop what is gathered and not yet written."""
        for gathered in (
            self._created,
            self._changed,
            self._superseded,
            self._removed,
            self._added,
        ):
            gathered.clear()


_KEY = ("bucket", "type", "id")
_TABLES = {table.name: table for table in (index_token, index_date, index_string)}


def _prefixed(line: Line) -> Line:
    return {f"key_{name}": value for name, value in line.items() if name != "population"}


def _keyed_for_update(line: Line) -> Line:
    return {f"key_{name}" if name in _KEY else name: value for name, value in line.items()}


def _delete(table: Table) -> Any:
    key = [column.name for column in table.primary_key]
    return delete(table).where(and_(*(table.c[name] == bindparam(f"key_{name}") for name in key)))


_DELETES = {name: _delete(table) for name, table in _TABLES.items()}
_UPDATE = (
    update(resource)
    .where(and_(*(resource.c[name] == bindparam(f"key_{name}") for name in _KEY)))
    .values(
        {column.name: bindparam(column.name) for column in resource.c if column.name not in _KEY}
    )
)


def _line(stored: Stored, sort: int | None) -> Line:
    return {
        "bucket": bucket_of(stored.id),
        "type": stored.type,
        "id": stored.id,
        "version": stored.version,
        "last_updated": stored.last_updated,
        "patient": stored.patient,
        "release_at": stored.release_at,
        "labels": stored.labels,
        "sort_date": sort,
        "body": stored.body,
    }


def _keyed(found: IndexRows) -> Iterable[tuple[str, tuple[Any, ...]]]:
    for name, lines in (
        ("index_token", found.tokens),
        ("index_date", found.dates),
        ("index_string", found.strings),
    ):
        columns = [column.name for column in _TABLES[name].c]
        for line in lines:
            yield name, tuple(line[column] for column in columns)


def _lines(keyed: Iterable[tuple[str, tuple[Any, ...]]]) -> Iterable[tuple[Table, Line]]:
    for name, values in keyed:
        table = _TABLES[name]
        yield table, dict(zip((column.name for column in table.c), values, strict=True))
