"""The clinician’s pages of letters: what waits, one letter to read and release, its files."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from auth.principal import Role
from fhir_server.errors import Conflict, NotFound, Unprocessable
from portal_api import care_team, letters, london, review
from portal_api.care_team import Person
from portal_api.letters import REPLACED, WITHDRAWN, Letter
from portal_api.pages.desk import Desk, Visit, answer, done, endpoint
from portal_api.pages.documents import as_file, place_in
from portal_api.pages.navigation import HOMES
from portal_api.pages.patient_names import patient_name
from portal_api.pages.releasing import choices, reason_in, version_in
from portal_api.pages.views_clinician import (
    HeldRow,
    LetterReviewView,
    PatientLetterRow,
    PatientName,
)
from portal_api.pages.views_letters import Words, sender_of
from portal_api.pages.views_shell import Download, FormError

LETTERS = f"{HOMES[Role.CLINICIAN]}/letters"


def routes(desk: Desk) -> APIRouter:
    """Return the clinician's routes of letters."""
    router = APIRouter()
    for path, method, handler in (
        (f"{LETTERS}/{{id:str}}", "GET", show_letter),
        (f"{LETTERS}/{{id:str}}/release", "POST", release),
        (f"{LETTERS}/{{id:str}}/documents/{{place:str}}", "GET", send_part),
    ):
        served = endpoint(desk, Role.CLINICIAN, handler)
        router.add_route(path, served, [method], include_in_schema=False)
    return router


async def show_letter(desk: Desk, visit: Visit) -> Response:
    """Answer with one letter, and the form to release it where it is held."""
    return await _letter_page(desk, visit, ())


async def release(desk: Desk, visit: Visit) -> Response:
    """Open a letter to its patient, or answer with the letter and what is wrong."""
    reason = reason_in(visit.form)
    if not reason:
        return await _letter_page(desk, visit, (FormError("reason", "Choose a reason"),))
    try:
        await review.release_letter(visit.caller, visit.path["id"], version_in(visit.form), reason)
    except (Conflict, Unprocessable) as error:
        wrong = FormError("reason", error.issues[0].text)
        return await _letter_page(desk, visit, (wrong,))
    return done(f"{LETTERS}/{visit.path['id']}", "letter-released")


async def send_part(_desk: Desk, visit: Visit) -> Response:
    """Answer with one part of a letter as a file."""
    content, status = await letters.part_of(visit.caller, visit.path["id"], place_in(visit))
    if status == WITHDRAWN:
        raise NotFound.of("There is no such document, or it is not yours to see.")
    return as_file(content)


async def letters_to_review(visit: Visit, people: Mapping[str, Person]) -> tuple[HeldRow, ...]:
    """Return the held letters of *people* (by id), the longest waiting first."""
    now = visit.caller.record.clock()
    return tuple(
        HeldRow(
            href=f"{LETTERS}/{one.id}",
            name=one.title,
            patient=patient_name(visit, people[patient]),
            age=london.age(came.instant, now),
            opens=one.opens,
            unsigned=one.is_draft,
        )
        for patient, came, one in await letters.awaiting_release(visit.caller)
        if patient in people
    )


async def letter_rows(visit: Visit, patient: str) -> tuple[PatientLetterRow, ...]:
    """Return the letters of *patient*, those that wait first, else the newest."""
    found = [
        PatientLetterRow(
            href=f"{LETTERS}/{one.id}",
            title=one.title,
            sender=sender_of(one),
            written=one.written,
            held=one.held,
            replaced=one.status == REPLACED,
        )
        for one in await letters.letters(visit.caller, patient)
        if one.status != WITHDRAWN
    ]
    return tuple(sorted(found, key=lambda one: not one.held))


async def _letter_page(desk: Desk, visit: Visit, errors: tuple[FormError, ...]) -> Response:
    found = await letters.letter(visit.caller, visit.path["id"])
    person = await care_team.patient_named(visit.caller, found.patient)
    view = _view(found, patient_name(visit, person), visit.form, errors)
    return answer(desk, visit, "clinician/letter_review.jinja", view, 422 if errors else 200)


def _view(
    letter: Letter, patient: PatientName, form: Mapping[str, str], errors: tuple[FormError, ...]
) -> LetterReviewView:
    is_withdrawn, is_replaced = letter.status == WITHDRAWN, letter.status == REPLACED
    parts = () if is_withdrawn else letter.parts
    page = f"{LETTERS}/{letter.id}"
    may_open = letter.held and bool(parts) and not is_replaced
    return LetterReviewView(
        patient=patient,
        title=letter.title,
        sender=sender_of(letter),
        written=letter.written,
        status=", ".join(filter(None, (letter.doc_status, letter.status))),
        why=tuple(_why(letter)) if letter.held else (),
        opens=letter.opens,
        unsigned=letter.is_draft and not is_withdrawn,
        withdrawn=is_withdrawn,
        replaced=is_replaced,
        adds_to=letter.adds_to,
        words=tuple(Words(one.title, one.text) for one in parts if one.text),
        downloads=tuple(
            Download(f"{page}/documents/{one.place}", f"{one.kind}, {one.size}")
            for one in parts
            if not one.text
        ),
        held=letter.held,
        action=f"{page}/release" if may_open else "",
        version=letter.version,
        reasons=choices(form),
        note=form.get("note", ""),
        errors=errors,
        write=f"{patient.href}/write?{urlencode({'about': letter.title})}",
    )


def _why(letter: Letter) -> Iterator[str]:
    """Yield why a held letter waits, as far as the letter itself tells."""
    withdrawn = letter.status == WITHDRAWN
    told = {
        "Its sender took it back.": withdrawn,
        "Its sender replaced it before anybody could read it.": letter.status == REPLACED,
        "Nobody has signed it.": letter.is_draft and bool(letter.doc_status) and not withdrawn,
        "Its sender does not say that anybody has signed it.": not letter.doc_status
        and not withdrawn,
        "Nothing to read has come yet.": not letter.parts and not withdrawn,
        "Its sender marked it as confidential.": letter.is_confidential,
        "Letters of this kind wait for a clinician.": letter.is_sensitive,
        "Letters of this kind wait some days.": letter.opens is not None,
    }
    reasons = [text for text, applies in told.items() if applies]
    yield from reasons or (
        "Its sender has not said that it may be used, or something in it has to be looked at.",
    )
