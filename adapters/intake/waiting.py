"""What waits for a person: the messages that were neither filed nor closed, each with its reason.

A message leaves the list when it is filed, or when somebody closes it with a reason; the message
itself is never deleted, and what people did with it is kept beside it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, case, delete, func, insert, select, update

from adapters.fhir_push import answer_codes
from adapters.intake.tables import inbox, inbox_act, inbox_waiting
from fhir_server.record import Record, Writer

Place = Mapping[str, Any]
"""A message's key, by column: bucket, feed, control_id, sha256."""

_KEY = ("bucket", "feed", "control_id", "sha256")
_ANSWER = re.compile(rb"MSA(.)([AC][AER])\1")


def put(writer: Writer, place: Place, about: Mapping[str, Any]) -> None:
    """Let the message at *place* wait; *about* has received, fate, code, and ack (bytes)."""
    codes = [match[2].decode() for match in _ANSWER.finditer(about["ack"])]
    codes += filter(None, (answer_codes.code_of(about["ack"]),))
    line = {
        "received": about["received"],
        "fate": about["fate"],
        "code": about["code"],
        "answered": codes[-1] if codes else "",
    }
    writer.insert(inbox_waiting, _key(place) | line)


def change(writer: Writer, place: Place, fate: str, code: str) -> None:
    """Note why the message waits now, if it still does."""
    writer.execute(
        update(inbox_waiting).where(*_at(inbox_waiting, place)).values(fate=fate, code=code)
    )


def take_out(writer: Writer, place: Place) -> bool:
    """Let the message wait no longer. Tell whether it did."""
    return bool(writer.execute(delete(inbox_waiting).where(*_at(inbox_waiting, place))))


def forget(writer: Writer, place: Place) -> None:
    """Take away everything about a message that is itself taken away."""
    take_out(writer, place)
    writer.execute(delete(inbox_act).where(*_at(inbox_act, place)))


def note_act(writer: Writer, place: Place, act: str, after: tuple[str, str], reason: str) -> None:
    """Keep what somebody did with the message; *after* is its fate and code afterwards."""
    agent = writer.access.agent
    by = agent.behind or agent.name or agent.user or agent.role
    last = select(func.max(inbox_act.c.acted)).where(*_at(inbox_act, place))
    known = writer.select(last)[0][0] or 0
    writer.execute(
        insert(inbox_act).values(
            **_key(place),
            acted=max(writer.now, known + 1),
            act=act,
            acted_by=by,
            fate=after[0],
            code=after[1],
            reason=reason,
        )
    )


def is_waiting(asked: Record | Writer, place: Place) -> bool:
    """Tell whether the message waits for a person."""
    return bool(asked.select(select(inbox_waiting.c.bucket).where(*_at(inbox_waiting, place))))


def acts(record: Record, place: Place) -> Sequence[Row[Any]]:
    """Return what people did with the message, oldest first."""
    statement = select(inbox_act).where(*_at(inbox_act, place)).order_by(inbox_act.c.acted)
    return record.select(statement)


def groups(record: Record) -> Sequence[Row[Any]]:
    """Return how many wait for the same reason in each feed, with the oldest and the newest.

    `alarms` counts those that were answered with AA: the sender does not know of them.
    """
    waits = inbox_waiting.c
    accepted = func.sum(case((waits.answered == "AA", 1), else_=0))
    return record.select(
        select(
            waits.feed,
            waits.code,
            func.count().label("times"),
            func.min(waits.received).label("oldest"),
            func.max(waits.received).label("newest"),
            accepted.label("alarms"),
        )
        .group_by(waits.feed, waits.code)
        .order_by(func.count().desc(), waits.feed, waits.code)
    )


def queue(
    feed: str = "",
    code: str | None = None,
    before: tuple[int, str] | None = None,
    most: int = 100,
    until: int | None = None,
) -> Select[Any]:
    """Return the statement for what waits, newest first, without the bytes.

    Of one *feed* and for one *code* where they are given, and of what came *until* then
    (microseconds, included); *before* is (received, sha256) of the last one seen.
    """
    waits = inbox_waiting.c
    shown = [column for column in inbox.c if column.name not in {"raw", "ack"}]
    same = and_(*(inbox.c[name] == waits[name] for name in _KEY))
    statement = select(*shown, waits.answered).join_from(inbox_waiting, inbox, same)
    if feed:
        statement = statement.where(waits.feed == feed)
    if code is not None:
        statement = statement.where(waits.code == code)
    if until is not None:
        statement = statement.where(waits.received <= until)
    if before is not None:
        received, sha256 = before
        older = and_(waits.received == received, waits.sha256 < sha256)
        statement = statement.where(waits.received <= received).where(
            (waits.received < received) | older
        )
    return statement.order_by(waits.received.desc(), waits.sha256.desc()).limit(most)


def _key(place: Place) -> dict[str, Any]:
    return {name: place[name] for name in _KEY}


def _at(table: Any, place: Place) -> list[Any]:
    return [table.c[name] == place[name] for name in _KEY]
