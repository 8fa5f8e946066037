"""The page of a patient's appointments, in each of its states."""

from collections.abc import Iterator
from dataclasses import replace

from portal_api.appointments import Appointment
from portal_api.pages.appointments import AppointmentsView
from portal_api.pages.views_shell import Shell
from tests.portal_api.pages.samples import CONTACT, moment, patient_shell

BOOKED = Appointment(
    "Urology clinic",
    "booked",
    moment(-7, 10),
    30,
    ("Room 4, Outpatients",),
    ("Dr Ngozi Okafor",),
    "Eat nothing after midnight.",
)


def appointment_pages() -> Iterator[tuple[str, str, Shell, object]]:
    """Every page of appointments: a name, its template, its frame and its view."""
    shell = patient_shell("Appointments")
    states = ("cancelled", "unsure", "waiting")
    coming = (BOOKED, *(replace(BOOKED, state=state) for state in states))
    vague = replace(BOOKED, starts=None, minutes=0, places=(), people=(), instructions="")
    past = (replace(BOOKED, starts=moment(30, 10), state="missed"), replace(BOOKED, state="over"))
    yield (
        "patient-appointments",
        "patient/appointments.jinja",
        shell,
        AppointmentsView((*coming, vague), past, CONTACT),
    )
    yield (
        "patient-appointments-empty",
        "patient/appointments.jinja",
        shell,
        AppointmentsView((), (), CONTACT),
    )
