"""What one SIU becomes: an appointment of one person."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.hl7v2.conversion import Flag, Key, Made, PersonNamed


@dataclass(frozen=True, slots=True)
class Booking:
    """One appointment, and what decides on showing it.

    *version_at* orders the messages about it. *is_timed* tells whether the message says when it is;
    where it does not, the time that is known stays. *holds* are stable codes of reasons why it
    waits for a person.
    """

    person: PersonNamed
    appointment: Made
    provenance: Made
    practitioners: tuple[Made, ...]
    organizations: tuple[Made, ...]
    flags: tuple[Flag, ...]
    accounted: Mapping[int, str]
    authority: str
    filler_number: str
    placer_number: str
    status: str
    version_at: datetime
    is_timed: bool
    holds: tuple[str, ...] = ()

    def all_made(self) -> Iterator[Made]:
        """Yield every resource but the Patient; what is referred to comes first."""
        yield from self.organizations
        yield from self.practitioners
        yield self.appointment
        yield self.provenance

    def named(self) -> Iterator[Key]:
        """Yield the keys of resources that are referred to and are not made here: none."""
        yield from ()
