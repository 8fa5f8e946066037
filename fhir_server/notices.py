"""Notices of held reports: what a patient may know before one opens, and what waits for review."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, or_, select, tuple_

from fhir_server.access import Access, CaredFor, Interaction, OwnRecord, visible
from fhir_server.errors import Forbidden
from fhir_server.looks import Answer, Look
from fhir_server.record import Asked, Record
from fhir_server.release import Category
from fhir_server.search.conditions import among
from fhir_server.store.links import asking, survivor, together
from fhir_server.store.tables import care_relationship, held_notice, resource

_MOST_WAITING = 200
_NOTICED = ("DiagnosticReport", "DocumentReference")


@dataclass(frozen=True, slots=True)
class HeldNotice:
    """One report that waits. Instants are microseconds since 1970; *opens* None without a date."""

    patient: str
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

    def find(connection: Connection, access: Access, now: int) -> Answer:
        if not isinstance(access.reach, OwnRecord) or patient not in access.reach.patients:
            raise Forbidden.of("Notices of held results are for the patient.")
        notice = held_notice.c
        record = together(asking(connection), patient)
        rows = connection.execute(
            _held(now)
            .where(among(notice.bucket, notice.patient, record))
            .order_by(notice.arrived, notice.report)
        )
        return Answer(tuple(HeldNotice(*row) for row in rows), (patient,))

    asked = Asked("operation", "held-notices")
    return record.look(access, Look("DiagnosticReport", Interaction.SEARCH, asked, find))


def awaiting_release(record: Record, access: Access) -> "Future[Sequence[HeldNotice]]":
    """Answer a clinician with the held reports of those whom they care for, the oldest first.

    What the laboratory took back is not among them: there is nothing to release. Raises Forbidden
    for anybody but a clinician. The first 200 are given: who has more to review than that begins
    with those.
    """

    def find(connection: Connection, access: Access, now: int) -> Answer:
        if not isinstance(access.reach, CaredFor):
            raise Forbidden.of("What waits for review is for clinicians.")
        notice, cares = held_notice.c, care_relationship.c
        mine = select(cares.bucket, cares.patient).where(
            cares.practitioner == access.reach.practitioner
        )
        rows = connection.execute(
            _held(now)
            .where(tuple_(notice.bucket, notice.patient).in_(mine))
            .where(visible(access, "DiagnosticReport", resource, now))
            .where(notice.category != Category.WITHDRAWN)
            .order_by(notice.arrived, notice.report)
            .limit(_MOST_WAITING)
        )
        found = tuple(HeldNotice(*row) for row in rows)
        touched = tuple(dict.fromkeys(one.patient for one in found))
        whose = {one: survivor(asking(connection), one) for one in touched}
        return Answer(tuple(replace(one, patient=whose[one.patient]) for one in found), touched)

    asked = Asked("operation", "held-notices")
    return record.look(access, Look("DiagnosticReport", Interaction.SEARCH, asked, find))


def _held(now: int) -> Select[Any]:
    notice, report = held_notice.c, resource.c
    return (
        select(
            notice.patient,
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
            & report.type.in_(_NOTICED)
            & (report.id == notice.report),
        )
        .where(or_(report.release_at.is_(None), report.release_at > now))
    )
