"""The clinician’s rows of changed results, and what was changed, on the pages that show them."""

from fastapi import APIRouter
from starlette.responses import Response

from auth.principal import Role
from portal_api import alerts, london
from portal_api.corrections import Corrections, Reader
from portal_api.pages.desk import Desk, Visit, done, endpoint
from portal_api.pages.navigation import HOMES
from portal_api.pages.patient_names import patient_name
from portal_api.pages.views_clinician import AlertRow, ChangeView, ReaderRow

HOME = HOMES[Role.CLINICIAN]
_ALERT = f"{HOME}/alerts/{{id:str}}/done"


def routes(desk: Desk) -> APIRouter:
    """Return the route by which a clinician says that a changed result was dealt with."""
    router = APIRouter()
    served = endpoint(desk, Role.CLINICIAN, deal_with)
    router.add_route(_ALERT, served, ["POST"], include_in_schema=False)
    return router


async def deal_with(_desk: Desk, visit: Visit) -> Response:
    """Note that the clinician has dealt with a changed result."""
    await alerts.deal_with(visit.caller, visit.path["id"])
    return done(HOME, "dealt-with")


async def alert_rows(visit: Visit) -> tuple[AlertRow, ...]:
    """Return the changed results that nobody of the clinician's teams has dealt with."""
    now = visit.caller.record.clock()
    return tuple(
        AlertRow(
            href=f"{HOME}/reports/{one.report}",
            topic=one.topic,
            text=one.text,
            patient=patient_name(visit, one.person),
            age=london.age(one.sent.instant, now) if one.sent else "",
            urgent=one.urgent,
            done=f"{HOME}/alerts/{one.id}/done",
        )
        for one in await alerts.waiting(visit.caller)
    )


def change_view(found: Corrections) -> ChangeView:
    """Return what was changed in a report, and who had read it, as its page shows it."""
    return ChangeView(
        changes=found.changes, readers=tuple(_reader_row(one) for one in found.readers)
    )


def _reader_row(reader: Reader) -> ReaderRow:
    who = "The patient" if reader.role == "patient" else reader.who or "An application"
    by_app = reader.application and reader.application != "portal"
    return ReaderRow(
        who=f"{who}, with the app {reader.application}" if by_app else who,
        organization=reader.organization,
        how="Opened it" if reader.opened else "Had it in a list",
        first=reader.first,
        last=reader.last,
        times=reader.times,
        is_patient=reader.role == "patient",
    )
