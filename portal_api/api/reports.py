"""What was changed in a report, and who had read it, as JSON for a clinician's application."""

from datetime import datetime
from functools import cache

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request

from portal_api import corrections
from portal_api.api.door import portal_of, recognised
from portal_api.caller import Caller
from portal_api.corrections import Change, Reader


class ChangeOut(BaseModel):
    """One value that the laboratory changed; instants are UTC."""

    test: str
    before: str
    after: str
    stood_from: datetime
    changed_at: datetime


class ReaderOut(BaseModel):
    """Somebody who had an earlier value; *opened*: asked for the result itself, not for a list."""

    who: str
    role: str
    organization: str
    application: str
    first: datetime
    last: datetime
    times: int
    opened: bool


class ChangesOut(BaseModel):
    """What was changed in a report, newest first, and who had read what was there before."""

    changes: list[ChangeOut]
    readers: list[ReaderOut]


@cache
def routes() -> APIRouter:
    """Return `GET /api/reports/<id>/changes`."""
    router = APIRouter(prefix="/api/reports")
    router.add_api_route("/{report_id}/changes", changes, methods=["GET"])
    return router


async def changes(request: Request, report_id: str) -> ChangesOut:
    """Return what was changed in a report, to a clinician who cares for the patient.

    Raises Unauthenticated without a token, Forbidden for another role or a scope that does not
    read reports, NotFound for a report that is not the caller's to see.
    """
    found = await corrections.corrections(await _caller(request), report_id)
    return ChangesOut(
        changes=[_change(one) for one in found.changes],
        readers=[_reader(one) for one in found.readers],
    )


async def _caller(request: Request) -> Caller:
    portal = portal_of(request)
    _, access = await recognised(request)
    return Caller(portal.record, access, f"{portal.settings.public_url}/fhir")


def _change(one: Change) -> ChangeOut:
    return ChangeOut(
        test=one.test,
        before=one.before,
        after=one.after,
        stood_from=one.stood_from.instant,
        changed_at=one.changed_at.instant,
    )


def _reader(one: Reader) -> ReaderOut:
    return ReaderOut(
        who=one.who,
        role=one.role,
        organization=one.organization,
        application=one.application,
        first=one.first.instant,
        last=one.last.instant,
        times=one.times,
        opened=one.opened,
    )
