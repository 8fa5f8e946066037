"""Pages of made-up people, as their routes would fill them: every template in each of its states."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from auth.views import Choice as ConsentChoice
from auth.views import ConsentView, DemoAccount, SignInView
from portal_api import london
from portal_api.pages import views_auditor as auditor
from portal_api.pages import views_clinician as clinician
from portal_api.pages import views_operator as operator
from portal_api.pages import views_patient as patient
from portal_api.pages.reading_views import reading_view
from portal_api.pages.views_shell import (
    Choice,
    Contact,
    FormError,
    Link,
    MessageView,
    ProblemView,
    Shell,
    Site,
    WritingBox,
)
from portal_api.readings import Reading, reading, runs

NOW = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
NAMES = {
    "Organization/a": "Northgate Hospital laboratory",
    "Organization/b": "Wirralside laboratory",
}
CONTACT = Contact(
    "the urology nurses", "0151 496 0101", "Monday to Friday, 9am to 5pm.", "0151 496 0999"
)
SITE = Site(
    "My cancer results",
    "We aim to answer within 2 working days. We are here Monday to Friday, 9am to 5pm.",
    "0151 496 0101",
    "Monday to Friday, 9am to 5pm.",
    "0151 496 0999",
    demonstration=True,
)
_LOINC = {"psa": ("2857-1", "PSA"), "ca125": ("10334-1", "CA 125"), "hb": ("718-7", "Haemoglobin")}
HISTOLOGY = """MICROSCOPY
                         Site A      Site B
Tumour type              Adeno-      Normal
                         carcinoma   mucosa
Invasion                 Submucosa   None

SUMMARY: moderately differentiated adenocarcinoma."""


def moment(days: int, hour: int = 9, minute: int = 5) -> london.Moment:
    """A time so many days before today."""
    day = NOW - timedelta(days=days)
    return london.at(day.replace(hour=hour, minute=minute))


def observation(test: str, number: str, days: int, **also: Any) -> dict[str, Any]:
    """An Observation as the server serves it."""
    comparator = number[0] if number[0] in "<>" else ""
    code, name = _LOINC.get(test, ("", test))
    coding = {"coding": [{"system": "http://loinc.org", "code": code}]} if code else {}
    return {
        "resourceType": "Observation",
        "id": f"{test}{number}{days}".encode().hex().ljust(32, "0"),
        "status": "final",
        "code": coding | {"text": name},
        "effectiveDateTime": (NOW - timedelta(days=days)).isoformat(),
        "performer": [{"reference": "Organization/a"}],
        "valueQuantity": {
            "value": Decimal(number.lstrip("<>")),
            "unit": "g/L" if test == "hb" else "ug/L",
            **({"comparator": comparator} if comparator else {}),
        },
    } | also


def upper(high: str) -> dict[str, Any]:
    """A reference range with an upper end alone."""
    return {"referenceRange": [{"high": {"value": Decimal(high)}, "text": f"<={high}"}]}


def course(test: str, *points: tuple[str, int], **also: Any) -> list[Reading]:
    """Readings of one test, oldest first."""
    return [reading(observation(test, number, days, **also), NAMES) for number, days in points]


ALAN = course(
    *("psa", ("6.8", 730), ("7.1", 610), ("6.7", 490), ("6.9", 365), ("7.0", 182), ("7.3", 0)),
    **upper("6.5"),
)
BRIAN = course(
    *("psa", ("9.4", 970), ("<0.01", 850), ("<0.01", 730), ("<0.01", 545)),
    *(("0.04", 365), ("0.09", 182), ("0.21", 0)),
    **upper("4.5"),
)
MOVED = [
    *course("ca125", ("642", 140), ("118", 91), ("74", 56), **upper("35")),
    *course(
        "ca125", ("22", 35), ("11", 10), performer=[{"reference": "Organization/b"}], **upper("35")
    ),
]
BLOOD = course(
    *("hb", ("146", 300), ("131", 0)),
    referenceRange=[{"low": {"value": Decimal(130)}, "high": {"value": Decimal(170)}}],
)
NOTE = reading(
    observation("Histology", "1", 1) | {"valueQuantity": None, "valueString": HISTOLOGY}, NAMES
)


def patient_shell(current: str, done: str = "") -> Shell:
    """The frame of a patient's page."""
    links = (
        ("Results", "/patient"),
        ("Messages", "/patient/messages"),
        ("Who has looked", "/patient/access"),
    )
    navigation = tuple(Link(text, href, text == current) for text, href in links)
    return Shell(SITE, "/patient", navigation, "Alan Ashworth", "token", done)


def staff_shell(current: str, *links: tuple[str, str]) -> Shell:
    """The frame of a page for staff."""
    return Shell(
        SITE,
        links[0][1],
        tuple(Link(text, href, text == current) for text, href in links),
        "Sam Ortega",
        "token",
    )


