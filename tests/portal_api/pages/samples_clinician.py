"""Every page of a clinician, in each of its states."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from portal_api import london
from portal_api.corrections import Change
from portal_api.pages import views_clinician as clinician
from portal_api.pages.reading_views import reading_view
from portal_api.pages.views_letters import Words
from portal_api.pages.views_shell import (
    Choice,
    Download,
    FormError,
    Shell,
)
from portal_api.readings import Reading, runs
from tests.portal_api.pages.samples import (
    ALAN,
    BOX,
    BRIAN,
    CLINICIAN,
    FAULTY,
    NOTE,
    NOW,
    moment,
    staff_shell,
)
from tests.portal_api.pages.samples_letters import SENDER
from tests.portal_api.pages.samples_patient import MESSAGES, THREADS

WHO = clinician.PatientName(
    "Alan Ashworth",
    "4 March 1955 (71 years)",
    "999 000 0018",
    "/clinician/patients/1",
    "Ashworth, Mr Alan",
)
ALERTS = (
    clinician.AlertRow(
        "/clinician/reports/1",
        "Result corrected: CEA",
        "The laboratory corrected CEA. It had been read by the patient.",
        WHO,
        "3 hours",
        urgent=True,
        done="/clinician/alerts/1/done",
    ),
)
CHANGED = clinician.ChangeView(
    (Change("CEA", "27.0 ug/L", "2.7 ug/L", moment(1), moment(0)),),
    (
        clinician.ReaderRow(
            "The patient", "", "Opened it", moment(1), moment(0), 2, is_patient=True
        ),
        clinician.ReaderRow(
            "Nurse Priya Shah", "RXX", "Had it in a list", moment(1), moment(1), 1, is_patient=False
        ),
    ),
)
REVIEW = (
    clinician.HeldRow("/clinician/reports/1", "Histology", WHO, "2 days", moment(-12)),
    clinician.HeldRow("/clinician/reports/2", "PSA", WHO, "3 hours", None),
)

LETTERS = (
    clinician.HeldRow("/clinician/letters/1", "Clinic letter", WHO, "5 days", None, unsigned=True),
    clinician.HeldRow("/clinician/letters/2", "CT report", WHO, "2 days", moment(-12)),
)
PATIENT_LETTERS = (
    clinician.PatientLetterRow(
        "/clinician/letters/1", "Clinic letter", SENDER, moment(0), held=True, replaced=False
    ),
    clinician.PatientLetterRow(
        "/clinician/letters/3", "Clinic letter", "", None, held=False, replaced=True
    ),
)


def review(
    readings: list[Reading], title: str, *, held: bool, errors: tuple[FormError, ...] = ()
) -> clinician.ReviewView:
    """The clinician's page of the last of *readings*."""
    reasons = (
        Choice("spoken", "I have spoken with the patient"),
        Choice("routine", "Nothing in it needs a talk first"),
    )
    return clinician.ReviewView(
        WHO,
        title,
        readings[-1].taken,
        moment(0, 13),
        readings[-1].laboratory,
        "final",
        None,
        tuple(reading_view(one, runs(readings)) for one in readings[-1:]),
        "",
        documents=(Download("/clinician/reports/1/documents/1", "PDF, 84 KB"),),
        held=held,
        opens=london.at(NOW + timedelta(days=13)),
        action="/clinician/reports/1/release",
        version=1,
        reasons=reasons,
        errors=errors,
        write="/clinician/patients/1/write?about=PSA",
    )


