"""All pages, in each of their states: a name, a template, a frame and a view."""

from portal_api.pages.views_shell import Shell
from tests.portal_api.pages.samples_appointments import appointment_pages
from tests.portal_api.pages.samples_clinician import clinician_pages
from tests.portal_api.pages.samples_letters import letter_pages
from tests.portal_api.pages.samples_merges import merge_pages
from tests.portal_api.pages.samples_office import account_pages, office_pages
from tests.portal_api.pages.samples_patient import patient_pages


def every_page() -> list[tuple[str, str, Shell, object]]:
    """Return every page of every kind of user."""
    return [
        *patient_pages(),
        *letter_pages(),
        *appointment_pages(),
        *clinician_pages(),
        *office_pages(),
        *merge_pages(),
        *account_pages(),
    ]
