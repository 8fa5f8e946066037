"""The patient's pages: results, one result, messages, and who has looked."""

from datetime import timedelta
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from auth.principal import Role
from fhir_server.clock import from_micros
from fhir_server.errors import Unprocessable
from fhir_server.notices import HeldNotice, notices
from fhir_server.release import Category
from portal_api import access_log, corrections, letters, london, messaging, results
from portal_api.access_entry import REFUSED, Access
from portal_api.caller import look
from portal_api.care_team import Team, teams_of
from portal_api.messaging import Message, Thread
from portal_api.open_orders import open_orders
from portal_api.pages.desk import Desk, Visit, answer, done, endpoint
from portal_api.pages.documents import downloads
from portal_api.pages.reading_views import reading_view, shown_place
from portal_api.pages.views_patient import (
    AccessDay,
    AccessLine,
    AccessView,
    EarlierView,
    HeldCard,
    MessagesView,
    ResultRow,
    ResultsView,
    ResultView,
    ThreadRow,
    ThreadView,
    WriteView,
)
from portal_api.pages.views_shell import Contact, MessageView, PhoneLine, WritingBox
from portal_api.pages.writing import chosen_team, fresh, refused, written
from portal_api.plain_names import plain_name
from portal_api.results import Report
from portal_api.site import Site

HOME, MESSAGES, LOG = "/patient", "/patient/messages", "/patient/access"
_NEW = timedelta(days=7)


def routes(desk: Desk) -> APIRouter:
    """Return the patient's routes."""
    router = APIRouter()
    for path, method, handler in (
        (HOME, "GET", show_results),
        (f"{HOME}/results/{{id:str}}", "GET", show_result),
        (MESSAGES, "GET", show_messages),
        (MESSAGES, "POST", send_first),
        (f"{MESSAGES}/new", "GET", show_form),
        (f"{MESSAGES}/{{id:str}}", "GET", show_thread),
        (f"{MESSAGES}/{{id:str}}", "POST", send_answer),
        (LOG, "GET", show_log),
    ):
        served = endpoint(desk, Role.PATIENT, handler)
        router.add_route(path, served, [method], include_in_schema=False)
    return router


async def show_results(desk: Desk, visit: Visit) -> Response:
    """Answer with what waits to open, and a page of the results that are open."""
    patient, page = visit.principal.patient, visit.query.get("page", "")
    shown = await results.newest(visit.caller, patient, page)
    asking = visit.caller
    held = () if page else await look(notices, asking.record, asking.access, patient)
    threads = await messaging.threads(visit.caller, patient)
    view = ResultsView(
        name=visit.principal.name,
        held=tuple(_card(one) for one in reversed(held) if one.category != Category.WITHDRAWN),
        withdrawn=tuple(_card(one) for one in reversed(held) if one.category == Category.WITHDRAWN),
        rows=tuple(_row(visit, one) for one in shown.reports),
        unread=sum(one.unread for one in threads),
        letters=await letters.unread(visit.caller, patient),
        under_way=() if page else await open_orders(visit.caller, patient),
        contact=contact(desk.site, await teams_of(visit.caller, patient)),
        older=f"{HOME}?{urlencode({'page': shown.next})}" if shown.next else "",
    )
    return answer(desk, visit, "patient/results.jinja", view)


async def show_result(desk: Desk, visit: Visit) -> Response:
    """Answer with one result."""
    full = await results.in_full(visit.caller, visit.path["id"])
    report = full.report
    teams = await teams_of(visit.caller, visit.principal.patient)
    view = ResultView(
        title=report.title,
        taken=report.taken,
        added=report.issued,
        laboratory=report.laboratory,
        status=report.status,
        corrected=report.issued,
        readings=()
        if report.withdrawn
        else tuple(reading_view(one, full.courses.get(one.key, ())) for one in report.readings),
        conclusion="" if report.withdrawn else report.conclusion,
        documents=()
        if report.withdrawn
        else downloads(f"{HOME}/results/{report.id}", report.documents),
        contact=contact(desk.site, teams),
        write=f"{MESSAGES}/new?{urlencode({'about': report.title})}" if teams else "",
        earlier=await _earlier(visit, report),
    )
    return answer(desk, visit, "patient/result.jinja", view)


async def show_messages(desk: Desk, visit: Visit) -> Response:
    """Answer with the list of conversations."""
    threads = await messaging.threads(visit.caller, visit.principal.patient)
    teams = await teams_of(visit.caller, visit.principal.patient)
    rows = tuple(_thread_row(one) for one in threads)
    view = MessagesView(rows, f"{MESSAGES}/new" if teams else "", contact(desk.site, teams))
    return answer(desk, visit, "patient/messages.jinja", view)


async def show_form(desk: Desk, visit: Visit) -> Response:
    """Answer with the form for a first message."""
    teams = await teams_of(visit.caller, visit.principal.patient)
    box = fresh(MESSAGES, subject=visit.query.get("about", "")[:100], teams=teams, asks=True)
    view = WriteView(box, contact(desk.site, teams))
    return answer(desk, visit, "patient/write.jinja", view)