def letter_reviews() -> dict[str, clinician.LetterReviewView]:
    """The clinician's page of a letter, in each of its states."""
    held = clinician.LetterReviewView(
        patient=WHO,
        title="Clinic letter",
        sender=SENDER,
        written=moment(0),
        status="preliminary, current",
        why=("Nobody has signed it.",),
        opens=None,
        unsigned=True,
        withdrawn=False,
        replaced=False,
        adds_to=False,
        words=(Words("", "Dear Alan\n\nThe test was fine.\n\n  Dose   20 mg"),),
        downloads=(),
        held=True,
        action="/clinician/letters/1/release",
        version=1,
        reasons=(Choice("spoken", "I have spoken with the patient"),),
        write="/clinician/patients/1/write?about=Clinic+letter",
    )
    files = tuple(
        Download(f"/clinician/letters/1/documents/{place}", "PDF, 84 KB") for place in (1, 2)
    )
    dated = replace(
        held,
        status="final, current",
        why=("Letters of this kind wait some days.",),
        opens=moment(-13),
        unsigned=False,
        adds_to=True,
        words=(),
        downloads=files,
    )
    shut = replace(held, action="", unsigned=False)
    return {
        "held": held,
        "held-error": replace(held, errors=(FormError("reason", "Choose a reason"),)),
        "dated": dated,
        "open": replace(dated, held=False, why=(), opens=None, action=""),
        "withdrawn": replace(
            shut,
            withdrawn=True,
            words=(),
            sender="",
            written=None,
            why=("Its sender took it back.",),
        ),
        "replaced": replace(
            shut, replaced=True, why=("Its sender replaced it before anybody could read it.",)
        ),
    }


def clinician_pages() -> Iterator[tuple[str, str, Shell, object]]:
    """Every page of a clinician."""
    mine, inbox = (staff_shell(name, *CLINICIAN) for name in ("My patients", "Team inbox"))
    rows = tuple(
        clinician.PatientRow(replace(WHO, listed=name), "Urology nurses")
        for name in ("Ashworth, Mr Alan", "Booth, Brian", "Clarke, Colin")
    )
    held = clinician.ReportRow(
        "/clinician/reports/1",
        "PSA",
        "0.21 ug/L",
        "within",
        moment(0),
        "Northgate Hospital laboratory",
        "final",
        held=True,
        opens=london.at(NOW + timedelta(days=13)),
    )
    open_ = replace(
        held, held=False, opens=None, value="0.09 ug/L", taken=moment(182), status="corrected"
    )
    waiting = clinician.WaitingRow(
        "/clinician/messages/1",
        "My next blood test",
        WHO,
        "3 days",
        late=True,
        owner="Nurse Priya Shah",
        mine=False,
        take="/clinician/messages/1/take",
    )
    yield (
        "clinician-patients",
        "clinician/patients.jinja",
        mine,
        clinician.PatientsView(REVIEW, rows, 2, alerts=ALERTS, letters=LETTERS),
    )
    yield (
        "clinician-patients-none",
        "clinician/patients.jinja",
        mine,
        clinician.PatientsView((), (), 0, "zz"),
    )
    yield (
        "clinician-patient",
        "clinician/patient.jinja",
        mine,
        clinician.PatientView(
            WHO,
            (held, replace(held, opens=None, status="preliminary")),
            (open_,),
            THREADS,
            "/clinician/patients/1/write",
            letters=PATIENT_LETTERS,
        ),
    )
    yield "clinician-review", "clinician/review.jinja", mine, review(BRIAN, "PSA", held=True)
    yield (
        "clinician-review-error",
        "clinician/review.jinja",
        mine,
        review([NOTE], "Bowel biopsy", held=True, errors=(FormError("reason", "Choose a reason"),)),
    )
    yield "clinician-review-open", "clinician/review.jinja", mine, review(ALAN, "PSA", held=False)
    changed = replace(review(ALAN, "CEA", held=False), status="corrected", changed=CHANGED)
    yield "clinician-review-changed", "clinician/review.jinja", mine, changed
    unseen = replace(changed, changed=replace(CHANGED, readers=()))
    yield "clinician-review-changed-unseen", "clinician/review.jinja", mine, unseen
    yield (
        "clinician-inbox",
        "clinician/inbox.jinja",
        inbox,
        clinician.InboxView(
            (waiting, replace(waiting, late=False, mine=True, age="2 hours")), ALERTS
        ),
    )
    yield "clinician-inbox-empty", "clinician/inbox.jinja", inbox, clinician.InboxView(())
    yield (
        "clinician-conversation",
        "clinician/conversation.jinja",
        inbox,
        clinician.ConversationView(
            WHO,
            "My next blood test",
            MESSAGES,
            "Nurse Priya Shah",
            waiting=True,
            take="/t",
            settle="/s",
            box=BOX,
        ),
    )
    for name, letter in letter_reviews().items():
        yield f"clinician-letter-{name}", "clinician/letter_review.jinja", mine, letter
    yield "clinician-letter", "clinician/letter.jinja", mine, clinician.LetterView(WHO, FAULTY)
