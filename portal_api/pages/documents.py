"""The documents of a report, to be kept on the reader's own device: never shown inside a page."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.responses import Response

from auth.principal import Role
from fhir_server.errors import NotFound
from portal_api import documents
from portal_api.documents import Content, Document
from portal_api.pages.desk import Desk, Visit, endpoint
from portal_api.pages.views_shell import Download
from portal_api.results import WITHDRAWN

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_REPORTS = (
    (Role.PATIENT, "/patient/results"),
    (Role.CLINICIAN, "/clinician/reports"),
)


def routes(desk: Desk) -> APIRouter:
    """Return the routes of documents, for patients and for clinicians."""
    router = APIRouter()
    for role, reports in _REPORTS:
        path = f"{reports}/{{id:str}}/documents/{{place:str}}"
        served = endpoint(desk, role, _sender(role))
        router.add_route(path, served, ["GET"], include_in_schema=False)
    return router


def downloads(report_page: str, found: tuple[Document, ...]) -> tuple[Download, ...]:
    """Return the links to the documents of the report whose page is at *report_page*."""
    return tuple(
        Download(f"{report_page}/documents/{one.place}", f"{one.kind}, {one.size}") for one in found
    )


def _sender(role: Role) -> Callable[[Desk, Visit], Awaitable[Response]]:
    async def send(_desk: Desk, visit: Visit) -> Response:
        """Answer with one document as a file."""
        report, place = visit.path["id"], place_in(visit)
        content, status = await documents.document(visit.caller, report, place)
        if role == Role.PATIENT and status in WITHDRAWN:
            raise NotFound.of("There is no such document, or it is not yours to see.")
        return as_file(content)

    return send


def place_in(visit: Visit) -> int:
    """Return which document the address of a visit names; 0 where it names none."""
    place = visit.path["place"]
    return int(place) if place.isascii() and place.isdigit() and len(place) < 4 else 0


def as_file(content: Content) -> Response:
    """Answer with a document to keep, which no browser opens by itself."""
    named = {"Content-Disposition": f'attachment; filename="{content.name}"'}
    return Response(content.body, headers=_HEADERS | named, media_type=content.content_type)
