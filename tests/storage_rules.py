"""The rules that a store spread over machines by bucket sets to tables and to statements.

Citus refuses a key without the distribution column, a foreign key that leaves the bucket, a table
without a primary key, an update of the bucket; and a statement that names no bucket asks every
machine. Nothing here needs Citus: the rules are held against the tables' metadata and against the
SQL that was really sent.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, Index, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint, event

BUCKET = "bucket"


def faults_of_tables(
    metadatas: Iterable[MetaData],
    local: Mapping[str, str],
    population: Mapping[str, str],
) -> list[str]:
    """Return a sentence for each rule that a table breaks.

    *local* names the tables that are not spread, *population* the indexes of spread tables that
    lead with something else; each with the reason.
    """
    tables = [table for metadata in metadatas for table in metadata.tables.values()]
    faults = [fault for table in tables for fault in _faults_of(table, local, population)]
    known = {table.name for table in tables}
    known_indexes = {index.name for table in tables for index in table.indexes}
    faults += [f"{name} is excused and does not exist" for name in local.keys() - known]
    return faults + [
        f"{name} is excused and does not exist" for name in population.keys() - known_indexes
    ]


_TAKING = {"INTO": "INSERT INTO", "COPY": "COPY"}


def faults_of_statement(sql: str, spread: Collection[str]) -> list[str]:
    """Return a sentence for each spread table that *sql* uses without naming the bucket.

    For the statements of hot transactions; a search over the whole population names none.
    """
    faults = []
    for verb, table, alias in _uses(sql, spread):
        if verb in _TAKING:
            if not re.search(rf'{verb}\s+"?{table}"?\s*\(\s*"?{BUCKET}\b', sql, re.IGNORECASE):
                faults.append(f"{_TAKING[verb]} {table} does not begin with the bucket")
        elif not _is_bound(sql, alias or table, alone=len(list(_uses(sql, spread))) == 1):
            faults.append(f"{alias or table} is used without its bucket")
        if verb == "UPDATE" and _sets_bucket(sql):
            faults.append(f"UPDATE {table} changes the bucket")
    return faults


def spread_tables(metadatas: Iterable[MetaData]) -> set[str]:
    """Return the names of the tables that have a bucket."""
    tables = (table for metadata in metadatas for table in metadata.tables.values())
    return {table.name for table in tables if BUCKET in table.c}


@contextmanager
def captured(*engines: Engine) -> Iterator[list[str]]:
    """Collect the statements that go through *engines*, in the order in which they were sent."""
    sent: list[str] = []

    def on_execute(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", on_execute)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", on_execute)


def _faults_of(
    table: Table, local: Mapping[str, str], population: Mapping[str, str]
) -> Iterator[str]:
    if not table.primary_key.columns:
        yield f"{table.name} has no primary key"
    if BUCKET in table.c:
        if table.name in local:
            yield f"{table.name} is said to be local and has a bucket"
        if table.c[BUCKET].nullable:
            yield f"{table.name}.bucket may be NULL"
        yield from _faults_of_keys(table, population)
        return
    if table.name not in local:
        yield f"{table.name} has no bucket, and no reason is given"
    for foreign_key in table.foreign_key_constraints:
        if BUCKET in foreign_key.referred_table.c:
            yield f"{table.name} refers to the spread {foreign_key.referred_table.name}"


def _faults_of_keys(table: Table, population: Mapping[str, str]) -> Iterator[str]:
    keys = [
        key for key in table.constraints if isinstance(key, PrimaryKeyConstraint | UniqueConstraint)
    ]
    for constraint in keys:
        if constraint.columns and not _leads(constraint):
            yield f"a key of {table.name} does not begin with the bucket: {_names(constraint)}"
    for index in table.indexes:
        if not _leads(index) and (index.unique or index.name not in population):
            yield f"{index.name} of {table.name} does not begin with the bucket: {_names(index)}"
    for foreign_key in table.foreign_key_constraints:
        pairs = [(element.parent.name, element.column.name) for element in foreign_key.elements]
        if (BUCKET, BUCKET) not in pairs:
            target = foreign_key.referred_table.name
            yield f"a foreign key of {table.name} leaves the bucket, to {target}"


def _leads(keyed: PrimaryKeyConstraint | UniqueConstraint | Index) -> bool:
    return _names(keyed)[0] == BUCKET


def _names(keyed: Any) -> list[str]:
    return [column.name for column in keyed.columns]


def _uses(sql: str, spread: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield verb, table and alias of each use of a spread table."""
    names = "|".join(sorted(spread, key=len, reverse=True))
    keywords = "WHERE|SET|ON|JOIN|LEFT|INNER|ORDER|GROUP|LIMIT|VALUES|USING|FOR|SELECT|RETURNING"
    pattern = (
        rf'(FROM|JOIN|INTO|COPY|UPDATE|,)\s+"?({names})"?(?![\w."])'
        rf"(?:\s+(?:AS\s+)?(?!(?:{keywords})\b)(\w+))?"
    )
    for use in re.finditer(pattern, sql, re.IGNORECASE):
        yield use[1].upper(), use[2], use[3] or ""


def _sets_bucket(sql: str) -> bool:
    _, _, changes = re.split(r"\bWHERE\b", sql, flags=re.IGNORECASE)[0].partition("SET")
    return re.search(rf'(?<![\w.]){BUCKET}"?\s*=', changes) is not None


def _is_bound(sql: str, name: str, *, alone: bool) -> bool:
    """Tell whether a condition of *sql* holds the bucket of *name* to something."""
    condition = re.search(r"\b(?:WHERE|ON)\b(.*)", sql, re.IGNORECASE | re.DOTALL)
    if condition is None:
        return False
    owner = rf'(?:"?{name}"?\.)' + ("?" if alone else "")
    column = rf'(?<![\w."]){owner}"?{BUCKET}"?(?!\w)'
    held = rf"{column}\s*(?:=|IN\b|BETWEEN\b)|=\s*{column}|\(\s*{column}\s*,"
    return re.search(held, condition[1], re.IGNORECASE) is not None
