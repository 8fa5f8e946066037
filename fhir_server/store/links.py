"""Which records are one person's: a record is a list of patients, each in its own bucket.

A merge moves nothing. What was filed under a retired id stays in its bucket, under that id, and is
found through the rows of `patient_link`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from fhir_server.model.ids import bucket_of, is_id
from fhir_server.store.tables import patient_link

Query = Callable[[Select[Any], Mapping[str, Any]], Sequence[Row[Any]]]
"""How rows are asked for: `Writer.select` in a piece, `asking` on a connection."""

_OTHERS = (
    select(patient_link.c.other, patient_link.c.survivor)
    .where(*(patient_link.c[name] == bindparam(name) for name in ("bucket", "patient")))
    .order_by(patient_link.c.other)
)


def asking(connection: Connection) -> Query:
    """Return how rows are asked for on *connection*."""
    return lambda statement, parameters: connection.execute(statement, parameters).all()


def together(query: Query, patient: str) -> tuple[str, ...]:
    """Return the ids under which the record of *patient* (an id) is kept, this one first."""
    return (patient, *(row.other for row in _others(query, patient)))


def survivor(query: Query, patient: str) -> str:
    """Return the id that stands for the record of *patient*: their own where nothing is joined."""
    return next((str(row.survivor) for row in _others(query, patient)), patient)


def widened(query: Query, patients: Iterable[str]) -> tuple[str, ...]:
    """Return *patients* with all ids under which their records are kept, each once."""
    found = (one for patient in patients for one in together(query, patient))
    return tuple(dict.fromkeys(found))


def _others(query: Query, patient: str) -> Sequence[Row[Any]]:
    return query(_OTHERS, place(patient)) if is_id(patient) else ()


def place(patient: str) -> dict[str, Any]:
    """Return where the rows of *patient* are: the bucket and the id, by column."""
    return {"bucket": bucket_of(patient), "patient": patient}
