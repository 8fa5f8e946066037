"""What the operator's first page shows: frozen values."""

from dataclasses import dataclass

from portal_api.london import Moment
from portal_api.pages.sparklines import Sparkline


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
    unmapped: str
    """The share of messages with a code without a meaning, in words; empty where none has."""
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
