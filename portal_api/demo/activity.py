"""What people did just before the demonstration begins: real requests, so that the ledger is real.

Every step is a person at a browser: they sign in, read, write, release, and try what they may not.
"""

import re
from contextlib import AbstractContextManager
from html import unescape

import httpx

from fhir_server.record import Record
from portal_api.demo.accounts import PASSWORD
from portal_api.demo.browser import Browser, PageWrong
from portal_api.demo.cast import Cast
from portal_api.demo.seeding import patient_id
from portal_api.pages.releasing import REASONS

_LINK = re.compile(r'href="([^"]+)"')
IRENE_WRITES = "My temperature is 38.2° this morning and I feel shivery. What should I do?"
GRACE_ANSWERS = (
    "Please do not wait for a message: ring the 24-hour number on your treatment card now. "
    "I am ringing you as well."
)
GRAHAM_WRITES = "Yesterday's CEA says 27.0. It has been about 2 for a year. Can this be right?"
NADIA_WRITES = "Your next PSA is due this week. You will find it here on the same day."


def people_were_here(address: str, record: Record, cast: Cast) -> None:
    """Let the people of the stories do what they did, at the portal at *address*."""
    _irene(address)
    _graham(address)
    _alan(address, patient_id(record, cast.person("alan")))
    _helen(address, patient_id(record, cast.person("helen")))
    with signed_in(address, "fiona") as fiona:
        page = _open_held(fiona, patient_id(record, cast.biopsies[0].person))
        fiona.send(page, "/release", {"reason": REASONS[0][0], "note": "Rang this morning"})
    with signed_in(address, "tessa") as tessa:
        tessa.open(f"/clinician/patients/{patient_id(record, cast.person('john'))}", expected=404)


def signed_in(address: str, login: str) -> AbstractContextManager[Browser]:
    """Return the browser of *login*, signed in."""
    browser = Browser(address)
    browser.sign_in(login, PASSWORD)
    return browser


def link(page: httpx.Response, start: str) -> str:
    """Return the first link of *page* to something by its id, right behind *start*.

    Raises PageWrong where there is none.
    """
    wanted = re.compile(re.escape(start) + r"[0-9a-f]{32}\b.*")
    found = (unescape(one) for one in _LINK.findall(page.text))
    path = next((one for one in found if wanted.fullmatch(one)), "")
    if not path:
        raise PageWrong(f"{page.url.path} has no link to {start}.")
    return path


def write_first(browser: Browser, subject: str, text: str) -> None:
    """Send a first message as the patient who is signed in."""
    page = browser.open("/patient/messages/new")
    browser.send(page, "/patient/messages", {"subject": subject, "text": text})


def open_waiting(browser: Browser) -> httpx.Response:
    """Open the conversation that waits longest in the inbox of the clinician who is signed in."""
    inbox = browser.open("/clinician/inbox")
    return browser.open(link(inbox, "/clinician/patients/"))


def _irene(address: str) -> None:
    with signed_in(address, "irene") as irene:
        write_first(irene, "My temperature", IRENE_WRITES)
        with signed_in(address, "grace") as grace:
            thread = open_waiting(grace)
            thread = grace.send(thread, "/take", {})
            grace.send(thread, thread.url.path, {"text": GRACE_ANSWERS})
        irene.open(link(irene.open("/patient/messages"), "/patient/messages/"))


def _graham(address: str) -> None:
    with signed_in(address, "graham") as graham:
        graham.open(link(graham.open("/patient"), "/patient/results/"))
        write_first(graham, "My CEA", GRAHAM_WRITES)
    with signed_in(address, "peter") as peter:
        thread = open_waiting(peter)
        thread = peter.send(thread, "/take", {})
        peter.open(link(thread, "/clinician/patients/"))


def _helen(address: str, patient: str) -> None:
    """Let her consultant read the biopsy, and Helen try to, before it opens."""
    with signed_in(address, "fiona") as fiona:
        report = _open_held(fiona, patient).url.path.rpartition("/")[2]
    with signed_in(address, "helen") as helen:
        helen.open("/patient")
        helen.open(f"/patient/results/{report}", expected=404)


def _open_held(clinician: Browser, patient: str) -> httpx.Response:
    """Open the first report of a patient, which is a held one where there is any."""
    page = clinician.open(f"/clinician/patients/{patient}")
    return clinician.open(link(page, "/clinician/reports/"))


def _alan(address: str, patient: str) -> None:
    with signed_in(address, "nadia") as nadia:
        page = nadia.open(f"/clinician/patients/{patient}/write")
        nadia.send(page, "/write", {"subject": "Your next PSA", "text": NADIA_WRITES})
    with signed_in(address, "alan") as alan:
        alan.open(link(alan.open("/patient"), "/patient/results/"))
