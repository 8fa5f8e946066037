"""Every page of a patient, in each of its states."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from portal_api import london
from portal_api.open_orders import OpenOrder
from portal_api.pages import views_patient as patient
from portal_api.pages.reading_views import reading_view
from portal_api.pages.views_shell import (
    Contact,
    Download,
    MessageView,
    Shell,
)
from portal_api.readings import Reading, runs
from tests.portal_api.pages.samples import (
    ALAN,
    BLOOD,
    BOX,
    BRIAN,
    CONTACT,
    FAULTY,
    MOVED,
    NOTE,
    NOW,
    moment,
    patient_shell,
)

MESSAGES = (
    MessageView(
        "You",
        own=True,
        sent=moment(3, 10),
        text="Do I need to come in for my next blood test?\n\n<b>Thank you</b>",
        read=moment(2, 9),
    ),
    MessageView(
        "Nurse Priya Shah, urology nurses",
        own=False,
        sent=moment(2, 11),
        text="Dear Alan\n\nYes please. Any morning next week is fine. You do not need to book.",
    ),
    MessageView("You", own=True, sent=moment(0, 8), text="That is great, I will come on Monday."),
)
HELD = (
    patient.HeldCard(
        "Bowel biopsy",
        moment(1),
        london.at(NOW + timedelta(days=13)),
        "the bowel nurses on 0151 496 0102",
    ),
    patient.HeldCard(
        "Prostate blood test (PSA)", moment(0), None, "the urology nurses on 0151 496 0101"
    ),
)
WITHDRAWN = patient.HeldCard(
    "Bowel cancer marker (CEA)", moment(0), None, "the bowel nurses on 0151 496 0102"
)
ROWS = (
    patient.ResultRow(
        "/patient/results/1",
        "Prostate blood test (PSA)",
        "7.3 ug/L",
        "above",
        moment(0),
        "Northgate Hospital laboratory",
        new=True,
    ),
    patient.ResultRow(
        "/patient/results/2",
        "Full blood count",
        "14 tests",
        "",
        moment(10),
        "Northgate Hospital laboratory",
        corrected=True,
    ),
    patient.ResultRow(
        "/patient/results/3",
        "Bowel cancer marker (CEA)",
        "2.4 ug/L",
        "within",
        moment(182),
        "Northgate Hospital laboratory",
    ),
)
UNDER_WAY = (
    OpenOrder("Blood test", "laboratory", moment(0, 8), 3),
    OpenOrder("Urine test", "taken", moment(1, 9)),
    OpenOrder("Scan", "asked", moment(2, 9)),
    OpenOrder("Test", "paused", None),
    OpenOrder("Test", "cancelled", None),
)
THREADS = (
    patient.ThreadRow(
        "/patient/messages/1",
        "My next blood test",
        "the urology nurses",
        moment(0, 8),
        "Nurse Priya Shah",
        unread=True,
    ),
    patient.ThreadRow(
        "/patient/messages/2",
        "Parking at the hospital",
        "the urology nurses",
        moment(60, 8),
        "you",
        unread=False,
    ),
)
DAYS = (
    patient.AccessDay(
        moment(0),
        (
            patient.AccessLine(
                moment(0, 11),
                "A clinician from Northgate Hospital looked at your results, 3 times.",
            ),
            patient.AccessLine(
                moment(0, 10),
                "A clinician from Wirralside Hospital tried to open your record, and was refused.",
                refused=True,
            ),
        ),
    ),
    patient.AccessDay(
        moment(4),
        (
            patient.AccessLine(
                moment(4, 15), "The app Health Diary, which you allowed, read your results."
            ),
        ),
    ),
)
FOLDED = (
    patient.AccessDay(
        moment(0),
        (
            patient.AccessLine(moment(0, 12), "You looked at your results."),
            patient.AccessLine(
                moment(0, 8), "The laboratory of Northgate Hospital added a result."
            ),
        ),
    ),
)

DOCUMENTS = (Download("/patient/results/1/documents/1", "PDF, 84 KB"),)


def result(readings: list[Reading], title: str, **also: Any) -> patient.ResultView:
    """The page of the last of *readings*."""
    view = patient.ResultView(
        title,
        readings[-1].taken,
        moment(0, 13),
        readings[-1].laboratory,
        "final",
        None,
        (reading_view(readings[-1], runs(readings)),),
        "",
        documents=(),
        contact=CONTACT,
        write="/patient/messages/new",
    )
    return replace(view, **also)


def patient_pages() -> Iterator[tuple[str, str, Shell, object]]:
    """Every page of a patient: a name, its template, its frame and its view."""
    results, messages, looked = (
        patient_shell(name) for name in ("Results", "Messages", "Who has looked")
    )
    yield (
        "patient-results",
        "patient/results.jinja",
        results,
        patient.ResultsView(
            "Alan", HELD, ROWS, 1, CONTACT, "/patient?page=2", 2, UNDER_WAY, (WITHDRAWN,)
        ),
    )
    yield (
        "patient-results-empty",
        "patient/results.jinja",
        results,
        patient.ResultsView("Alan", (), (), 0, Contact()),
    )
    yield (
        "patient-result-alan",
        "patient/result.jinja",
        results,
        result(ALAN, "Prostate blood test (PSA)"),
    )
    yield (
        "patient-result-brian",
        "patient/result.jinja",
        results,
        result(BRIAN, "Prostate blood test (PSA)"),
    )
    yield (
        "patient-result-moved",
        "patient/result.jinja",
        results,
        result(MOVED, "Ovarian cancer marker (CA 125)"),
    )
    yield (
        "patient-result-undetected",
        "patient/result.jinja",
        results,
        result(BRIAN[:3], "Prostate blood test (PSA)"),
    )
    yield (
        "patient-result-corrected",
        "patient/result.jinja",
        results,
        replace(
            result(BLOOD, "Blood count", status="corrected", corrected=moment(0)),
            readings=(reading_view(BLOOD[-1], runs(BLOOD)), reading_view(ALAN[-1], runs(ALAN))),
            earlier=(patient.EarlierView("Prostate blood test (PSA)", "27.0 ug/L", "7.3 ug/L"),),
        ),
    )
    yield (
        "patient-result-words",
        "patient/result.jinja",
        results,
        result(
            [NOTE],
            "Bowel biopsy",
            documents=(Download("/patient/results/1/documents/1", "PDF, 84 KB"),),
        ),
    )
    yield (
        "patient-messages",
        "patient/messages.jinja",
        messages,
        patient.MessagesView(THREADS, "/patient/messages/new", CONTACT),
    )
    yield (
        "patient-messages-empty",
        "patient/messages.jinja",
        messages,
        patient.MessagesView((), "", CONTACT),
    )
    yield (
        "patient-thread",
        "patient/thread.jinja",
        patient_shell("Messages", "Your message was sent."),
        patient.ThreadView("My next blood test", "the urology nurses", MESSAGES, BOX, CONTACT),
    )
    yield (
        "patient-write-errors",
        "patient/write.jinja",
        messages,
        patient.WriteView(FAULTY, replace(CONTACT, urgent_phone="")),
    )
    yield (
        "patient-access",
        "patient/access.jinja",
        looked,
        patient.AccessView(DAYS, FOLDED, CONTACT, "/patient/access?page=2"),
    )
    yield (
        "patient-access-empty",
        "patient/access.jinja",
        looked,
        patient.AccessView((), (), CONTACT),
    )
