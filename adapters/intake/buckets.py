"""Which buckets a message writes, told before its piece runs.

Where several processes file into one database, whatever a piece reads and then writes is guarded
by the locks of the buckets that it declared: the message's own, the patient's by every identifier,
those of the numbers that it claims. What shows only inside (a patient found by a claim, a new
laboratory) raises Undeclared before anything is written there, and the piece is run again with that
bucket among its own: the order of locks is never broken.
"""

from collections.abc import Iterator

from adapters.hl7v2.conversion import PersonNamed
from adapters.intake import claims
from adapters.intake.identity import candidates
from fhir_server.model.ids import bucket_of
from fhir_server.record import Record


class Undeclared(Exception):
    """The piece has to write in *buckets*, too; nothing of it was written."""

    def __init__(self, *buckets: int) -> None:
        super().__init__("A bucket has to be declared first.")
        self.buckets = frozenset(buckets)


def require(buckets: frozenset[int] | None, *written: int) -> None:
    """Raise Undeclared unless every bucket in *written* is among *buckets*."""
    if buckets is not None and not buckets.issuperset(written):
        raise Undeclared(*written)


def of_person(record: Record, person: PersonNamed) -> Iterator[int]:
    """Yield the buckets of *person*, by every identifier and claim, and of their numbers."""
    yield from (bucket_of(one) for one in candidates(record.id_key, person))
    yield from (number.bucket for number in claims.of_person(person))
    if person.nhs_number is None:
        found = record.select(claims.holding(claims.of_person(person)))
        yield from (bucket_of(row.patient) for row in found)
