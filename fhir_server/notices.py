"""Notices of held reports: what a patient may know of a result before it opens."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Connection, select

from fhir_server.access import Access, Interaction, OwnRecord
from fhir_server.errors import Forbidden
from fhir_server.model.ids import bucket_of
from fhir_server.record import Answer, Asked, Record
from fhir_server.store.tables import held_notice, resource


@dataclass(frozen=True, slots=True)
class HeldNotice:
    """One report that waits. Instants are microseconds since 1970; *opens* None without a date."""

    report: str
    title: str
    category: str
    arrived: int
    opens: int | None
    contact: str


def notices(record: Record, access: Access, patient: str) -> "Future[Sequence[HeldNotice]]":
    """Answer the patient with the notices of their reports that are still held, oldest first.

    Raises Forbidden for anybody but the patient: who cares for them sees the reports themselves.
    A notice ends with the hold, whether or not anybody took it back.
    """

    def look(connection: Connection, now: int) -> Answer:
        if not isinstance(access.reach, OwnRecord) or patient not in access.reach.patients:
            raise Forbidden.of("Notices of held results are for the patient.")
        notice, report = held_notice.c, resource.c
        rows = connection.execute(
            select(
                notice.report,
                notice.title,
                notice.category,
                notice.arrived,
                notice.opens,
                notice.contact,
            )
            .join_from(
                held_notice,
                resource,
                (report.bucket == notice.bucket)
                & (report.type == "DiagnosticReport")
                & (report.id == notice.report),
            )
            .where(
                notice.bucket == bucket_of(patient),
                notice.patient == patient,
                report.release_at.is_(None) | (report.release_at > now),
            )
            .order_by(notice.arrived, notice.report)
        )
        return Answer(tuple(HeldNotice(*row) for row in rows), (patient,))

    asked = Asked("operation", "held-notices")
    return record.look(access, "DiagnosticReport", Interaction.SEARCH, asked, look)
