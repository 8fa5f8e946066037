"""People and orders, as every hospital of the demonstration knows them: plain values."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from portal_api.demo.assays import Measured, Profile

Team = Literal["uro", "bowel", "gynae"]
Status = Literal["P", "F", "C"]


@dataclass(frozen=True, slots=True)
class Person:
    """A synthetic patient. *number* is an NHS number in 999 000 0000 to 999 999 9999."""

    number: str
    family: str
    given: str
    born: date
    sex: Literal["F", "M"]
    hospital: str
    """The key of the hospital whose laboratory does the tests."""
    local_number: str
    team: Team
    title: str = ""
    street: str = "12 Shingle Row"
    town: str = "Sandhaven"
    postcode: str = "ZZ99 3CZ"
    """The pseudo postcode that the NHS uses for nowhere in particular."""

    def age_on(self, day: date) -> int:
        """Return the age in whole years on *day*."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


@dataclass(frozen=True, slots=True)
class Order:
    """One order and its results: what becomes one ORU^R01.

    *filler* is the laboratory's number, the same in every later version. *lines* is a report in
    words, its columns kept by blanks; *document* the bytes of a PDF. *identity*, where it is
    given, is the birth date that the message says instead of the person's.
    """

    person: Person
    control_id: str
    filler: str
    profile: Profile
    taken: datetime
    issued: datetime
    results: tuple[Measured, ...] = ()
    status: Status = "F"
    lines: tuple[str, ...] = ()
    document: bytes = field(default=b"", repr=False)
    identity: date | None = None
    live: bool = False
    """Whether it comes by the live feed; history comes by the backload feed."""

    @property
    def placer(self) -> str:
        """The number that the ward or clinic gave the order."""
        return f"R{self.filler}"
