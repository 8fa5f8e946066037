"""Whose a sender's number is: local identifiers of persons, numbers of orders and documents."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, and_, bindparam, false, or_, select

from adapters.hl7v2.conversion import Key, PersonNamed, ReportGroup
from adapters.intake.inbox import bucket_of_key, key_of
from adapters.intake.tables import claim
from fhir_server.record import Writer

Kind = Literal["person", "filler", "placer", "document", "appointment"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number and who gave it, as kept: `person` for a local identifier, else what it is of."""

    kind: Kind
    authority: str
    number: str

    @property
    def bucket(self) -> int:
        """The bucket in which its claims live."""
        return bucket_of_key(f"{self.kind}\x1f{self.authority}\x1f{self.number}")

    @property
    def place(self) -> dict[str, Any]:
        """What its claims have in common, by column."""
        return {
            "bucket": self.bucket,
            "kind": self.kind,
            "authority": self.authority,
            "number": self.number,
        }


def of_person(person: PersonNamed) -> tuple[Number, ...]:
    """Return the local identifiers of *person*."""
    return tuple(
        Number("person", key_of(authority), key_of(value))
        for authority, value in person.identifiers
    )


def of_order(group: ReportGroup) -> Number | None:
    """Return the number by which later messages name the order: the filler's, else the placer's."""
    if group.filler_number:
        return number_of("filler", group.authority, group.filler_number)
    if group.placer_number:
        return number_of("placer", group.authority, group.placer_number)
    return None


def number_of(kind: Kind, authority: str, number: str) -> Number:
    """Return a number as it is kept."""
    return Number(kind, key_of(authority), key_of(number))


def of_document(key: Key) -> Number:
    """Return the number by which later messages name the document with this key."""
    _, authority, *number = key
    return number_of("document", authority, "^".join(number))


def holding(numbers: Iterable[Number]) -> Select[Any]:
    """Return the statement for the ids of the patients under whom any of *numbers* was filed."""
    places = [
        and_(
            claim.c.bucket == one.bucket,
            claim.c.kind == one.kind,
            claim.c.authority == one.authority,
            claim.c.number == one.number,
        )
        for one in numbers
    ]
    return select(claim.c.patient).where(or_(false(), *places)).order_by(claim.c.patient)


_HOLDERS = (
    select(claim.c.patient)
    .where(*(claim.c[one] == bindparam(one) for one in ("bucket", "kind", "authority", "number")))
    .order_by(claim.c.patient)
)


def holders(writer: Writer, number: Number) -> Sequence[str]:
    """Return the ids of the patients under whom this number was filed."""
    return [row.patient for row in writer.select(_HOLDERS, number.place)]


def hold(writer: Writer, number: Number, patient: str, record: Iterable[str] = ()) -> None:
    """Note that this number is the patient's, unless that is known already.

    It is known where any id of their *record* has it: so a record that is parted again has its
    own numbers.
    """
    if not {patient, *record}.isdisjoint(holders(writer, number)):
        return
    writer.insert(claim, number.place | {"patient": patient})
