"""Every page of an auditor, of an operator, and of somebody who signs in."""

from collections.abc import Iterator
from dataclasses import replace

from auth.views import Choice as ConsentChoice
from auth.views import ConsentView, DemoAccount, SignInView
from portal_api.pages import views_auditor as auditor
from portal_api.pages import views_operator as operator
from portal_api.pages.sparklines import sparkline
from portal_api.pages.views_shell import (
    Choice,
    FormError,
    KeptView,
    ProblemView,
    Shell,
)
from tests.portal_api.pages.samples import (
    AUDITOR,
    NOW,
    OPERATOR,
    SITE,
    moment,
    patient_shell,
    staff_shell,
)


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
        "/auditor?asked=1&agent=Practitioner",
        "clinician",
        "RXX01",
        "",
        "read",
        "Patient/0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "/auditor?asked=1&patient=0a1b2c3d4e5f60718293a4b5c6d7e8f9",
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
        "northgate",
        "Northgate Hospital",
        "NORTHGATE",
        "Weekdays 8am to 6pm",
        moment(0),
        "5 minutes",
        "",
        sparkline((*range(20), 0, 3, 40, 2), NOW),
        120,
        3,
        (("date-bad", 2), ("identity-conflict", 1)),
        3,
        "2 days",
        1,
        "/operator/errors?feed=northgate",
    )
    yield (
        "operator-feeds",
        "operator/feeds.jinja",
        feeds,
        operator.FeedsView(
            (
                replace(feed, name="eastvale", latest=None, alarm="45 minutes"),
                replace(feed, name="westmere", alarm="3 hours"),
                feed,
                replace(feed, latest=None, expected="", refusals=(), waiting=0),
            ),
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
        "sign-in-lapsed",
        "account/sign_in.jinja",
        shell,
        replace(sign_in, notice="You were signed out, because you did nothing here."),
    )
    yield (
        "kept",
        "account/kept.jinja",
        shell,
        KeptView("Parking", "Where do I park?", "/sign-in?next=/patient/messages"),
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
                ConsentChoice("o", "Your test results", "see"),
                ConsentChoice("c", "Your messages", "see and write messages in your name"),
            ),
            ConsentChoice(
                "offline_access",
                "Stay connected",
                "The app can go on looking until you end it.",
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