CLINICIAN = (("My patients", "/clinician"), ("Team inbox", "/clinician/inbox"))
AUDITOR = (("Search", "/auditor"), ("Verify", "/auditor/verify"))
OPERATOR = (
    ("Feeds", "/operator"),
    ("Error queue", "/operator/errors"),
    ("Trace", "/operator/trace"),
)
WHO = clinician.PatientName(
    "Alan Ashworth", "4 March 1955 (71 years)", "999 000 0018", "/clinician/patients/1"
)
BOX = WritingBox("/patient/messages/1", "draft")
FAULTY = WritingBox(
    "/patient/messages",
    "draft",
    "",
    "",
    asks_subject=True,
    teams=(Choice("1", "Urology nurses"), Choice("2", "Chemotherapy team")),
    errors=(
        FormError("team", "Choose a team"),
        FormError("subject", "Write what it is about"),
        FormError("text", "Write your message"),
    ),
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
        "Ring the bowel nurses on 0151 496 0102.",
    ),
    patient.HeldCard(
        "Prostate blood test (PSA)", moment(0), None, "Ring the urology nurses on 0151 496 0101."
    ),
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
                moment(0, 11), "A clinician at Northgate Hospital looked at your results, 3 times."
            ),
            patient.AccessLine(
                moment(0, 10),
                "A clinician at Wirralside Hospital tried to open your record. No team of theirs looks after you.",
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
        document=False,
        contact=CONTACT,
        write="/patient/messages/new",
    )
    return replace(view, **also)


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
        document=False,
        held=held,
        opens=london.at(NOW + timedelta(days=13)),
        action="/clinician/reports/1/release",
        version=1,
        reasons=reasons,
        errors=errors,
    )


