"""Codes without a meaning, for programs: the work list, what a meaning would do, and giving it."""

from datetime import datetime
from functools import cache

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from adapters.intake import remapping
from adapters.intake.remapping import Local
from fhir_server.clock import from_micros, micros
from portal_api import code_mapping
from portal_api.api.door import Asking, Guarded
from portal_api.api.door import Clerk as Asker
from portal_api.api.queue import TrialOut, trial_out
from portal_api.error_queue import Clerk


class CodeOut(BaseModel):
    """One code of a feed without a meaning, and how many messages wait for it."""

    feed: str
    system: str
    code: str
    display: str
    unit: str
    seen: int
    waiting: int
    first_seen: datetime


class MeaningIn(BaseModel):
    """A feed's code, and the coding in LOINC or SNOMED CT that means the same."""

    feed: str
    system: str
    code: str
    target_system: str
    target_code: str
    target_display: str = ""


class EffectOut(BaseModel):
    """What a meaning would do: results that would open now, and that would stay held."""

    waiting: int
    would_open: int
    would_stay_held: int
    tried: list[TrialOut]


class MappedOut(BaseModel):
    """How many messages were filed with the meaning."""

    filed: int


@cache
def routes() -> APIRouter:
    """Return the routes below `/api/codes`."""
    router = APIRouter(prefix="/api/codes", route_class=Guarded)
    router.add_api_route("", listed, methods=["GET"])
    router.add_api_route("/try", tried, methods=["POST"])
    router.add_api_route("/map", mapped, methods=["POST"])
    return router


async def listed(clerk: Asking) -> list[CodeOut]:
    """Return the work list, the commonest first. No patient is in it."""
    return await run_in_threadpool(_listed, _clerk(clerk))


async def tried(clerk: Asking, meaning: MeaningIn) -> EffectOut:
    """Return what the meaning would do to what waits. Nothing is done."""
    effect = await run_in_threadpool(
        code_mapping.effect, _clerk(clerk), _local(meaning), _target(meaning)
    )
    opened, held = effect.results(micros(clerk.record.clock()))
    trials = [trial_out(one) for one in effect.tried]
    return EffectOut(waiting=effect.waiting, would_open=opened, would_stay_held=held, tried=trials)


async def mapped(clerk: Asking, meaning: MeaningIn) -> MappedOut:
    """Give the code its meaning, and file what waited for it."""
    count = await run_in_threadpool(
        code_mapping.give, _clerk(clerk), _local(meaning), _target(meaning)
    )
    return MappedOut(filed=count)


def _listed(clerk: Clerk) -> list[CodeOut]:
    rows = remapping.work_list(clerk.record)
    locals_ = [Local(row.feed, row.system, row.code) for row in rows]
    counted = remapping.waits(clerk.record, locals_)
    return [
        CodeOut(
            feed=row.feed,
            system=row.system,
            code=row.code,
            display=row.display,
            unit=row.unit,
            seen=row.times,
            waiting=counted[local].count if local in counted else 0,
            first_seen=from_micros(row.first_seen),
        )
        for row, local in zip(rows, locals_, strict=True)
    ]


def _clerk(asker: Asker) -> Clerk:
    return Clerk(asker.record, asker.access, asker.portal.feeds.reread())


def _local(meaning: MeaningIn) -> Local:
    return Local(meaning.feed, meaning.system, meaning.code)


def _target(meaning: MeaningIn) -> code_mapping.Target:
    return code_mapping.judged(meaning.target_system, meaning.target_code, meaning.target_display)
