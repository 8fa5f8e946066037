"""The patient's appointments: one page, with whom to ring about them."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from auth.principal import Role
from portal_api.appointments import Appointment, appointments
from portal_api.care_team import teams_of
from portal_api.pages.desk import Desk, Visit, answer, endpoint
from portal_api.pages.patient import contact
from portal_api.pages.views_shell import Contact

APPOINTMENTS = "/patient/appointments"


@dataclass(frozen=True, slots=True)
class AppointmentsView:
    """What is to come, the soonest first, and what has been, the latest first."""

    coming: tuple[Appointment, ...]
    past: tuple[Appointment, ...]
    contact: Contact


def routes(desk: Desk) -> APIRouter:
    """Return the route of a patient's appointments."""
    router = APIRouter()
    served = endpoint(desk, Role.PATIENT, show_appointments)
    router.add_route(APPOINTMENTS, served, ["GET"], include_in_schema=False)
    return router


async def show_appointments(desk: Desk, visit: Visit) -> Response:
    """Answer with the patient's appointments."""
    patient = visit.principal.patient
    found = await appointments(visit.caller, patient)
    ring = contact(desk.site, await teams_of(visit.caller, patient))
    view = AppointmentsView(found.coming, found.past, ring)
    return answer(desk, visit, "patient/appointments.jinja", view)
