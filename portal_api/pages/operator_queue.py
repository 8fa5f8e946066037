"""The error queue: what waits and why, what running it again would do, and doing that."""

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from adapters.intake import tracing, waiting
from adapters.intake.trial import Change, Trial
from auth.principal import Role
from fhir_server.audit.subtypes import Subtype
from fhir_server.clock import from_micros
from fhir_server.errors import Unprocessable
from fhir_server.rest.exchange import within_deadline
from portal_api import error_queue, london
from portal_api.error_queue import AT_ONCE, Chosen, Clerk
from portal_api.feed_words import FATES
from portal_api.pages import operator_trace
from portal_api.pages.desk import Desk, Visit, answer, done, endpoint
from portal_api.pages.operator_trace import MESSAGES, message_row
from portal_api.pages.views_messages import (
    ChangeShown,
    ErrorQueueView,
    GroupRow,
    TrialShown,
    TrialView,
)
from portal_api.pages.views_shell import FormError

ERRORS = "/operator/errors"
_HOW = {"created": "new", "updated": "changed", "unchanged": "stays as it is"}
_PAGE = 100


def routes(desk: Desk) -> APIRouter:
    """Return the routes of the error queue."""
    router = APIRouter()
    for path, method, handler in (
        (ERRORS, "GET", show_queue),
        (f"{ERRORS}/try", "POST", show_trial),
        (f"{ERRORS}/replay", "POST", replay),
        (f"{ERRORS}/close", "POST", close),
        (f"{ERRORS}/reopen", "POST", reopen),
    ):
        served = endpoint(desk, Role.OPERATOR, handler)
        router.add_route(path, served, [method], include_in_schema=False)
    return router


async def show_queue(desk: Desk, visit: Visit) -> Response:
    """Answer with what waits for a person; the look is on the ledger first."""
    view = await _queue(visit, visit.query)
    return answer(desk, visit, "operator/errors.jinja", view)


async def show_trial(desk: Desk, visit: Visit) -> Response:
    """Answer with what running the chosen messages again would do. Nothing is done."""
    chosen = _chosen(visit.form)
    trials = await run_in_threadpool(error_queue.tries, clerk_of(desk, visit), chosen)
    now = visit.caller.record.clock()
    view = TrialView(
        trials=tuple(trial_shown(one, london.at(now)) for one in trials),
        fields=_fields(chosen),
        back=_place(chosen),
        filed=sum(one.fate == "filed" for one in trials),
    )
    return answer(desk, visit, "operator/trial.jinja", view)


async def replay(desk: Desk, visit: Visit) -> Response:
    """Run the chosen messages again, and lead back to where they were chosen."""
    chosen = _chosen(visit.form)
    await run_in_threadpool(error_queue.runs, clerk_of(desk, visit), chosen)
    return done(_place(chosen), "ran-one") if chosen.mark else done(ERRORS, "ran")


async def close(desk: Desk, visit: Visit) -> Response:
    """Close the chosen messages with the reason in the form; without one, say so beside it."""
    chosen = _chosen(visit.form)
    try:
        reason = visit.form.get("reason", "")
        await run_in_threadpool(error_queue.close, clerk_of(desk, visit), chosen, reason)
    except Unprocessable as error:
        errors = (FormError("reason", error.issues[0].text),)
        if chosen.mark:
            view = await operator_trace.seen(visit, chosen.feed, chosen.mark, errors)
            return answer(desk, visit, "operator/message.jinja", view, 422)
        queue = await _queue(visit, visit.form, errors)
        return answer(desk, visit, "operator/errors.jinja", queue, 422)
    return done(_place(chosen) if chosen.mark else ERRORS, "closed")


async def reopen(desk: Desk, visit: Visit) -> Response:
    """Put a message back that was closed."""
    chosen = _chosen(visit.form)
    await run_in_threadpool(error_queue.reopen, clerk_of(desk, visit), chosen)
    return done(_place(chosen), "reopened")


