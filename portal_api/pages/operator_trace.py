"""The operator's pages that find messages, and show one: raw, taken apart, and its fate."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from adapters.fhir_push import anatomy as of_bundles
from adapters.fhir_push.reading import kind_of
from adapters.hl7v2.anatomy import Anatomy, anatomy
from adapters.intake import registry, tracing
from adapters.intake.tracing import Span
from auth.principal import Role
from fhir_server.clock import from_micros, micros
from fhir_server.record import Record
from portal_api import london, merge_review, messages_seen
from portal_api.feed_words import FATES
from portal_api.flag_words import flags_shown
from portal_api.messages_seen import Question, Seen
from portal_api.pages.desk import Desk, Visit, answer, endpoint
from portal_api.pages.views_messages import ActShown, MessageRow, MessageView, TraceForm, TraceView
from portal_api.pages.views_shell import Choice, FormError

TRACE = "/operator/trace"
MESSAGES = "/operator/messages"
MERGES_AT = "/operator/merges"
_TIME = "Write the time as 2026-11-24T14:30"
_ACTS = {"replayed": "Ran it again", "closed": "Closed it", "reopened": "Put it back in the queue"}


def routes(desk: Desk) -> APIRouter:
    """Return the routes of tracing."""
    router = APIRouter()
    for path, method, handler in (
        (TRACE, "GET", show_trace),
        (TRACE, "POST", search),
        (MESSAGES + "/{feed}/{mark}", "GET", show_message),
    ):
        served = endpoint(desk, Role.OPERATOR, handler)
        router.add_route(path, served, [method], include_in_schema=False)
    return router


async def show_trace(desk: Desk, visit: Visit) -> Response:
    """Answer with the form; with messages where the address names what to look for."""
    if not visit.query.keys() & {"key", "feed"}:
        view = TraceView(await _form(visit, {}), None)
        return answer(desk, visit, "operator/trace.jinja", view)
    return await _found(desk, visit, visit.query)


async def search(desk: Desk, visit: Visit) -> Response:
    """Answer with what the form looks for: sent as a form, so that no number is in an address."""
    return await _found(desk, visit, visit.form)


async def show_message(desk: Desk, visit: Visit) -> Response:
    """Answer with one message; the look is on the ledger first, for each patient in it."""
    view = await seen(visit, visit.path["feed"], visit.path["mark"])
    return answer(desk, visit, "operator/message.jinja", view)


async def seen(
    visit: Visit, feed: str, mark: str, errors: tuple[FormError, ...] = ()
) -> MessageView:
    """Return one message as it is shown; the look is on the ledger first."""
    record = visit.caller.record
    found = await messages_seen.one(record, visit.caller.access, feed, mark)
    charset = await run_in_threadpool(_charset, record, feed)
    return replace(_message(found, charset), errors=errors)


def message_row(row: Row[Any]) -> MessageRow:
    """Return a message of the inbox as it stands in a list."""
    mark = tracing.mark_of(row._asdict())
    return MessageRow(
        href=f"{MESSAGES}/{quote(row.feed)}/{mark}",
        feed=row.feed,
        control_id=row.control_id,
        kind=row.message_type,
        arrived=london.at(from_micros(row.received)),
        fate=FATES.get(row.fate, row.fate),
        field=row.address,
        reason=row.reason,
        mark=mark,
    )


async def _found(desk: Desk, visit: Visit, asked: Mapping[str, str]) -> Response:
    times = {name: asked.get(name, "").strip() for name in ("since", "until")}
    moments = {name: london.wall_clock(text) for name, text in times.items()}
    errors = tuple(
        FormError(name, _TIME) for name, text in times.items() if text and moments[name] is None
    )
    form = await _form(visit, asked)
    if errors:
        view = TraceView(form, (), errors=errors)
        return answer(desk, visit, "operator/trace.jinja", view, 422)
    since, until = (micros(one) if one else None for one in moments.values())
    span = Span(asked.get("feed", ""), asked.get("fate", ""), since, until)
    before = tracing.cursor_of(asked.get("before", ""))
    question = Question(asked.get("key", ""), span, before)
    page = await messages_seen.search(visit.caller.record, visit.caller.access, question)
    older = tracing.cursor_text(page.next) if page.next else ""
    view = TraceView(form, tuple(message_row(row) for row in page.rows), older)
    return answer(desk, visit, "operator/trace.jinja", view)


async def _form(visit: Visit, asked: Mapping[str, str]) -> TraceForm:
    feeds = await run_in_threadpool(_feeds, visit.caller.record)
    return TraceForm(
        key=asked.get("key", "").strip(),
        since=asked.get("since", "").strip(),
        until=asked.get("until", "").strip(),
        feeds=_choices({"": "Any feed"} | {one: one for one in feeds}, asked.get("feed", "")),
        fates=_choices({"": "Anything"} | dict(FATES), asked.get("fate", "")),
    )


def _feeds(record: Record) -> list[str]:
    agreed = (one.name for one in registry.agreed(record))
    return sorted({*agreed, *tracing.newest_of_feeds(record)})


def _choices(texts: Mapping[str, str], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, text, value == chosen) for value, text in texts.items())


def _charset(record: Record, feed: str) -> str:
    agreed = (one for one in registry.agreed(record) if one.name == feed)
    return next((one.dialect.charset for one in agreed), "")


def _message(found: Seen, charset: str) -> MessageView:
    row = found.row
    raw = bytes(row.raw)
    return MessageView(
        row=message_row(row),
        peer=row.peer,
        copies=row.copies,
        flags=flags_shown(row.flags),
        resources=tuple(row.made.split()),
        answers=tuple(lines(one) for one in bytes(row.ack).split(b"\x1c") if one),
        raw=lines(raw),
        anatomy=_anatomy(row, charset),
        acts=tuple(_act(one) for one in found.acts),
        waits=found.waits,
        closed=not found.waits and row.fate != "filed",
        merge=_merge(row),
    )


def _merge(row: Row[Any]) -> str:
    """Return where both records of a merge are shown; empty for any other message."""
    if not merge_review.is_about_two(row.message_type):
        return ""
    return f"{MERGES_AT}/{quote(row.feed)}/{tracing.mark_of(row._asdict())}"


def _anatomy(row: Row[Any], charset: str) -> Anatomy:
    if kind_of(row.message_type) is not None:
        return of_bundles.anatomy(bytes(row.raw), row.address)
    return anatomy(bytes(row.raw), charset, row.address)


def _act(row: Row[Any]) -> ActShown:
    after = FATES.get(row.fate, row.fate)
    said = ": ".join(filter(None, (_ACTS.get(row.act, row.act), row.reason.rstrip("."))))
    when = london.at(from_micros(row.acted))
    return ActShown(when, row.acted_by, said, f"{after} ({row.code})" if row.code else after)


def lines(raw: bytes) -> str:
    """Return the bytes of a message, one segment a line; what is no UTF-8 is read as Latin-1."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
