"""The patient's letters: the list, one letter, and its files to keep."""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from auth.principal import Role
from fhir_server.errors import NotFound
from portal_api import letters
from portal_api.care_team import teams_of
from portal_api.letters import REPLACED, WITHDRAWN, Letter
from portal_api.pages.desk import Desk, Visit, answer, endpoint
from portal_api.pages.documents import as_file, place_in
from portal_api.pages.patient import MESSAGES, contact
from portal_api.pages.views_letters import LetterRow, LettersView, LetterView, Words, sender_of
from portal_api.pages.views_shell import Download

LETTERS = "/patient/letters"


def routes(desk: Desk) -> APIRouter:
    """Return the routes of a patient's letters."""
    router = APIRouter()
    for path, handler in (
        (LETTERS, show_letters),
        (f"{LETTERS}/{{id:str}}", show_letter),
        (f"{LETTERS}/{{id:str}}/documents/{{place:str}}", send_part),
    ):
        served = endpoint(desk, Role.PATIENT, handler)
        router.add_route(path, served, ["GET"], include_in_schema=False)
    return router


async def show_letters(desk: Desk, visit: Visit) -> Response:
    """Answer with the letters that are open, newest first."""
    patient = visit.principal.patient
    found = await letters.letters(visit.caller, patient)
    rows = tuple(_row(one) for one in found if one.status != WITHDRAWN)
    view = LettersView(rows, contact(desk.site, await teams_of(visit.caller, patient)))
    return answer(desk, visit, "patient/letters.jinja", view)


async def show_letter(desk: Desk, visit: Visit) -> Response:
    """Answer with one letter, and note that it was opened."""
    found = await letters.letter(visit.caller, visit.path["id"])
    await letters.mark_read(visit.caller, found)
    teams = await teams_of(visit.caller, visit.principal.patient)
    is_withdrawn = found.status == WITHDRAWN
    parts = () if is_withdrawn else found.parts
    view = LetterView(
        title=found.title,
        sender=sender_of(found),
        written=found.written,
        replaced=found.status == REPLACED,
        withdrawn=is_withdrawn,
        is_draft=found.is_draft,
        adds_to=found.adds_to,
        words=tuple(Words(one.title, one.text) for one in parts if one.text),
        downloads=tuple(
            Download(f"{LETTERS}/{found.id}/documents/{one.place}", f"{one.kind}, {one.size}")
            for one in parts
            if not one.text
        ),
        contact=contact(desk.site, teams),
        write=f"{MESSAGES}/new?{urlencode({'about': found.title})}" if teams else "",
    )
    return answer(desk, visit, "patient/letter.jinja", view)


async def send_part(_desk: Desk, visit: Visit) -> Response:
    """Answer with one part of a letter as a file."""
    content, status = await letters.part_of(visit.caller, visit.path["id"], place_in(visit))
    if status == WITHDRAWN:
        raise NotFound.of("There is no such document, or it is not yours to see.")
    return as_file(content)


def _row(letter: Letter) -> LetterRow:
    return LetterRow(
        href=f"{LETTERS}/{letter.id}",
        title=letter.title,
        sender=sender_of(letter),
        written=letter.written,
        new=letter.new,
        replaced=letter.status == REPLACED,
    )
