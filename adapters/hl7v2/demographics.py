"""What one ADT about one person becomes: who they are now, as one sender says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.hl7v2.adt_fields import Effect
from adapters.hl7v2.conversion import Flag, Key, Made, PersonNamed


@dataclass(frozen=True, slots=True)
class Demographics:
    """A person's details, and what the event does to the details that are stored.

    *said_at* orders what is said of a person: EVN-2, else MSH-7, else when the message came.
    *deleted* names the fields that the sender empties (`""`); a field that is neither there nor
    in the Patient says nothing, and what is stored stays. *denies_death* is the field that says
    that somebody did not die, empty where none does.
    """

    person: PersonNamed
    event: str
    """The trigger event: `A31`."""
    effect: Effect
    said_at: datetime
    deleted: frozenset[str]
    denies_death: str
    provenance: Made
    practitioners: tuple[Made, ...]
    organizations: tuple[Made, ...]
    flags: tuple[Flag, ...]
    accounted: Mapping[int, str]

    def all_made(self) -> Iterator[Made]:
        """Yield every resource but the Patient; what is referred to comes first."""
        yield from self.organizations
        yield from self.practitioners
        yield self.provenance

    def named(self) -> Iterator[Key]:
        """Yield nothing: all that is referred to is made here."""
        yield from ()
