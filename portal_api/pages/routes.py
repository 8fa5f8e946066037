"""All pages, and what they look like, as one router for the composition root to include."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from auth import sessions
from auth.answers import redirect
from portal_api.pages import (
    appointments,
    auditor,
    clinician,
    clinician_alerts,
    clinician_letters,
    clinician_messages,
    documents,
    letters,
    operator,
    patient,
)
from portal_api.pages.desk import SIGN_IN, Desk
from portal_api.pages.navigation import HOMES

STATIC = Path(__file__).parent / "static"


def pages(desk: Desk) -> APIRouter:
    """Return every page of the portal, its styles and pictures under `/static`, and the way in."""
    router = APIRouter()
    for part in (
        *(patient, letters, appointments),
        *(clinician_messages, clinician, clinician_alerts, clinician_letters),
        *(documents, auditor, operator),
    ):
        router.include_router(part.routes(desk))
    router.add_route("/", _front_door(desk), ["GET"], include_in_schema=False)
    router.mount("/static", StaticFiles(directory=STATIC), name="static")
    return router


def _front_door(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def enter(request: Request) -> Response:
        session = await run_in_threadpool(sessions.current, desk.auth, request.cookies)
        return redirect(HOMES.get(session.login.role, SIGN_IN) if session else SIGN_IN)

    return enter
