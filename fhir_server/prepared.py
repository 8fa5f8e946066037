"""Hot statements: compiled by SQLAlchemy once, then executed on the driver's own connection.

What SQLAlchemy does anew for each execution costs ten times what SQLite needs to answer. Listeners
to the engine's `before_cursor_execute` hear these statements as they hear all others, and errors
of the driver come as SQLAlchemy's.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NoReturn, cast

from sqlalchemy import ClauseElement, Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError

_KEPT = 512
"""Statements that are remembered: those of modules, of which there are a few dozen."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the driver takes it: its text, its parameters in order, and how to bind them.

    *names* are those of the parameters by place; *fixed* are the values that stand in the
    statement itself; *row* makes a row with names of what the driver returns.
    """

    text: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    row: Callable[[Sequence[Any]], Any]

    def bound(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the values in the order of the statement's parameters."""
        fixed = self.fixed
        return tuple([given[name] if name in given else fixed[name] for name in self.names])


@lru_cache(_KEPT)
def prepared(statement: ClauseElement, dialect: Dialect) -> Prepared:
    """Return *statement*, one that a module made once, as it is sent in *dialect*."""
    by_place: Any = type(dialect)
    compiled: Any = statement.compile(
        dialect=dialect if dialect.positional else by_place(paramstyle="format")
    )
    if compiled.post_compile_params:
        raise AssertionError("a hot statement has no list of values: its text is always the same")
    return Prepared(
        text=str(compiled),
        names=tuple(compiled.positiontup or ()),
        fixed={name: value for name, value in compiled.params.items() if value is not None},
        row=_row(statement),
    )


def _row(statement: ClauseElement) -> Callable[[Sequence[Any]], Any]:
    if not isinstance(statement, Select):
        return tuple
    names = [column.name for column in statement.selected_columns]
    made: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - made at run time
    return cast(Callable[[Sequence[Any]], Any], made._make)


def rows(
    connection: Connection, statement: Select[Any], parameters: Mapping[str, Any]
) -> list[Any]:
    """Return the rows of *statement*, each a named tuple."""
    ready = prepared(statement, connection.dialect)
    cursor = send(connection, ready.text, ready.bound(parameters))
    try:
        found = cursor.fetchall()
    except BaseException as error:  # noqa: BLE001 - it is raised again, in any case
        fail(connection, cursor, ready.text, error)
    return [ready.row(row) for row in found]


def run(
    connection: Connection, statement: ClauseElement, lines: Sequence[Mapping[str, Any]]
) -> None:
    """Execute *statement*, which returns no rows, once with each of *lines*."""
    if not connection.in_transaction():
        connection.begin()
    ready = prepared(statement, connection.dialect)
    send(connection, ready.text, [*map(ready.bound, lines)], "executemany")


def send(
    connection: Connection,
    text: str,
    parameters: Sequence[Any] = (),
    method: Literal["execute", "executemany"] = "execute",
) -> Any:
    """Execute *text* on the driver's connection, and return its cursor. Raises DBAPIError."""
    cursor = announced(connection, text, parameters, many=method == "executemany")
    try:
        getattr(cursor, method)(text, parameters)
    except BaseException as error:  # noqa: BLE001 - it is raised again, in any case
        fail(connection, cursor, text, error)
    return cursor


def announced(connection: Connection, text: str, parameters: Sequence[Any], *, many: bool) -> Any:
    """Return a cursor for *text*, of which those who listen to the engine have been told."""
    cursor: Any = connection.connection.cursor()
    if heard := connection.dispatch.before_cursor_execute:
        heard(connection, cursor, text, parameters, None, many)
    return cursor


def fail(connection: Connection, cursor: Any, text: str, error: BaseException) -> NoReturn:
    """Close *cursor*, and raise a driver's *error* as SQLAlchemy says it, any other as it is.

    Left open, it would keep SQLite's lock for as long as somebody holds the traceback.
    """
    cursor.close()
    driver = connection.dialect.loaded_dbapi
    if not isinstance(error, driver.Error):
        raise error
    raise DBAPIError.instance(
        text, None, error, driver.Error, hide_parameters=True, dialect=connection.dialect
    ) from error
