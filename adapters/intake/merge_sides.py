"""Whom a message that joins records is about: both records as they stand, beside what it says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapters.hl7v2.conversion import PersonNamed
from adapters.hl7v2.merge import Merge
from adapters.intake.merges import bearers
from adapters.intake.merging import content_of
from fhir_server import linking
from fhir_server.record import Writer

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: as the message names them, and as they stand here.

    *patient* is the id of their record, empty where nobody has one of the numbers; *others* is how
    many more records have one of them.
    """

    named: Tree
    patient: str
    known: Tree
    others: int


@dataclass(frozen=True, slots=True)
class Sides:
    """Who stays and whom they take in; *joined* where the two are one record today."""

    stays: Side
    retired: Side
    joined: bool


def sides(writer: Writer, content: Merge) -> Iterator[Sides]:
    """Yield both sides of each pair of *content*."""
    for pair in content.pairs:
        stays = _side(writer, pair.person, surviving=True)
        retired = _side(writer, pair.retired, surviving=False)
        both = bool(stays.patient and retired.patient)
        same = (
            both
            and linking.whole(writer, retired.patient)[0]
            == (linking.whole(writer, stays.patient)[0])
        )
        yield Sides(stays, retired, same and stays.patient != retired.patient)


def _side(writer: Writer, person: PersonNamed, *, surviving: bool) -> Side:
    found = bearers(writer, person)
    if surviving:
        found = {linking.whole(writer, one)[0] for one in found}
    # Whoever was retired already is the one who is meant, not whoever has their numbers now.
    ids = sorted(found, key=lambda one: (linking.whole(writer, one)[0] == one, one))
    if not ids:
        return Side(person.tree, "", {}, 0)
    stored = writer.current("Patient", ids[0])
    return Side(person.tree, ids[0], content_of(stored) if stored else {}, len(ids) - 1)
