"""Which version of a report stands: by the laboratory's own time, not by the order of arrival."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from adapters.intake.tables import report_standing
from fhir_server.clock import micros
from fhir_server.model.ids import bucket_of
from fhir_server.record import Writer

SETTLED = frozenset({"final", "corrected", "amended", "appended"})
"""Statuses of a report or a result that nobody expects to be completed."""
UNSETTLED = frozenset({"registered", "partial", "preliminary"})

_CORRECTED = frozenset({"corrected", "amended"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a version is applied, and the flag for a person, empty where all is in order."""

    applied: bool
    flag: str = ""
    address: str = "OBR.25"


def judge(writer: Writer, patient: str, report: str, version_at: int, status: str) -> Verdict:
    """Tell whether a version from then (microseconds) with this status replaces what stands.

    An older one that arrives late is not applied, nor is one that takes a final result back to
    preliminary, nor a final one of the same moment as its correction; all are kept with their
    message.
    """
    rows = writer.select(_STANDING, _place(patient, report))
    if not rows:
        return Verdict(applied=True, flag="correction-first" if status in _CORRECTED else "")
    stands, since = rows[0].status, rows[0].version_at
    if version_at < since:
        return Verdict(applied=False, flag="version-older", address="OBR.22")
    if stands in SETTLED and status in UNSETTLED:
        return Verdict(applied=False, flag="status-backwards")
    if stands in _CORRECTED and status == "final" and version_at == since:
        return Verdict(applied=False, flag="status-backwards")
    return Verdict(applied=True)


def stand(
    writer: Writer, patient: str, report: str, feed: str, said: tuple[str, datetime, str]
) -> None:
    """Note that the version in *said* (control id, its time, status) is now the one that stands."""
    control_id, version_at, status = said
    place = _place(patient, report)
    if writer.select(_STANDING, place):
        writer.execute(_FORGET, place)
    version = {"version_at": micros(version_at), "status": status}
    said_by = {"feed": feed, "control_id": control_id}
    writer.insert(report_standing, place | version | said_by)


def _place(patient: str, report: str) -> dict[str, Any]:
    return {"bucket": bucket_of(patient), "patient": patient, "report": report}


_HERE = tuple(
    report_standing.c[name] == bindparam(name) for name in ("bucket", "patient", "report")
)
_STANDING = select(report_standing.c.version_at, report_standing.c.status).where(*_HERE)
_FORGET = delete(report_standing).where(*_HERE)
