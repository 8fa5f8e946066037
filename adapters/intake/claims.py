"""Whose a sender's number is: local identifiers of persons, and a laboratory's filler numbers."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import insert, select

from adapters.intake.inbox import bucket_of_key
from adapters.intake.tables import claim
from fhir_server.record import Writer

Kind = Literal["person", "filler"]


def holders(writer: Writer, kind: Kind, authority: str, number: str) -> Sequence[str]:
    """Return the ids of the patients under whom this number was filed."""
    rows = writer.select(
        select(claim.c.patient).where(
            claim.c.bucket == _bucket(kind, authority, number),
            claim.c.kind == kind,
            claim.c.authority == authority,
            claim.c.number == number,
        )
    )
    return [row.patient for row in rows]


def hold(writer: Writer, kind: Kind, authority: str, number: str, patient: str) -> None:
    """Note that this number is the patient's, unless that is known already."""
    if patient in holders(writer, kind, authority, number):
        return
    writer.execute(
        insert(claim).values(
            bucket=_bucket(kind, authority, number),
            kind=kind,
            authority=authority,
            number=number,
            patient=patient,
        )
    )


def _bucket(kind: Kind, authority: str, number: str) -> int:
    return bucket_of_key(f"{kind}\x1f{authority}\x1f{number}")
