"""Rows that wait to be written: one multi-row statement for each table when they go."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, Table

from fhir_server import insertion, prepared


class Gathered:
    """Changes and new rows by statement and table, in the order in which they came.

    *touched* has a (table, bucket) for each place in which something waits.
    """

    __slots__ = ("changed", "inserted", "touched")

    def __init__(self) -> None:
        self.changed: dict[ClauseElement, list[Mapping[str, Any]]] = {}
        self.inserted: dict[Table, list[Sequence[Any]]] = {}
        self.touched: set[tuple[str, int]] = set()

    def insert(self, table: Table, bucket: int, rows: Sequence[Sequence[Any]]) -> None:
        """Let *rows* wait to be inserted into *table*."""
        if rows:
            self.inserted.setdefault(table, []).extend(rows)
            self.touched.add((table.name, bucket))

    def change(self, statement: ClauseElement, table: Table, line: Mapping[str, Any]) -> None:
        """Let *statement* wait to be executed with *line*."""
        self.changed.setdefault(statement, []).append(line)
        self.touched.add((table.name, line["key_bucket"]))

    def absorb(self, later: "Gathered") -> None:
        """Let what waits in *later* wait here, behind what does already."""
        for statement, lines in later.changed.items():
            self.changed.setdefault(statement, []).extend(lines)
        for table, rows in later.inserted.items():
            self.inserted.setdefault(table, []).extend(rows)
        self.touched |= later.touched

    def send(self, connection: Connection) -> None:
        """Write everything, and forget it."""
        if not self.touched:
            return
        for statement, lines in self.changed.items():
            prepared.run(connection, statement, lines)
        for table, rows in self.inserted.items():
            insertion.insert(connection, table, rows)
        self.changed.clear()
        self.inserted.clear()
        self.touched.clear()
