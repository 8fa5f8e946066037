"""The clinician's pages for messages: the team inbox, a conversation, and a first message."""

from dataclasses import replace
from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from auth.principal import Role
from fhir_server.errors import Unprocessable
from fhir_server.message_text import LONGEST_SUBJECT
from portal_api import care_team, london, messaging
from portal_api.care_team import Person
from portal_api.messaging import Message, Thread, Waiting
from portal_api.pages.clinician import HOME
from portal_api.pages.clinician_alerts import alert_rows
from portal_api.pages.desk import Desk, Visit, answer, done, endpoint
from portal_api.pages.patient_names import patient_name
from portal_api.pages.views_clinician import (
    ConversationView,
    InboxView,
    LetterView,
    WaitingRow,
)
from portal_api.pages.views_shell import MessageView, WritingBox
from portal_api.pages.writing import chosen_team, fresh, refused, written

INBOX = f"{HOME}/inbox"
_PATIENT = f"{HOME}/patients/{{patient:str}}"
_THREAD = f"{_PATIENT}/messages/{{id:str}}"


def routes(desk: Desk) -> APIRouter:
    """Return the clinician's routes for messages."""
    router = APIRouter()
    for path, method, handler in (
        (INBOX, "GET", show_inbox),
        (f"{_PATIENT}/write", "GET", show_letter),
        (f"{_PATIENT}/write", "POST", send_letter),
        (_THREAD, "GET", show_conversation),
        (_THREAD, "POST", send_answer),
        (f"{_THREAD}/take", "POST", take),
        (f"{_THREAD}/settle", "POST", settle),
    ):
        served = endpoint(desk, Role.CLINICIAN, handler)
        router.add_route(path, served, [method], include_in_schema=False)
    return router


async def show_inbox(desk: Desk, visit: Visit) -> Response:
    """Answer with the conversations that wait for an answer, the longest first."""
    waiting = await messaging.inbox(visit.caller)
    rows = tuple(_waiting_row(desk, visit, one) for one in waiting)
    view = InboxView(rows, await alert_rows(visit))
    return answer(desk, visit, "clinician/inbox.jinja", view)


async def show_letter(desk: Desk, visit: Visit) -> Response:
    """Answer with the form for a first message to a patient."""
    person, box = await _letter(visit)
    box = replace(box, subject=visit.query.get("about", "")[:LONGEST_SUBJECT])
    view = LetterView(patient_name(visit, person), box)
    return answer(desk, visit, "clinician/letter.jinja", view)


async def send_letter(desk: Desk, visit: Visit) -> Response:
    """Begin a conversation with a patient, or answer with the form and what is wrong in it."""
    person, box = await _letter(visit)
    box = written(box, visit.form)
    if not box.errors:
        try:
            await messaging.begin(
                visit.caller, person.id, chosen_team(box), box.subject, box.text, box.draft
            )
        except Unprocessable as error:
            box = refused(box, error)
        else:
            return done(f"{HOME}/patients/{person.id}", "sent")
    view = LetterView(patient_name(visit, person), box)
    return answer(desk, visit, "clinician/letter.jinja", view, 422)


async def show_conversation(desk: Desk, visit: Visit) -> Response:
    """Answer with one conversation, and note what is read by it."""
    thread = await messaging.thread(visit.caller, visit.path["patient"], visit.path["id"])
    await messaging.mark_read(visit.caller, thread)
    box = fresh(_address(thread), asks=False)
    return await _conversation_page(desk, visit, thread, box)


async def send_answer(desk: Desk, visit: Visit) -> Response:
    """Answer a patient, or answer with the form and what is wrong in it."""
    thread = await messaging.thread(visit.caller, visit.path["patient"], visit.path["id"])
    box = written(fresh(_address(thread), asks=False), visit.form)
    if not box.errors:
        try:
            await messaging.answer(visit.caller, thread.patient, thread.head, box.text, box.draft)
        except Unprocessable as error:
            box = refused(box, error)
        else:
            return done(_address(thread), "sent")
    return await _conversation_page(desk, visit, thread, box)


async def take(_desk: Desk, visit: Visit) -> Response:
    """Make the clinician the owner of a conversation."""
    thread = await messaging.thread(visit.caller, visit.path["patient"], visit.path["id"])
    await messaging.take(visit.caller, thread)
    return done(_address(thread), "taken")


async def settle(_desk: Desk, visit: Visit) -> Response:
    """Close a conversation that needs no answer."""
    thread = await messaging.thread(visit.caller, visit.path["patient"], visit.path["id"])
    await messaging.settle(visit.caller, thread)
    return done(_address(thread), "settled")


async def _letter(visit: Visit) -> tuple[Person, WritingBox]:
    patient = visit.path["patient"]
    person = await care_team.patient_named(visit.caller, patient)
    teams = await care_team.teams_of(visit.caller, patient)
    return person, fresh(f"{HOME}/patients/{patient}/write", teams=teams, asks=True)


async def _conversation_page(desk: Desk, visit: Visit, thread: Thread, box: WritingBox) -> Response:
    person = await care_team.patient_named(visit.caller, thread.patient)
    view = ConversationView(
        patient=patient_name(visit, person),
        subject=thread.subject,
        messages=tuple(_message(one, person, thread.team) for one in thread.messages),
        owner="you" if thread.owner_reference == visit.principal.user else thread.owner,
        waiting=thread.waiting_since is not None,
        take=f"{_address(thread)}/take",
        settle=f"{_address(thread)}/settle",
        box=box,
    )
    return answer(desk, visit, "clinician/conversation.jinja", view, 422 if box.errors else 200)


def _address(thread: Thread) -> str:
    return f"{HOME}/patients/{thread.patient}/messages/{thread.head}"


def _waiting_row(desk: Desk, visit: Visit, waiting: Waiting) -> WaitingRow:
    thread, now = waiting.thread, visit.caller.record.clock()
    since = thread.waiting_since or now
    return WaitingRow(
        href=_address(thread),
        subject=thread.subject,
        patient=patient_name(visit, waiting.person),
        age=london.age(since, now),
        late=now - since > timedelta(days=desk.site.late_after_days),
        owner=thread.owner,
        mine=thread.owner_reference == visit.principal.user,
        take=f"{_address(thread)}/take",
    )


def _message(message: Message, person: Person, team: str) -> MessageView:
    author = person.name if message.from_patient else message.sender or team
    return MessageView(author, message.own, message.sent, message.text, message.received)
