"""What waits to open: what a patient may know of it before, and what a clinician has to review."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, or_, select, tuple_

from fhir_server.access import Access, CaredFor, Interaction, OwnRecord, visible
from fhir_server.errors import Forbidden
from fhir_server.looks import Answer, Look
from fhir_server.record import Asked, Record
from fhir_server.release import Category
from fhir_server.search.conditions import among
from fhir_server.search.index import token_hash
from fhir_server.store.links import asking, survivor, together
from fhir_server.store.read import Stored, columns, stored
from fhir_server.store.tables import care_relationship, held_notice, index_token, resource

_MOST_WAITING = 200
_MOST_LETTERS = 50
_IN_USE = token_hash("DocumentReference", "status", "current")
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


@dataclass(frozen=True, slots=True)
class HeldLetter:
    """One letter that waits; *patient* is the id that stands for the record it is in."""

    patient: str
    letter: Stored


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
        notice = held_notice.c
        rows = connection.execute(
            _held(now)
            .where(tuple_(notice.bucket, notice.patient).in_(_cared_for(access.reach)))
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


def letters_awaiting_release(record: Record, access: Access) -> "Future[Sequence[HeldLetter]]":
    """Answer a clinician with the held letters of those whom they care for, the oldest first.

    Whether or not it has a date, and whether or not the patient was told. What its sender replaced
    or took back is not among them. Raises Forbidden for anybody but a clinician. The first 50 are
    given: who has more to review than that begins with those.
    """

    def find(connection: Connection, access: Access, now: int) -> Answer:
        if not isinstance(access.reach, CaredFor):
            raise Forbidden.of("What waits for review is for clinicians.")
        letter = resource.c
        rows = connection.execute(
            select(*columns(resource))
            .where(tuple_(letter.bucket, letter.patient).in_(_cared_for(access.reach)))
            .where(visible(access, "DocumentReference", resource, now))
            .where(or_(letter.release_at.is_(None), letter.release_at > now), _in_use())
            .order_by(letter.last_updated, letter.id)
            .limit(_MOST_LETTERS)
        )
        found = tuple(map(stored, rows))
        touched = tuple(dict.fromkeys(one.patient for one in found))
        whose = {one: survivor(asking(connection), one) for one in touched}
        return Answer(tuple(HeldLetter(whose[one.patient], one) for one in found), touched)

    asked = Asked("operation", "held-letters")
    return record.look(access, Look("DocumentReference", Interaction.SEARCH, asked, find))


def _cared_for(reach: CaredFor) -> Select[Any]:
    cares = care_relationship.c
    return select(cares.bucket, cares.patient).where(cares.practitioner == reach.practitioner)


def _in_use() -> ColumnElement[bool]:
    token, letter = index_token.c, resource.c
    return exists(
        select(token.bucket).where(
            token.bucket == letter.bucket,
            token.patient == letter.patient,
            token.id == letter.id,
            token.hash == _IN_USE,
        )
    )


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
