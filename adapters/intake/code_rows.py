"""A code map as a laboratory writes it down: CSV with a heading, or rows of a feed's TOML file.

Each row has `code` and `means` (`http://snomed.info/sct|…`), and may have `system` (the name of
CWE.3, or a URI) and `display`. A row that can't be used is named, and then none of them is taken.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.hl7v2.coding_systems import STANDARD, sender_base, system_uri
from adapters.intake.feeds import Feed, FeedWrongError

COLUMNS = ("code", "means", "system", "display")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""How a cell begins that a spreadsheet would work out, and how one begins that was kept from it."""
_NEEDED = frozenset({"code", "means"})


@dataclass(frozen=True, slots=True)
class CodeRow:
    """The laboratory's code in the system that it names, and the coding that means the same."""

    code: str
    system: str
    target_system: str
    target_code: str
    display: str = ""


def from_csv(text: str) -> tuple[CodeRow, ...]:
    """Return the rows of a CSV file, whose heading names the columns in any order.

    Raises FeedWrongError that names the line.
    """
    lines = csv.DictReader(text.removeprefix("\ufeff").splitlines(), restkey="", strict=True)
    try:
        heading = [name.strip().lower() for name in lines.fieldnames or ()]
        if not _NEEDED.issubset(heading) or not set(heading) <= set(COLUMNS):
            raise FeedWrongError(
                f"line 1: the heading has code and means, and perhaps system and display; "
                f"it has {', '.join(heading) or 'nothing'}."
            )
        lines.fieldnames = heading
        return tuple(_row(f"line {lines.line_num}", _read_cells(line)) for line in lines)
    except csv.Error as wrong:
        raise FeedWrongError(f"line {lines.line_num}: {wrong}.") from None


def as_cells(rows: Iterable[CodeRow]) -> list[dict[str, str]]:
    """Return the rows as `from_csv` takes them; a spreadsheet runs nothing of what stands there.

    A laboratory's code is its own text: behind an apostrophe it is no formula.
    """
    return [
        {name: f"'{value}" if value.startswith(_FORMULA) else value for name, value in one.items()}
        for one in as_tables(rows)
    ]


def _read_cells(line: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return {
        name: value[1:]
        if isinstance(value, str) and value[:1] == "'" and value[1:].startswith(_FORMULA)
        else value
        for name, value in line.items()
    }


def from_tables(tables: Any) -> tuple[CodeRow, ...]:
    """Return the rows of a feed's `[[codes]]`. Raises FeedWrongError that names the row."""
    if not isinstance(tables, list) or not all(isinstance(one, Mapping) for one in tables):
        raise FeedWrongError("codes: it takes tables, each with code and means.")
    for number, one in enumerate(tables, 1):
        if strange := one.keys() - set(COLUMNS):
            raise FeedWrongError(
                f"codes, row {number}: {min(strange)} is none of {', '.join(COLUMNS)}."
            )
    return tuple(_row(f"codes, row {number}", one) for number, one in enumerate(tables, 1))


def _row(place: str, row: Mapping[Any, Any]) -> CodeRow:
    values = {name: row.get(name) or "" for name in COLUMNS}
    if "" in row or not all(isinstance(value, str) for value in values.values()):
        raise FeedWrongError(f"{place}: each of {', '.join(COLUMNS)} is one text.")
    values = {name: value.strip() for name, value in values.items()}
    system, mark, code = values["means"].rpartition("|")
    if not values["code"]:
        raise FeedWrongError(f"{place}: code is missing.")
    if not mark or system not in STANDARD or not code:
        raise FeedWrongError(
            f"{place}: means is one of {', '.join(sorted(STANDARD))}, then | and the code."
        )
    return CodeRow(values["code"], values["system"], system, code, values["display"])


def system_of(row: CodeRow, feed: Feed) -> str:
    """Return the URI of the system in which *feed* sends the code of *row*."""
    if ":" in row.system:
        return row.system
    dialect = feed.dialect
    base = dialect.local_base or sender_base(feed.sending_facility or dialect.authority)
    return dialect.local_systems.get(row.system) or system_uri(row.system, base)


def as_tables(rows: Iterable[CodeRow]) -> list[dict[str, str]]:
    """Return the rows as `from_tables` takes them."""
    return [
        {
            name: value
            for name, value in (
                ("code", row.code),
                ("means", f"{row.target_system}|{row.target_code}"),
                ("system", row.system),
                ("display", row.display),
            )
            if value
        }
        for row in rows
    ]
