"""What one message that joins records becomes: who stays, and whose numbers are retired."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.hl7v2.conversion import Flag, Key, Made, PersonNamed


@dataclass(frozen=True, slots=True)
class Pair:
    """One PID and its MRG: *person* stays, *retired* goes on under them.

    *person* has none of the retired numbers. Of *retired* only numbers are known, and a name
    where MRG-7 has one. *address* is that of the retired numbers: `MRG[2].1`.
    """

    person: PersonNamed
    retired: PersonNamed
    address: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Records that are one person's, or numbers that were changed, pair by pair.

    *renumbers* tells whether a number was changed (A47), and nobody is one with somebody else.
    *by_hand*: it joins nobody (A37, A43), and only a person may do what it says.
    *provenance* has no target yet: whoever files it knows what was written.
    """

    pairs: tuple[Pair, ...]
    event: str
    renumbers: bool
    by_hand: bool
    said_at: datetime
    provenance: Made
    practitioners: tuple[Made, ...]
    organizations: tuple[Made, ...]
    flags: tuple[Flag, ...]
    accounted: Mapping[int, str]

    @property
    def person(self) -> PersonNamed:
        """Who stays, of the first pair."""
        return self.pairs[0].person

    def all_made(self) -> Iterator[Made]:
        """Yield every resource but the Patients; what is referred to comes first."""
        yield from self.organizations
        yield from self.practitioners
        yield self.provenance

    def named(self) -> Iterator[Key]:
        """Yield nothing: all that is referred to is made here."""
        yield from ()
