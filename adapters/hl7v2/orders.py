"""What one message of orders becomes: tests that were asked for, and how far each has come."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapters.hl7v2.conversion import Flag, Key, Made, PersonNamed


@dataclass(frozen=True, slots=True)
class OrderGroup:
    """The request for a test, and its specimens: one ORC and OBR.

    *status* is what ORC-5, else ORC-1, says of it; empty where neither says anything that is known.
    *version_at* orders the messages about a request. *holds* are stable codes of reasons why it
    waits for a person.
    """

    service_request: Made
    specimens: tuple[Made, ...]
    provenance: Made
    authority: str
    filler_number: str
    placer_number: str
    status: str
    version_at: datetime
    holds: tuple[str, ...] = ()

    def all_made(self) -> Iterator[Made]:
        """Yield the specimens, the request and its provenance."""
        yield from self.specimens
        yield self.service_request
        yield self.provenance


@dataclass(frozen=True, slots=True)
class Orders:
    """All that an order message became, with every one of its segments or entries accounted for."""

    person: PersonNamed
    groups: tuple[OrderGroup, ...]
    practitioners: tuple[Made, ...]
    organizations: tuple[Made, ...]
    flags: tuple[Flag, ...]
    accounted: Mapping[int, str]
    places: Mapping[str, str] = field(default_factory=dict)
    """Where the message has what HL7 v2 has at an address, where it is no HL7 v2."""

    def all_made(self) -> Iterator[Made]:
        """Yield every resource but the Patient; what is referred to comes first."""
        yield from self.organizations
        yield from self.practitioners
        for group in self.groups:
            yield from group.all_made()

    def named(self) -> Iterator[Key]:
        """Yield the keys of resources that are referred to and are not made here: none."""
        yield from ()
