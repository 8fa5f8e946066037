"""Every page of an auditor, of an operator, and of somebody who signs in."""

from collections.abc import Iterator
from dataclasses import replace

from adapters.hl7v2.anatomy import anatomy
from auth.views import Choice as ConsentChoice
from auth.views import ConsentView, DemoAccount, SignInView
from portal_api.flag_words import flags_shown
from portal_api.pages import views_auditor as auditor
from portal_api.pages import views_codes as codes
from portal_api.pages import views_messages as messages
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
        "3 of 65 in 24 hours with an unmapped code",
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
    yield from _message_pages(errors, trace)
    yield from _code_pages()


def _message_pages(errors: Shell, trace: Shell) -> Iterator[tuple[str, str, Shell, object]]:
    fault = messages.MessageRow(
        "/operator/messages/northgate/0a3",
        "northgate",
        "M1",
        "ORU^R01",
        moment(0),
        "Set aside",
        "PID.7",
        "The birth date is not that of the person with this NHS number.",
    )
    filed = replace(fault, fate="Filed", field="", reason="", control_id="")
    refused = replace(fault, fate="Refused", field="MSH.9", reason="Not taken.")
    rows = (fault, filed, refused)
    group = messages.GroupRow(
        "/operator/errors?feed=northgate&code=date-bad", "northgate", "date-bad", 120, "2 days", 3
    )
    groups = (group, replace(group, code="", alarms=0))
    fields = (("feed", "northgate"), ("code", "date-bad"), ("until", "1764000000000000"))
    queue = messages.ErrorQueueView(groups, rows, older="/operator/errors?before=1-a")
    yield "operator-errors", "operator/errors.jinja", errors, queue
    chosen = replace(queue, chosen=group, fields=fields, at_once=100, older="")
    yield "operator-errors-chosen", "operator/errors.jinja", errors, chosen
    reasonless = (FormError("reason", "Say why nothing more is to be done."),)
    unclosed = replace(chosen, errors=reasonless)
    yield "operator-errors-error", "operator/errors.jinja", errors, unclosed
    none = messages.ErrorQueueView((), ())
    yield "operator-errors-none", "operator/errors.jinja", errors, none
    lines = (
        ("code.coding[1].code", "added", "2857-1"),
        ("valueQuantity.value", "changed", "7.3"),
        ("note[0].text", "removed", ""),
    )
    change = messages.ChangeShown("Observation/0a3" + "f" * 29, "new", "Open.", lines, 4)
    would = messages.TrialShown("/m", "M1", "Filed", "", "", "1 new", (change, change))
    still = replace(would, fate="Set aside", field="PID.7", reason="Bad.", changes=())
    one = messages.TrialView((would,), fields, "/operator/errors", 1)
    yield "operator-trial", "operator/trial.jinja", errors, one
    many = messages.TrialView((would, still), fields, "/operator/errors", 1)
    yield "operator-trial-many", "operator/trial.jinja", errors, many
    choices = (Choice("", "Any"), Choice("northgate", "northgate", chosen=True))
    form = messages.TraceForm("999 000 0018", "2026-11-24T08:00", "", choices, choices)
    found = messages.TraceView(form, rows, "1764000000000000-0a")
    yield "operator-trace", "operator/trace.jinja", trace, found
    yield "operator-trace-none", "operator/trace.jinja", trace, messages.TraceView(form, ())
    error = (FormError("since", "Write the time as 2026-11-24T14:30"),)
    wrong = messages.TraceView(form, (), errors=error)
    yield "operator-trace-error", "operator/trace.jinja", trace, wrong
    first = messages.TraceView(messages.TraceForm(), None)
    yield "operator-trace-first", "operator/trace.jinja", trace, first
    raw = (
        b"MSH|^~\\&|LIMS|NORTH|PORTAL|CM|20261124||ORU^R01|M1|P|2.4\r"
        b"PID|1||999 000 0018^^^NHS~A1^^^NORTH^MR||Ashworth^Alan||19550304|M\r"
        b"OBX|1|NM|PSA^Prostate specific antigen^L||7.3|ug/L|0-6.5|H|||F\r"
    )
    act = messages.ActShown(moment(0), "Olu Operator", "Ran it again", "Set aside (date-bad)")
    message = messages.MessageView(
        fault,
        "10.1.2.3",
        2,
        flags_shown("version-assumed\nvalue-as-text OBX[1].5"),
        ("Observation/1/_history/1", "DiagnosticReport/2/_history/1"),
        ("MSH|^~\\&|\nMSA|AA|M1",),
        raw.decode().replace("\r", "\n"),
        anatomy(raw, blamed="PID.7"),
        (act, act),
    )
    yield "operator-message", "operator/message.jinja", trace, message
    waits = replace(message, waits=True, errors=reasonless)
    yield "operator-message-waits", "operator/message.jinja", trace, waits
    yield "operator-message-closed", "operator/message.jinja", trace, replace(message, closed=True)
    unread = replace(
        message, anatomy=anatomy(b"?"), answers=(), resources=(), acts=(), flags=(), copies=0
    )
    yield "operator-message-unread", "operator/message.jinja", trace, unread


def _code_pages() -> Iterator[tuple[str, str, Shell, object]]:
    shell = staff_shell("Codes", *OPERATOR)
    row = codes.CodeRow(
        "/operator/codes/one?feed=northgate",
        "northgate",
        "urn:portal-fhir:codes:NORTH",
        "HE4X",
        "HE4 (method X)",
        "pmol/L",
        30,
        12,
        moment(1),
    )
    fields = (("feed", "northgate"), ("from_system", "s"), ("from_code", "HE4X"))
    begun = codes.BegunRow("northgate", "PSA", 2, fields)
    yield "operator-codes", "operator/codes.jinja", shell, codes.CodesView((row, row), (begun,))
    yield "operator-codes-none", "operator/codes.jinja", shell, codes.CodesView((), ())
    suggestion = codes.Suggestion("x", "HE4", "LOINC 55180-4", "HE4 of westmere")
    systems = (("http://loinc.org", "LOINC"), ("http://snomed.info/sct", "SNOMED CT"))
    samples = (("/operator/messages/northgate/0a3", "M1"), ("/operator/messages/northgate/0a4", ""))
    code = codes.CodeView(row, fields, samples, (suggestion, suggestion), systems)
    yield "operator-code", "operator/code.jinja", shell, code
    wrong = (FormError("code", "Choose a suggestion, or write a code of SNOMED CT or LOINC."),)
    bare = replace(code, suggestions=(), samples=(), errors=wrong)
    yield "operator-code-error", "operator/code.jinja", shell, bare
    change = messages.ChangeShown(
        "Observation/0a3", "changed", "Open.", (("code.coding[1].code", "added", "55180-4"),), 0
    )
    trial = messages.TrialShown("/m", "M1", "Filed", "", "", "1 changed", (change,))
    effect = codes.EffectView(row, fields, "LOINC 55180-4 HE4", 12, 10, 9, 1, (trial,))
    yield "operator-effect", "operator/effect.jinja", shell, effect


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
