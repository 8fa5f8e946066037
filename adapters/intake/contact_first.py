"""Tests whose results a clinician wants to tell a patient in person, before they open."""

from collections.abc import Iterable

from sqlalchemy import delete, insert

from adapters.intake.tables import contact_first as table
from fhir_server.model.ids import bucket_of
from fhir_server.record import Writer


def mark(writer: Writer, patient: str, codes: Iterable[str]) -> None:
    """Have results under these *codes*, the laboratory's own or standard, wait from now on.

    The caller has seen to it that whoever asks cares for *patient* (an id); the ledger says who.
    """
    for code in codes:
        _forget(writer, patient, code)
        writer.execute(
            insert(table).values(
                bucket=bucket_of(patient),
                patient=patient,
                code=code,
                set_by=writer.access.agent.user,
                set_at=writer.now,
            )
        )
        writer.audit("request", patient=patient, entity=f"test:{code}", reason="contact first")


def _forget(writer: Writer, patient: str, code: str) -> None:
    writer.execute(
        delete(table).where(
            table.c.bucket == bucket_of(patient),
            table.c.patient == patient,
            table.c.code == code,
        )
    )