async def _queue(
    visit: Visit, asked: Mapping[str, str], errors: tuple[FormError, ...] = ()
) -> ErrorQueueView:
    record, access = visit.caller.record, visit.caller.access
    note = record.note(access, Subtype.MESSAGE_SEEN, entity="error-queue")
    await within_deadline(note)
    feed, code = asked.get("feed", ""), asked.get("code")
    groups = await run_in_threadpool(_groups, visit)
    before = tracing.cursor_of(asked.get("before", ""))
    statement = waiting.queue(feed, code, before, _PAGE + 1)
    rows = await run_in_threadpool(record.select, statement)
    chosen = next((one for one in groups if (one.feed, one.code) == (feed, code)), None)
    newest = rows[0].received if rows else 0
    older = ""
    if len(rows) > _PAGE:
        last = rows[_PAGE - 1]
        named = {name: asked[name] for name in ("feed", "code") if name in asked}
        cursor = tracing.cursor_text((last.received, last.sha256))
        older = f"{ERRORS}?{urlencode({**named, 'before': cursor})}"
    return ErrorQueueView(
        groups=groups,
        rows=tuple(message_row(row) for row in rows[:_PAGE]),
        chosen=chosen,
        fields=_fields(Chosen(feed, code=code or "", until=newest)) if chosen else (),
        at_once=AT_ONCE,
        older=older,
        errors=errors,
    )


def _groups(visit: Visit) -> tuple[GroupRow, ...]:
    record = visit.caller.record
    now = record.clock()
    return tuple(
        GroupRow(
            href=f"{ERRORS}?{urlencode({'feed': row.feed, 'code': row.code})}",
            feed=row.feed,
            code=row.code,
            count=row.times,
            oldest=london.age(from_micros(row.oldest), now),
            alarms=int(row.alarms),
        )
        for row in waiting.groups(record)
    )


def clerk_of(desk: Desk, visit: Visit) -> Clerk:
    """Return who works on what waits, with the feeds as they are agreed on now."""
    return Clerk(visit.caller.record, visit.caller.access, desk.feeds())


def _chosen(form: Mapping[str, str]) -> Chosen:
    until = form.get("until", "")
    moment = int(until) if until.isascii() and until.isdigit() and len(until) <= 17 else 0
    return Chosen(form.get("feed", ""), form.get("mark", ""), form.get("code", ""), moment)


def _fields(chosen: Chosen) -> tuple[tuple[str, str], ...]:
    if chosen.mark:
        return ("feed", chosen.feed), ("mark", chosen.mark)
    return ("feed", chosen.feed), ("code", chosen.code), ("until", str(chosen.until or 0))


def _place(chosen: Chosen) -> str:
    if chosen.mark:
        return f"{MESSAGES}/{chosen.feed}/{chosen.mark}"
    return f"{ERRORS}?{urlencode({'feed': chosen.feed, 'code': chosen.code})}"


def trial_shown(one: Trial, now: london.Moment) -> TrialShown:
    """Return a trial as it is shown."""
    counts = {how: sum(change.how == how for change in one.changes) for how in _HOW}
    said = [f"{count} {_HOW[how]}" for how, count in counts.items() if count]
    return TrialShown(
        href=f"{MESSAGES}/{one.feed}/{one.mark}",
        control_id=one.control_id,
        fate=FATES.get(one.fate, one.fate),
        field=one.address,
        reason=one.reason,
        summary=", ".join(said),
        changes=tuple(_change(change, now) for change in one.changes if change.how != "unchanged"),
    )


def _change(change: Change, now: london.Moment) -> ChangeShown:
    return ChangeShown(
        reference=change.reference,
        how=_HOW[change.how],
        release=_release(change, now),
        lines=tuple((line.path, line.how, line.value) for line in change.lines),
        more=change.more,
    )


def _release(change: Change, now: london.Moment) -> str:
    if not change.reference.startswith(("Observation/", "DiagnosticReport/", "DocumentReference/")):
        return ""
    if change.opens is None:
        return "Held from the patient until a clinician opens it."
    opens = london.at(from_micros(change.opens))
    if opens <= now:
        return "Open to the patient."
    return f"Held from the patient until {london.day_and_time(opens)}."
