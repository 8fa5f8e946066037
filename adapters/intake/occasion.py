"""By which message something is filed, and what was made: what every room of filing shares."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adapters.hl7v2.conversion import Flag, Key
from adapters.intake.feeds import Feed
from fhir_server.record import Stored


@dataclass(frozen=True, slots=True)
class Occasion:
    """By which feed and under which control id a message is filed.

    *buckets* are those that its piece declared; None where any may be written. *decided* is
    why a person who looked at a message that waited for one wants it filed; empty where none did.
    """

    feed: Feed
    control_id: str
    buckets: frozenset[int] | None = None
    refiled: bool = False
    """Whether it was filed before: what it says is known, and can only open sooner than it does."""
    decided: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was made: references with versions, flags for a person, and the patient."""

    patient: str
    made: tuple[str, ...]
    flags: tuple[str, ...]
    ids: Mapping[Key, str] = field(default_factory=dict)
    """The id of what has this key in the message, where whoever filed it says so."""

    @property
    def report(self) -> str:
        """What the message is about, with its version: its first report, letter, order."""
        kinds = ("DiagnosticReport/", "DocumentReference/", "ServiceRequest/", "Appointment/")
        found = (one for kind in kinds for one in self.made if one.startswith(kind))
        return next(found, "")


def worded(flags: Iterable[Flag]) -> tuple[str, ...]:
    """Return what a person should know of a message, as it is kept: `value-as-text OBX[3].5`."""
    return tuple(f"{flag.code} {flag.address}".strip() for flag in flags)


def reference(stored: Stored) -> str:
    """Return the reference to one version."""
    return f"{stored.reference}/_history/{stored.version}"
