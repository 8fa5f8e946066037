"""Codes without a meaning: what they look like, what they may mean, and what a meaning would do."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from adapters.hl7v2.coding_systems import LOINC, SNOMED_CT
from adapters.intake import remapping, tracing
from adapters.intake.remapping import Local, Waits
from auth.principal import Role
from fhir_server.clock import from_micros, micros
from fhir_server.errors import Unprocessable
from portal_api import code_mapping, london
from portal_api.code_mapping import Target
from portal_api.error_queue import Clerk
from portal_api.pages.desk import Desk, Visit, answer, done, endpoint
from portal_api.pages.operator_queue import clerk_of, trial_shown
from portal_api.pages.operator_trace import MESSAGES
from portal_api.pages.views_codes import (
    BegunRow,
    CodeRow,
    CodesView,
    CodeView,
    EffectView,
    Suggestion,
)
from portal_api.pages.views_shell import FormError

CODES = "/operator/codes"
_SYSTEMS = ((LOINC, "LOINC"), (SNOMED_CT, "SNOMED CT"))
_SAMPLES = 3
_PARTS = "\x1f"


def routes(desk: Desk) -> APIRouter:
    """Return the routes of the work list of codes."""
    router = APIRouter()
    for path, method, handler in (
        (CODES, "GET", show_codes),
        (f"{CODES}/one", "GET", show_code),
        (f"{CODES}/try", "POST", show_effect),
        (f"{CODES}/map", "POST", give),
        (f"{CODES}/go-on", "POST", go_on),
    ):
        served = endpoint(desk, Role.OPERATOR, handler)
        router.add_route(path, served, [method], include_in_schema=False)
    return router


async def show_codes(desk: Desk, visit: Visit) -> Response:
    """Answer with the codes that no map knows, the commonest first. No patient is in it."""
    view = await run_in_threadpool(_codes, clerk_of(desk, visit))
    return answer(desk, visit, "operator/codes.jinja", view)


async def show_code(desk: Desk, visit: Visit) -> Response:
    """Answer with one code, and what it may mean."""
    view = await run_in_threadpool(_code, clerk_of(desk, visit), _local(visit.query))
    return answer(desk, visit, "operator/code.jinja", view)


async def show_effect(desk: Desk, visit: Visit) -> Response:
    """Answer with what the chosen meaning would do to the results that wait. Nothing is done."""
    clerk, local = clerk_of(desk, visit), _local(visit.form)
    try:
        target = _target(visit.form)
    except Unprocessable as error:
        errors = (FormError("code", error.issues[0].text),)
        view = await run_in_threadpool(_code, clerk, local, errors)
        return answer(desk, visit, "operator/code.jinja", view, 422)
    effect = await run_in_threadpool(_effect, clerk, local, target)
    return answer(desk, visit, "operator/effect.jinja", effect)


async def give(desk: Desk, visit: Visit) -> Response:
    """Give the code its meaning, and file what waited for it."""
    clerk, local = clerk_of(desk, visit), _local(visit.form)
    await run_in_threadpool(code_mapping.give, clerk, local, _target(visit.form))
    return done(CODES, "mapped")


async def go_on(desk: Desk, visit: Visit) -> Response:
    """File what still waits for a code that has its meaning."""
    await run_in_threadpool(code_mapping.go_on, clerk_of(desk, visit), _local(visit.form))
    return done(CODES, "mapped")


def _codes(clerk: Clerk) -> CodesView:
    rows = remapping.work_list(clerk.record)
    locals_ = [Local(row.feed, row.system, row.code) for row in rows]
    begun = remapping.begun(clerk.record)
    counted = remapping.waits(clerk.record, [*locals_, *begun])
    return CodesView(
        tuple(_row(row, counted) for row in rows),
        tuple(BegunRow(one.feed, one.code, counted[one].count, _fields(one)) for one in begun),
    )


def _row(row: Row[Any], counted: Mapping[Local, Waits]) -> CodeRow:
    local = Local(row.feed, row.system, row.code)
    waits = counted.get(local)
    return CodeRow(
        href=f"{CODES}/one?{urlencode(_fields(local))}",
        feed=row.feed,
        system=row.system,
        code=row.code,
        name=row.display,
        unit=row.unit,
        seen=row.times,
        waiting=waits.count if waits else 0,
        since=london.at(from_micros(row.first_seen)),
    )


def _code(clerk: Clerk, local: Local, errors: tuple[FormError, ...] = ()) -> CodeView:
    row = code_mapping.found(clerk, local)
    samples = remapping.messages(clerk.record, local, _SAMPLES)
    return CodeView(
        row=_row(row, remapping.waits(clerk.record, [local])),
        fields=_fields(local),
        samples=tuple(
            (f"{MESSAGES}/{one.feed}/{tracing.mark_of(one._asdict())}", one.control_id)
            for one in samples
        ),
        suggestions=tuple(
            Suggestion(
                _PARTS.join((one.system, one.code, one.display)),
                one.display,
                f"{dict(_SYSTEMS).get(one.system, one.system)} {one.code}",
                one.source,
            )
            for one in code_mapping.suggestions(clerk, row)
        ),
        systems=_SYSTEMS,
        errors=errors,
    )


def _effect(clerk: Clerk, local: Local, target: Target) -> EffectView:
    row = code_mapping.found(clerk, local)
    found = code_mapping.effect(clerk, local, target)
    now = clerk.record.clock()
    opened, held = found.results(micros(now))
    chosen = _PARTS.join((target.system, target.code, target.display))
    return EffectView(
        row=_row(row, remapping.waits(clerk.record, [local])),
        fields=(*_fields(local), ("suggestion", chosen)),
        target=f"{dict(_SYSTEMS)[target.system]} {target.code} {target.display}".strip(),
        waiting=found.waiting,
        tried=len(found.tried),
        opened=opened,
        held=held,
        trials=tuple(trial_shown(one, london.at(now)) for one in found.tried[:_SAMPLES]),
    )


def _local(sent: Mapping[str, str]) -> Local:
    return Local(sent.get("feed", ""), sent.get("from_system", ""), sent.get("from_code", ""))


def _fields(local: Local) -> tuple[tuple[str, str], ...]:
    named = {"feed": local.feed, "from_system": local.system, "from_code": local.code}
    return tuple(named.items())


def _target(form: Mapping[str, str]) -> Target:
    """Return the suggestion that was chosen, else what was written. Raises Unprocessable."""
    if not form.get("code", "").strip() and form.get("suggestion"):
        parts = form["suggestion"].split(_PARTS)
        if len(parts) == 3:
            return code_mapping.judged(*parts)
    return code_mapping.judged(
        form.get("system", ""), form.get("code", ""), form.get("display", "")
    )
