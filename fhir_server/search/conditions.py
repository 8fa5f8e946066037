"""One criterion of a query as a condition on rows of the resource table.

Within one patient's record the index tables are read by ranges of their primary keys. Over all
patients a selective token starts from the population index; anything else is looked up row by row,
a token by its whole key, as its sort key is the row's own `sort_date`.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
)

from fhir_server.model.ids import bucket_of
from fhir_server.search.criteria import (
    Criterion,
    DateCriterion,
    IdCriterion,
    Prefix,
    Range,
    RecordCriterion,
    StringCriterion,
    TokenCriterion,
    UpdatedCriterion,
)
from fhir_server.store.tables import index_date, index_string, index_token


def condition(
    criterion: Criterion,
    table: FromClause,
    records: Sequence[str] | None,
    updated: ColumnElement[int],
    now: int,
) -> ColumnElement[bool]:
    """Return the condition that *criterion* puts on rows of *table*.

    *records* are the patients, at least one, in whose records alone it looks, None for all.
    *updated* is the column that `_lastUpdated` compares, *now* (microseconds) what dates are
    near to.
    """
    match criterion:
        case IdCriterion(ids):
            return among(table.c.bucket, table.c.id, ids)
        case RecordCriterion(patients):
            return among(table.c.bucket, table.c.patient, patients)
        case UpdatedCriterion(ranges):
            return or_(*(instant_compared(one, updated, now) for one in ranges))
        case TokenCriterion():
            found = _token(criterion, table, records)
            return not_(found) if criterion.negated else found
        case DateCriterion(hash_, ranges):
            index = index_date.alias()
            return _indexed(
                index, table, records, index.c.hash == hash_,
                or_(*(_compared(one, index.c.low, index.c.high, now) for one in ranges)),
            )  # fmt: skip
        case StringCriterion(hash_):
            index = index_string.alias()
            return _indexed(
                index, table, records, index.c.hash == hash_, _text(criterion, index.c.value)
            )


def among(
    bucket: ColumnElement[int], column: ColumnElement[str], ids: Iterable[str]
) -> ColumnElement[bool]:
    """Return that *column*, an id in *bucket*, is one of *ids*.

    Written out bucket by bucket: SQLite scans the table for a list of pairs.
    """
    homes: dict[int, list[str]] = {}
    for id_ in ids:
        homes.setdefault(bucket_of(id_), []).append(id_)
    if not homes:
        return false()
    return or_(
        *(
            and_(bucket == home, column == here[0] if len(here) == 1 else column.in_(here))
            for home, here in sorted(homes.items())
        )
    )


def _token(
    criterion: TokenCriterion, table: FromClause, records: Sequence[str] | None
) -> ColumnElement[bool]:
    if not criterion.hashes:
        return false()
    index = index_token.alias()
    hashes = index.c.hash.in_(criterion.hashes)
    if records is None and criterion.population and not criterion.negated:
        # Written out, not bound: only so do the planners see that the partial index serves.
        everywhere = index.c.population == literal(1, literal_execute=True)
        found = select(index.c.bucket, index.c.id).where(everywhere, hashes)
        return tuple_(table.c.bucket, table.c.id).in_(found)
    if records is not None and len(records) == 1:
        return _indexed(index, table, records, hashes)
    here = index.c.sort == func.coalesce(table.c.sort_date, 0)
    return _indexed(index, table, records, hashes, here)


def _indexed(
    index: FromClause, table: FromClause, records: Sequence[str] | None, *terms: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Return that a row of *index* of this resource meets *terms*."""
    if records is not None and len(records) == 1:
        home = index.c.bucket == bucket_of(records[0]), index.c.patient == records[0]
        return table.c.id.in_(select(index.c.id).where(*home, *terms))
    return exists(
        select(index.c.bucket).where(
            index.c.bucket == table.c.bucket,
            index.c.patient == table.c.patient,
            index.c.id == table.c.id,
            *terms,
        )
    )


def _text(criterion: StringCriterion, column: ColumnElement[str]) -> ColumnElement[bool]:
    match criterion.match:
        case "exact":
            return column.in_(criterion.values)
        case "contains":
            return or_(*(column.contains(one, autoescape=True) for one in criterion.values))
        case _:
            return or_(*(column.startswith(one, autoescape=True) for one in criterion.values))


def _compared(
    asked: Range, low: ColumnElement[int], high: ColumnElement[int], now: int
) -> ColumnElement[bool]:
    """Return that the span from *low* to *high*, excluded, compares to *asked* as R4 says.

    https://hl7.org/fhir/R4/search.html#prefix; near is what lies within a tenth of the distance
    between then and now.
    """
    within = and_(low >= asked.low, high <= asked.high)
    nearby = _nearby(asked, now)
    comparisons: dict[Prefix, ColumnElement[bool]] = {
        Prefix.EQUAL: within,
        Prefix.NOT_EQUAL: not_(within),
        Prefix.GREATER: high > asked.high,
        Prefix.LESS: low < asked.low,
        Prefix.GREATER_OR_EQUAL: or_(high > asked.high, within),
        Prefix.LESS_OR_EQUAL: or_(low < asked.low, within),
        Prefix.STARTS_AFTER: low >= asked.high,
        Prefix.ENDS_BEFORE: high <= asked.low,
        Prefix.APPROXIMATELY: and_(low < asked.high + nearby, high > asked.low - nearby),
    }
    return comparisons[asked.prefix]


def instant_compared(asked: Range, instant: ColumnElement[int], now: int) -> ColumnElement[bool]:
    """Return that *instant*, a column of microseconds, compares to *asked* as R4 says.

    The column stands alone on its side, so that an index over it serves.
    """
    within = and_(instant >= asked.low, instant < asked.high)
    nearby = _nearby(asked, now)
    comparisons: dict[Prefix, ColumnElement[bool]] = {
        Prefix.EQUAL: within,
        Prefix.NOT_EQUAL: not_(within),
        Prefix.GREATER: instant >= asked.high,
        Prefix.LESS: instant < asked.low,
        Prefix.GREATER_OR_EQUAL: instant >= asked.low,
        Prefix.LESS_OR_EQUAL: instant < asked.high,
        Prefix.STARTS_AFTER: instant >= asked.high,
        Prefix.ENDS_BEFORE: instant < asked.low,
        Prefix.APPROXIMATELY: and_(instant < asked.high + nearby, instant >= asked.low - nearby),
    }
    return comparisons[asked.prefix]


def _nearby(asked: Range, now: int) -> int:
    return abs(now - asked.low) // 10
