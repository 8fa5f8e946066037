"""Review of results: a clinician who cares for the patient opens a held report before its date."""

from collections.abc import Iterator
from typing import Any

from auth.answers import committed
from fhir_server.access import CaredFor
from fhir_server.errors import Conflict, Forbidden, Unprocessable
from fhir_server.model import json
from fhir_server.model.ids import bucket_of
from fhir_server.record import Asked, Stored, Writer
from portal_api.caller import Caller, read

Tree = dict[str, Any]

LONGEST_REASON = 200
"""Characters of a reason that are kept on the ledger."""


async def release(caller: Caller, report_id: str, version: int, reason: str) -> Stored:
    """Open the report *report_id* to its patient now, with everything that it stands on.

    The report, its results and specimens and the order become new versions with their release
    now; the notice is taken back; the ledger keeps *reason*, which has to be given. *version* is
    the one that the clinician has read: Conflict where the laboratory has sent another since, or
    where it is open already. Raises NotFound for a report that is not the caller's to see,
    Forbidden for anybody but a clinician who cares for the patient.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise Unprocessable.of("Say why the result may be opened now.", code="required")
    if not isinstance(caller.access.reach, CaredFor):
        raise Forbidden.of("Only a clinician who cares for the patient releases a result.")
    seen = (await read(caller, "DiagnosticReport", report_id)).stored
    asked = Asked("release", f"DiagnosticReport/{report_id}")

    def piece(writer: Writer) -> Stored:
        current = writer.current("DiagnosticReport", report_id)
        if current is None or current.version != version:
            raise Conflict.of("The laboratory has sent a newer version. Please read it first.")
        if not _held(current, writer.now):
            raise Conflict.of("This result is open to the patient already.")
        for part in (current, *_parts(writer, current)):
            if _held(part, writer.now):
                _open(writer, part, reason)
        writer.withdraw_notice(current.patient, report_id)
        opened = writer.current("DiagnosticReport", report_id) or current
        entity = f"{opened.reference}/_history/{opened.version}"
        writer.audit("release", patient=opened.patient, entity=entity, reason=reason)
        return opened

    future = caller.record.submit(
        caller.access, piece, buckets=[bucket_of(seen.patient)], asked=asked
    )
    return await committed(future)


def _held(stored: Stored, now: int) -> bool:
    return stored.release_at is None or stored.release_at > now


def _open(writer: Writer, stored: Stored, reason: str) -> None:
    writer.file(
        json.decode(stored.body),
        id_=stored.id,
        patient=stored.patient,
        release_at=writer.now,
        labels=stored.labels,
        reason=reason,
    )


def _parts(writer: Writer, report: Stored) -> Iterator[Stored]:
    """Yield what the report names and what belongs to the same patient: each once."""
    waiting, met = _references(json.decode(report.body)), {report.reference}
    while waiting:
        reference = waiting.pop()
        kind, _, id_ = reference.partition("/")
        part = writer.current(kind, id_) if reference not in met else None
        met.add(reference)
        if part is not None and part.patient == report.patient:
            yield part
            if kind == "Observation":
                waiting += _references(json.decode(part.body))


def _references(tree: Tree) -> list[str]:
    return [
        one["reference"]
        for name in ("result", "specimen", "basedOn", "hasMember")
        for one in _listed(tree.get(name, ()))
        if one.get("reference", "").startswith(("Observation/", "Specimen/", "ServiceRequest/"))
    ]


def _listed(value: Any) -> list[Tree]:
    return [value] if isinstance(value, dict) else list(value)
