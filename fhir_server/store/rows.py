"""The rows that filing makes: versions moved, bodies replaced, index rows where they differ."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Delete, Table, and_, bindparam, delete, update

from fhir_server.model import json
from fhir_server.model.ids import bucket_of
from fhir_server.search.index import IndexRows, index
from fhir_server.store.read import Stored
from fhir_server.store.tables import (
    index_date,
    index_string,
    index_token,
    resource,
    resource_version,
)
from fhir_server.store.transaction import Transaction

Tree = dict[str, Any]

_KEY = ("bucket", "type", "id")
_NO_ROWS = IndexRows([], [], [])


def create(transaction: Transaction, stored: Stored, tree: Tree) -> None:
    """Let the rows of *stored*, a resource that is new, wait; *tree* is its content."""
    bucket = bucket_of(stored.id)
    made = index(tree, id_=stored.id, patient=stored.patient)
    transaction.add(resource, bucket, [_row(bucket, stored, made.sort_date)])
    _reindex(transaction, bucket, _NO_ROWS, made)


def supersede(
    transaction: Transaction, before: Stored, after: Stored, tree: Tree, said: tuple[str, str]
) -> None:
    """Let the rows wait by which *after*, with the content *tree*, takes the place of *before*.

    *said* is who replaced it, and why.
    """
    bucket, old_tree = bucket_of(after.id), json.decode(before.body)
    old = index(old_tree, id_=before.id, patient=before.patient)
    new = index(tree, id_=after.id, patient=after.patient)
    earlier = (*_row(bucket, before, old.sort_date), after.last_updated, *said)
    transaction.add(resource_version, bucket, [earlier])
    line = dict(zip(_COLUMNS, _row(bucket, after, new.sort_date), strict=True))
    transaction.change(_UPDATE, resource, _keyed(line, _KEY))
    _reindex(transaction, bucket, old, new)


def _reindex(transaction: Transaction, bucket: int, old: IndexRows, new: IndexRows) -> None:
    for table, gone, come in (
        (index_token, old.tokens, new.tokens),
        (index_date, old.dates, new.dates),
        (index_string, old.strings, new.strings),
    ):
        stays = set(gone).intersection(come)
        for row in gone:
            if row not in stays:
                line = row._asdict()
                transaction.change(_DELETES[table.name], table, _keyed(line, tuple(line)))
        transaction.add(table, bucket, [row for row in come if row not in stays])


def _keyed(line: Mapping[str, Any], key: tuple[str, ...]) -> Mapping[str, Any]:
    return {f"key_{name}" if name in key else name: value for name, value in line.items()}


def _delete(table: Table) -> Delete:
    key = [column.name for column in table.primary_key]
    return delete(table).where(and_(*(table.c[name] == bindparam(f"key_{name}") for name in key)))


_DELETES = {table.name: _delete(table) for table in (index_token, index_date, index_string)}
_COLUMNS = tuple(column.name for column in resource.c)
_UPDATE = (
    update(resource)
    .where(and_(*(resource.c[name] == bindparam(f"key_{name}") for name in _KEY)))
    .values({name: bindparam(name) for name in _COLUMNS if name not in _KEY})
)


def _row(bucket: int, stored: Stored, sort: int | None) -> tuple[Any, ...]:
    """Return *stored* as a row of `resource`: its values in the order of the columns."""
    return (
        bucket,
        stored.type,
        stored.id,
        stored.version,
        stored.last_updated,
        stored.patient,
        stored.release_at,
        stored.labels,
        sort,
        stored.body,
    )
