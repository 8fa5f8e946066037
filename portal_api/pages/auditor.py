"""The auditor's pages: search the ledger, and verify it."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from auth.principal import Role
from fhir_server import notary
from fhir_server.audit.publication import PublicationRefused
from fhir_server.audit.subtypes import SUBTYPES, Subtype
from fhir_server.audit.verify import Tampered, Verified
from fhir_server.clock import instant_text
from fhir_server.errors import FhirError
from fhir_server.model.identifiers import NHS_NUMBER, NhsNumber
from fhir_server.model.ids import derived_id
from fhir_server.record import Record
from fhir_server.rest.exchange import within_deadline
from portal_api import access_log, london
from portal_api.access_entry import DONE, FAILED, REFUSED, Access
from portal_api.caller import Pair
from portal_api.pages.desk import Desk, Visit, answer, endpoint
from portal_api.pages.views_auditor import AuditQuestion, AuditRow, AuditSearchView, VerifyView
from portal_api.pages.views_shell import Choice, FormError

HOME = "/auditor"
_OUTCOMES = {DONE: "Done", REFUSED: "Refused", FAILED: "Failed"}
_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        Subtype.READ: "Read",
        Subtype.VREAD: "Read an earlier version",
        Subtype.HISTORY_INSTANCE: "Read all versions",
        Subtype.SEARCH_TYPE: "Searched",
        Subtype.CREATE: "Created",
        Subtype.UPDATE: "Changed",
        Subtype.OPERATION: "Looked at",
    }
)
"""FHIR's interactions in words; the system's own acts have their words on the ledger."""
_PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "TREAT": "treatment",
        "PATRQT": "the patient’s own request",
        "HOPERAT": "running the service",
        "BTG": "an emergency",
    }
)
"""https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html"""
_DAY = "Write the day as 2026-11-24"


def routes(desk: Desk) -> APIRouter:
    """Return the auditor's routes."""
    router = APIRouter()
    for path, handler in ((HOME, show_search), (f"{HOME}/verify", show_verify)):
        served = endpoint(desk, Role.AUDITOR, handler)
        router.add_route(path, served, ["GET"], include_in_schema=False)
    return router


async def show_search(desk: Desk, visit: Visit) -> Response:
    """Answer with the form, and with what it finds once it was sent."""
    asked = {name: visit.query.get(name, "").strip() for name in AuditQuestion.__slots__}
    question, errors, rows, older = AuditQuestion(**asked), _errors(asked), None, ""
    if visit.query.get("asked") and not errors:
        try:
            log = await access_log.search(
                visit.caller,
                *_pairs(visit.caller.record, question),
                page=visit.query.get("page", ""),
            )
        except FhirError as error:
            errors = (_blamed(error),)
        else:
            rows = tuple(_row(one) for one in log.entries)
            older = f"{HOME}?{urlencode({**asked, 'asked': 1, 'page': log.next})}"
            older = older if log.next else ""
    view = AuditSearchView(
        question=question,
        outcomes=_choices({"": "Any"} | _OUTCOMES, question.outcome),
        subtypes=_choices(
            {"": "Anything"}
            | {str(key): _ACTIONS.get(key, kind.display) for key, kind in SUBTYPES.items()},
            question.subtype,
        ),
        rows=rows,
        errors=errors,
        older=older,
    )
    return answer(desk, visit, "auditor/search.jinja", view, 422 if errors else 200)


async def show_verify(desk: Desk, visit: Visit) -> Response:
    """Answer with the button, and with the verifier's findings once it was pressed."""
    if not visit.query.get("run"):
        view = VerifyView(None, sound=False, entries=0, covered=0, uncovered=0, faults=())
        return answer(desk, visit, "auditor/verify.jinja", view)
    now = london.at(visit.caller.record.clock())
    try:
        found: Verified | Tampered | PublicationRefused = await run_in_threadpool(
            notary.verified, desk.notary
        )
    except PublicationRefused as refused:
        found = refused
    sound = isinstance(found, Verified)
    note = visit.caller.record.note(
        visit.caller.access, Subtype.LEDGER_VERIFIED, reason="" if sound else "it does not fit"
    )
    await within_deadline(note)
    return answer(desk, visit, "auditor/verify.jinja", _verdict(found, now))


def _verdict(found: Verified | Tampered | PublicationRefused, now: london.Moment) -> VerifyView:
    match found:
        case Verified(size, covered, uncovered):
            return VerifyView(now, True, size, covered, uncovered, tuple(found.remarks))
        case Tampered(first, last):
            place = f"Entry {first}" if first == last else f"Entries {first} to {last}"
            faults = (f"{place}: {found.text}", *found.remarks)
            return VerifyView(now, False, 0, 0, 0, faults)
        case refused:
            return VerifyView(now, False, 0, 0, 0, (str(refused),))


def _pairs(record: Record, question: AuditQuestion) -> list[Pair]:
    start, end = london.day_start(question.start), london.day_end(question.end)
    named = {"patient": _patient_id(record, question.patient), "agent": question.agent}
    coded = {"outcome": question.outcome, "subtype": question.subtype}
    pairs = [(name, value) for name, value in (named | coded).items() if value]
    if start:
        pairs.append(("date", f"ge{instant_text(start)}"))
    if end:
        pairs.append(("date", f"lt{instant_text(end)}"))
    return pairs


def _errors(asked: dict[str, str]) -> tuple[FormError, ...]:
    found = []
    if asked["start"] and london.day_start(asked["start"]) is None:
        found.append(FormError("start", _DAY))
    if asked["end"] and london.day_end(asked["end"]) is None:
        found.append(FormError("end", _DAY))
    return tuple(found)


def _blamed(error: FhirError) -> FormError:
    """Return *error* beside the field that it is about; the first field where it names none."""
    issue = error.issues[0]
    field = issue.expression if issue.expression in AuditQuestion.__slots__ else "patient"
    return FormError(field, issue.text)


def _choices(texts: dict[str, str], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, text, value == chosen) for value, text in texts.items())


def _search_for(name: str, value: str) -> str:
    return f"{HOME}?{urlencode({'asked': 1, name: value})}" if value else ""


def _patient_id(record: Record, text: str) -> str:
    """Return the id that *text* means: of the person with this NHS number, else *text* itself."""
    number = NhsNumber.parse(text)
    return derived_id(record.id_key, "Patient", NHS_NUMBER, number.digits) if number else text


def _row(one: Access) -> AuditRow:
    return AuditRow(
        when=one.when,
        who=one.name or one.user or one.client,
        by_agent=_search_for("agent", one.user or one.client),
        role=one.role,
        organization=one.organization,
        application=one.client,
        action=_ACTIONS.get(one.subtype, one.display),
        entity=one.entity,
        patient=one.patient,
        by_patient=_search_for("patient", one.patient),
        outcome=_OUTCOMES.get(one.outcome, one.outcome),
        purpose=f"For {_PURPOSES.get(one.purpose, one.purpose)}" if one.purpose else "",
        relationship=one.relationship,
        reason=one.reason,
        request_id=one.request_id,
    )
