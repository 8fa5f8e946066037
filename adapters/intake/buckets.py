"""Which buckets a message writes, told before its piece runs.

Where several processes file into one database, whatever a piece reads and then writes is guarded
by the locks of the buckets that it declared: the message's own, the patient's by every identifier,
those of the numbers that it claims. What shows only inside (a patient found by a claim, a new
laboratory) raises Undeclared before anything is written there, and the piece is run again with that
bucket among its own: the order of locks is never broken.
"""

from collections.abc import Iterator

from adapters.hl7v2.conversion import Conversion
from adapters.intake import claims, code_maps
from adapters.intake.feeds import Feed
from adapters.intake.identity import candidates
from adapters.intake.inbox import Arrival
from fhir_server.model.ids import bucket_of
from fhir_server.record import Record


class Undeclared(Exception):
    """The piece has to write in *buckets*, too; nothing of it was written."""

    def __init__(self, *buckets: int) -> None:
        super().__init__("A bucket has to be declared first.")
        self.buckets = frozenset(buckets)


def declared(
    record: Record, arrival: Arrival, feed: Feed, conversion: Conversion | None
) -> frozenset[int] | None:
    """Return the buckets to lock for a message; None where one process writes and none are locked.

    Raises Unavailable where the record can't be read.
    """
    if record.engines.is_sqlite:
        return None
    if conversion is None:
        return frozenset({arrival.bucket})
    return frozenset({arrival.bucket, *_of_content(record, feed, conversion)})


def require(buckets: frozenset[int] | None, *written: int) -> None:
    """Raise Undeclared unless every bucket in *written* is among *buckets*."""
    if buckets is not None and not buckets.issuperset(written):
        raise Undeclared(*written)


def _of_content(record: Record, feed: Feed, conversion: Conversion) -> Iterator[int]:
    person = conversion.person
    yield from (bucket_of(one) for one in candidates(record.id_key, person))
    numbers = [*claims.of_person(person), *filter(None, map(claims.of_order, conversion.groups))]
    yield from (number.bucket for number in numbers)
    if person.nhs_number is None:
        found = record.select(claims.holding(claims.of_person(person)))
        yield from (bucket_of(row.patient) for row in found)
    local = [code for group in conversion.groups for code in group.local_codes]
    if local and code_maps.has_unmapped(record.select(code_maps.meanings(feed.name, local)), local):
        yield code_maps.work_list_bucket(feed.name)
