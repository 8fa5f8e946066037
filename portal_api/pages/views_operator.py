"""What the operator's first page shows: frozen values."""

from dataclasses import dataclass

from portal_api.london import Moment
from portal_api.pages.sparklines import Sparkline
from portal_api.pages.views_shell import FormError


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One feed and how it is today."""

    name: str
    organization: str
    sender: str
    """MSH-4 of its messages, as agreed."""
    expected: str
    """When messages are expected, in words; empty where nothing is."""
    latest: Moment | None
    silence: str
    """How long ago the latest message came; empty where none did."""
    alarm: str
    """How long it has been quiet while messages were expected; empty where it is not silent."""
    picture: Sparkline
    accepted: int
    refused: int
    refusals: tuple[tuple[str, int], ...]
    """Stable codes of what was refused or set aside today, with how many."""
    waiting: int
    """Messages in the error queue."""
    oldest: str
    """How long the oldest of them has waited; empty where none does."""
    alarms: int
    """Those of them that the sender holds for filed."""
    queue: str
    """Where they are."""


@dataclass(frozen=True, slots=True)
class UnmappedRow:
    """One local code that nobody has mapped yet."""

    feed: str
    code: str
    name: str
    unit: str
    count: int
    first_seen: Moment


@dataclass(frozen=True, slots=True)
class FeedsView:
    """All feeds, the silent ones first, and the codes that no map knows."""

    rows: tuple[FeedRow, ...]
    unmapped: tuple[UnmappedRow, ...]

    @property
    def silent(self) -> tuple[FeedRow, ...]:
        """The feeds whose silence is an alarm."""
        return tuple(row for row in self.rows if row.alarm)


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One message that was not filed."""

    href: str
    arrived: Moment
    feed: str
    control_id: str
    fate: str
    field: str
    """The address of the field that is to blame, such as `PID-7`; empty where none is."""
    reason: str


@dataclass(frozen=True, slots=True)
class ErrorQueueView:
    """Messages that wait for a person, the newest first."""

    rows: tuple[FaultRow, ...]


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One message with all that became of it."""

    feed: str
    control_id: str
    arrived: Moment
    fate: str
    reason: str
    raw: str
    """The message as it came, one segment a line."""
    answer: str
    """The acknowledgement as it was sent."""
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TraceView:
    """The form to look up a message, and what it found; *rows* None before the first search."""

    key: str
    rows: tuple[TraceRow, ...] | None
    errors: tuple[FormError, ...] = ()
