"""The one call to *now*, and the two forms in which the house keeps an instant.

Inside, an instant is an aware `datetime` in UTC; in the database it is a whole number of
microseconds since 1970-01-01T00:00:00Z, which both engines compare and index alike.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def micros(instant: datetime) -> int:
    """Return *instant* (aware) as microseconds since the epoch."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """Return the instant that is *count* microseconds after the epoch."""
    return _EPOCH + timedelta(microseconds=count)


def instant_text(instant: datetime) -> str:
    """Return *instant* as a FHIR instant in UTC, to the microsecond.

    https://hl7.org/fhir/R4/datatypes.html#instant
    """
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