def patient_pages() -> Iterator[tuple[str, str, Shell, object]]:
    """Every page of a patient: a name, its template, its frame and its view."""
    results, messages, looked = (
        patient_shell(name) for name in ("Results", "Messages", "Who has looked")
    )
    yield (
        "patient-results",
        "patient/results.jinja",
        results,
        patient.ResultsView("Alan", HELD, ROWS, 1, CONTACT, "/patient?page=2"),
    )
    yield (
        "patient-results-empty",
        "patient/results.jinja",
        results,
        patient.ResultsView("Alan", (), (), 0, Contact("your team")),
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
        ),
    )
    yield (
        "patient-result-words",
        "patient/result.jinja",
        results,
        result([NOTE], "Bowel biopsy", document=True),
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


def clinician_pages() -> Iterator[tuple[str, str, Shell, object]]:
    """Every page of a clinician."""
    mine, inbox = (staff_shell(name, *CLINICIAN) for name in ("My patients", "Team inbox"))
    rows = tuple(
        clinician.PatientRow(replace(WHO, name=name), "Urology nurses")
        for name in ("Alan Ashworth", "Brian Booth", "Colin Clarke")
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
    yield "clinician-patients", "clinician/patients.jinja", mine, clinician.PatientsView(rows, 2)
    yield (
        "clinician-patients-none",
        "clinician/patients.jinja",
        mine,
        clinician.PatientsView((), 0, "zz"),
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
    yield (
        "clinician-inbox",
        "clinician/inbox.jinja",
        inbox,
        clinician.InboxView((waiting, replace(waiting, late=False, mine=True, age="2 hours"))),
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
    yield "clinician-letter", "clinician/letter.jinja", mine, clinician.LetterView(WHO, FAULTY)


def office_pages() -> Iterator[tuple[str, str, Shell, object]]:
    """Every page of an auditor and an operator."""
    search, verify = (staff_shell(name, *AUDITOR) for name in ("Search", "Verify"))
    feeds, errors, trace = (
        staff_shell(name, *OPERATOR) for name in ("Feeds", "Error queue", "Trace")
    )
    question = auditor.AuditQuestion(patient="0a1b2c", start="2026-11-01", end="x")
    outcomes = (Choice("", "Any"), Choice("0", "Done"), Choice("4", "Refused", chosen=True))
    entry = auditor.AuditRow(
        moment(0),
        "Tessa Neal",
        "clinician",
        "RXX01",
        "",
        "read",
        "Patient/0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "",
        "Refused",
        "TREAT",
        "",
        "There is no such resource, or it is not yours to see.",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
    )
    yield (
        "auditor-search",
        "auditor/search.jinja",
        search,
        auditor.AuditSearchView(auditor.AuditQuestion(), outcomes, outcomes, None),
    )
    yield (
        "auditor-found",
        "auditor/search.jinja",
        search,
        auditor.AuditSearchView(
            question,
            outcomes,
            outcomes,
            (entry, replace(entry, outcome="Done", patient="0a1b2c3d4e5f60718293a4b5c6d7e8f9")),
            (),
            "/auditor?page=2",
        ),
    )
    yield (
        "auditor-error",
        "auditor/search.jinja",
        search,
        auditor.AuditSearchView(
            question, outcomes, outcomes, (), (FormError("end", "Write the day as 2026-11-24"),)
        ),
    )
    yield (
        "auditor-verify",
        "auditor/verify.jinja",
        verify,
        auditor.VerifyView(None, sound=False, entries=0, covered=0, uncovered=0, faults=()),
    )
    yield (
        "auditor-sound",
        "auditor/verify.jinja",
        verify,
        auditor.VerifyView(
            moment(0), sound=True, entries=1204, covered=1200, uncovered=4, faults=()
        ),
    )
    yield (
        "auditor-broken",
        "auditor/verify.jinja",
        verify,
        auditor.VerifyView(
            moment(0),
            sound=False,
            entries=1204,
            covered=1200,
            uncovered=4,
            faults=("Entry 17 does not fit the checkpoint at 100.",),
        ),
    )
    feed = operator.FeedRow(
        "northgate", "Northgate Hospital", "NORTHGATE", moment(0), "5 minutes", 120, 2, 1
    )
    yield (
        "operator-feeds",
        "operator/feeds.jinja",
        feeds,
        operator.FeedsView(
            (feed, replace(feed, latest=None, waiting=0)),
            (operator.UnmappedRow("northgate", "HE4X", "HE4", "pmol/L", 3, moment(1)),),
        ),
    )
    yield "operator-feeds-none", "operator/feeds.jinja", feeds, operator.FeedsView((), ())
    fault = operator.FaultRow(
        "/operator/trace?key=M1",
        moment(0),
        "northgate",
        "M1",
        "quarantined",
        "PID-7",
        "The birth date is not that of the person with this NHS number.",
    )
    yield (
        "operator-errors",
        "operator/errors.jinja",
        errors,
        operator.ErrorQueueView((fault, replace(fault, field=""))),
    )
    yield "operator-errors-none", "operator/errors.jinja", errors, operator.ErrorQueueView(())
    made = operator.TraceRow(
        "northgate",
        "M1",
        moment(0),
        "filed",
        "",
        "MSH|^~\\&|LIMS|NORTH|PORTAL|CM|20261124||ORU^R01|M1|P|2.4\nPID|1||999 000 0018",
        "MSA|AA|M1",
        ("Observation/1",),
    )
    yield "operator-trace", "operator/trace.jinja", trace, operator.TraceView("M1", (made,))
    yield "operator-trace-none", "operator/trace.jinja", trace, operator.TraceView("zz", ())
    yield (
        "operator-trace-first",
        "operator/trace.jinja",
        trace,
        operator.TraceView("", None, (FormError("key", "Write a control id"),)),
    )


def account_pages() -> Iterator[tuple[str, str, Shell, object]]:
    """Sign-in, consent and what can go wrong."""
    shell = Shell(SITE)
    accounts = (
        DemoAccount(
            "alan", "x", "Alan Ashworth", "patient", "Has a new PSA result and five earlier ones."
        ),
        DemoAccount(
            "priya",
            "x",
            "Priya Shah",
            "clinician",
            "Urology nurse. Looks after Alan, Brian and Colin.",
        ),
    )
    sign_in = SignInView("/sign-in", "token", "/patient", demo_accounts=accounts)
    yield "sign-in", "account/sign_in.jinja", shell, sign_in
    yield (
        "sign-in-error",
        "account/sign_in.jinja",
        shell,
        replace(
            sign_in,
            error="The sign-in name or the password is not right.",
            client_name="Health Diary",
            login="alan",
            demo_accounts=(),
        ),
    )
    yield (
        "consent",
        "account/consent.jinja",
        shell,
        ConsentView(
            "/auth/consent",
            "token",
            "r1",
            "Health Diary",
            "Alan Ashworth",
            "your own record",
            (
                ConsentChoice("o", "Your test results", "see these"),
                ConsentChoice("c", "Your messages", "see and add to these"),
            ),
            ConsentChoice(
                "offline_access", "Stay connected", "look again later, until you disconnect it"
            ),
            ("This app asks for everything in your record.",),
            "health-diary.example",
        ),
    )
    yield (
        "problem",
        "account/problem.jinja",
        patient_shell(""),
        ProblemView(
            "This page is not here",
            ("It may have moved, or it may not be yours to see.",),
            "0f8fad5b",
            "/patient",
        ),
    )


def every_page() -> list[tuple[str, str, Shell, object]]:
    """All pages, in each of their states."""
    return [*patient_pages(), *clinician_pages(), *office_pages(), *account_pages()]