async def send_first(desk: Desk, visit: Visit) -> Response:
    """Begin a conversation, or answer with the form and what is wrong in it."""
    patient = visit.principal.patient
    teams = await teams_of(visit.caller, patient)
    box = written(fresh(MESSAGES, teams=teams, asks=True), visit.form)
    if not box.errors:
        try:
            await messaging.begin(
                visit.caller, patient, chosen_team(box), box.subject, box.text, box.draft
            )
        except Unprocessable as error:
            box = refused(box, error)
        else:
            return done(MESSAGES, "sent")
    view = WriteView(box, contact(desk.site, teams))
    return answer(desk, visit, "patient/write.jinja", view, 422)


async def show_thread(desk: Desk, visit: Visit) -> Response:
    """Answer with one conversation, and note what is read by it."""
    thread = await messaging.thread(visit.caller, visit.principal.patient, visit.path["id"])
    await messaging.mark_read(visit.caller, thread)
    box = fresh(f"{MESSAGES}/{thread.head}", asks=False)
    return answer(desk, visit, "patient/thread.jinja", await _thread_view(desk, visit, thread, box))


async def send_answer(desk: Desk, visit: Visit) -> Response:
    """Send a message in a conversation, or answer with the form and what is wrong in it."""
    patient, head = visit.principal.patient, visit.path["id"]
    box = written(fresh(f"{MESSAGES}/{head}", asks=False), visit.form)
    if not box.errors:
        try:
            await messaging.answer(visit.caller, patient, head, box.text, box.draft)
        except Unprocessable as error:
            box = refused(box, error)
        else:
            return done(f"{MESSAGES}/{head}", "sent")
    thread = await messaging.thread(visit.caller, patient, head)
    view = await _thread_view(desk, visit, thread, box)
    return answer(desk, visit, "patient/thread.jinja", view, 422)


async def show_log(desk: Desk, visit: Visit) -> Response:
    """Answer with who has looked at the record."""
    patient = visit.principal.patient
    looked = await access_log.who_looked(visit.caller, patient, visit.query.get("page", ""))
    view = AccessView(
        days=_days(looked.others),
        folded=_days(looked.folded),
        contact=contact(desk.site, await teams_of(visit.caller, patient)),
        older=f"{LOG}?{urlencode({'page': looked.next})}" if looked.next else "",
    )
    return answer(desk, visit, "patient/access.jinja", view)


async def _earlier(visit: Visit, report: Report) -> tuple[EarlierView, ...]:
    """Return what the corrected results of a report said before, as far as it was open."""
    before = {} if report.withdrawn else await corrections.said_before(visit.caller, report)
    return tuple(
        EarlierView(one.name.name, before[one.observation], results.value_of(one))
        for one in report.readings
        if one.observation in before
    )


def contact(site: Site, teams: tuple[Team, ...]) -> Contact:
    """Return whom a patient rings: their teams that have a number, else the site's own line."""
    lines = [PhoneLine(f"your team ({one.name})", one.phone) for one in teams if one.phone]
    if not lines and site.help_phone:
        lines = [PhoneLine("our helpline", site.help_phone, site.help_hours)]
    return Contact(tuple(lines), site.urgent_phone)


def _card(notice: HeldNotice) -> HeldCard:
    return HeldCard(
        title=plain_name((), notice.title).name,
        arrived=london.at(from_micros(notice.arrived)),
        opens=None if notice.opens is None else london.at(from_micros(notice.opens)),
        contact=notice.contact,
    )


def _row(visit: Visit, report: Report) -> ResultRow:
    only = report.readings[0] if len(report.readings) == 1 and not report.withdrawn else None
    now = visit.caller.record.clock()
    return ResultRow(
        href=f"{HOME}/results/{report.id}",
        name=report.title,
        value=results.summary(report),
        place=shown_place(only) if only else "",
        taken=report.taken,
        laboratory=report.laboratory,
        new=report.issued is not None and now - report.issued.instant < _NEW,
        corrected=report.status in {"corrected", "amended"},
    )


def _thread_row(thread: Thread) -> ThreadRow:
    latest = thread.latest
    return ThreadRow(
        href=f"{MESSAGES}/{thread.head}",
        subject=thread.subject,
        team=thread.team or "your team",
        latest=latest.sent,
        latest_from="you" if latest.own else latest.sender or "your team",
        unread=thread.unread,
    )


async def _thread_view(desk: Desk, visit: Visit, thread: Thread, box: WritingBox) -> ThreadView:
    teams = await teams_of(visit.caller, visit.principal.patient)
    return ThreadView(
        subject=thread.subject,
        team=thread.team or "your team",
        messages=tuple(_message(one, thread.team) for one in thread.messages),
        box=box,
        contact=contact(desk.site, teams),
    )


def _message(message: Message, team: str) -> MessageView:
    sender = "You" if message.own else ", ".join(filter(None, (message.sender, team)))
    return MessageView(
        sender or "Your team", message.own, message.sent, message.text, message.received
    )


def _days(entries: tuple[Access, ...]) -> tuple[AccessDay, ...]:
    days: dict[str, list[Access]] = {}
    for one in entries:
        days.setdefault(london.day(one.when), []).append(one)
    return tuple(
        AccessDay(
            found[0].when,
            tuple(
                AccessLine(one.when, access_log.sentence(one), one.outcome == REFUSED)
                for one in found
            ),
        )
        for found in days.values()
    )
