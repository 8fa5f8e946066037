"""The clinician’s pages about patients and results: the list, one patient, review, release."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from auth.principal import Role
from fhir_server.clock import from_micros
from fhir_server.errors import Conflict, Unprocessable
from fhir_server.notices import HeldNotice, awaiting_release
from portal_api import care_team, corrections, london, messaging, results, review
from portal_api.caller import look
from portal_api.care_team import Person, UnderCare
from portal_api.messaging import Thread
from portal_api.pages.clinician_alerts import alert_rows, change_view
from portal_api.pages.clinician_letters import letter_rows, letters_to_review
from portal_api.pages.desk import Desk, Visit, answer, done, endpoint
from portal_api.pages.documents import downloads
from portal_api.pages.patient_names import patient_name
from portal_api.pages.reading_views import reading_view, shown_place
from portal_api.pages.releasing import choices, reason_in, version_in
from portal_api.pages.views_clinician import (
    HeldRow,
    PatientName,
    PatientRow,
    PatientsView,
    PatientView,
    ReportRow,
    ReviewView,
)
from portal_api.pages.views_patient import ThreadRow
from portal_api.pages.views_shell import FormError
from portal_api.results import InFull, Report

HOME = "/clinician"
REPORT = f"{HOME}/reports"


def routes(desk: Desk) -> APIRouter:
    """Return the clinician's routes about patients and results."""
    router = APIRouter()
    for path, method, handler in (
        (HOME, "GET", show_patients),
        (f"{HOME}/patients/{{patient:str}}", "GET", show_patient),
        (f"{REPORT}/{{id:str}}", "GET", show_report),
        (f"{REPORT}/{{id:str}}/release", "POST", release),
    ):
        served = endpoint(desk, Role.CLINICIAN, handler)
        router.add_route(path, served, [method], include_in_schema=False)
    return router


async def show_patients(desk: Desk, visit: Visit) -> Response:
    """Answer with the patients of the clinician's teams, those that fit what was looked for."""
    wanted = visit.query.get("find", "").strip()
    known = await care_team.my_patients(visit.caller)
    waiting = await messaging.inbox(visit.caller)
    held = await look(awaiting_release, visit.caller.record, visit.caller.access)
    people = {one.person.id: one.person for one in known}
    rows = tuple(
        PatientRow(patient_name(visit, one.person), ", ".join(one.teams))
        for one in known
        if _fits(one, wanted)
    )
    view = PatientsView(
        held=tuple(
            _held_row(visit, one, people[one.patient]) for one in held if one.patient in people
        ),
        rows=rows,
        waiting=len(waiting),
        find=wanted,
        alerts=() if wanted else await alert_rows(visit),
        letters=() if wanted else await letters_to_review(visit, people),
    )
    return answer(desk, visit, "clinician/patients.jinja", view)


async def show_patient(desk: Desk, visit: Visit) -> Response:
    """Answer with one patient: what is held first."""
    patient, page = visit.path["patient"], visit.query.get("page", "")
    person = await care_team.patient_named(visit.caller, patient)
    shown = await results.newest(visit.caller, patient, page)
    threads = await messaging.threads(visit.caller, patient)
    rows = [_row(one) for one in shown.reports]
    view = PatientView(
        patient=patient_name(visit, person),
        held=tuple(row for row in rows if row.held),
        rows=tuple(row for row in rows if not row.held),
        threads=tuple(_thread_row(one, person) for one in threads),
        write=f"{HOME}/patients/{patient}/write",
        letters=await letter_rows(visit, patient),
        older=f"{HOME}/patients/{patient}?{urlencode({'page': shown.next})}" if shown.next else "",
    )
    return answer(desk, visit, "clinician/patient.jinja", view)


async def show_report(desk: Desk, visit: Visit) -> Response:
    """Answer with one report, and the form to release it where it is held."""
    return await _report_page(desk, visit, ())


async def release(desk: Desk, visit: Visit) -> Response:
    """Open a report to its patient, or answer with the report and what is wrong."""
    reason = reason_in(visit.form)
    if not reason:
        return await _report_page(desk, visit, (FormError("reason", "Choose a reason"),))
    try:
        await review.release(visit.caller, visit.path["id"], version_in(visit.form), reason)
    except (Conflict, Unprocessable) as error:
        wrong = FormError("reason", error.issues[0].text)
        return await _report_page(desk, visit, (wrong,))
    return done(f"{REPORT}/{visit.path['id']}", "released")


async def _report_page(desk: Desk, visit: Visit, errors: tuple[FormError, ...]) -> Response:
    full = await results.in_full(visit.caller, visit.path["id"])
    person = await care_team.patient_named(visit.caller, full.report.patient)
    view = _review(full, patient_name(visit, person), visit.form, errors)
    if _was_changed(full.report):
        found = await corrections.corrections(visit.caller, full.report.id)
        view = replace(view, changed=change_view(found) if found.changes else None)
    return answer(desk, visit, "clinician/review.jinja", view, 422 if errors else 200)


def _review(
    full: InFull, patient: PatientName, form: Mapping[str, str], errors: tuple[FormError, ...]
) -> ReviewView:
    report = full.report
    return ReviewView(
        patient=patient,
        title=report.given_title or report.title,
        taken=report.taken,
        added=report.issued,
        laboratory=report.laboratory,
        status=report.status,
        corrected=report.issued,
        readings=tuple(reading_view(one, full.courses.get(one.key, ())) for one in report.readings),
        conclusion=report.conclusion,
        documents=downloads(f"{REPORT}/{report.id}", report.documents),
        held=report.held,
        opens=report.opens,
        action=f"{REPORT}/{report.id}/release",
        version=report.version,
        reasons=choices(form),
        note=form.get("note", ""),
        errors=errors,
        write=f"{patient.href}/write?{urlencode({'about': report.title})}",
    )


def _was_changed(report: Report) -> bool:
    statuses = {report.status, *(one.status for one in report.readings)}
    return not statuses.isdisjoint(corrections.CHANGED)


def _held_row(visit: Visit, notice: HeldNotice, person: Person) -> HeldRow:
    return HeldRow(
        href=f"{REPORT}/{notice.report}",
        name=notice.title,
        patient=patient_name(visit, person),
        age=london.age(from_micros(notice.arrived), visit.caller.record.clock()),
        opens=None if notice.opens is None else london.at(from_micros(notice.opens)),
    )


def _row(report: Report) -> ReportRow:
    only = report.readings[0] if len(report.readings) == 1 and not report.withdrawn else None
    return ReportRow(
        href=f"{REPORT}/{report.id}",
        name=report.given_title or report.title,
        value=results.summary(report),
        place=shown_place(only) if only else "",
        taken=report.taken,
        laboratory=report.laboratory,
        status=report.status,
        held=report.held,
        opens=report.opens,
    )


def _thread_row(thread: Thread, person: Person) -> ThreadRow:
    latest = thread.latest
    return ThreadRow(
        href=f"{HOME}/patients/{thread.patient}/messages/{thread.head}",
        subject=thread.subject,
        team=thread.team,
        latest=latest.sent,
        latest_from=person.name if latest.from_patient else latest.sender or "the team",
        unread=thread.waiting_since is not None,
    )


def _fits(one: UnderCare, wanted: str) -> bool:
    digits = wanted.replace(" ", "")
    named = wanted.casefold() in one.person.name.casefold()
    return not wanted or named or (digits.isdigit() and digits in one.person.nhs_number)
