"""A small picture of how many messages came in each hour, with a sentence that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal_api import london

WIDTH, HEIGHT = 144, 32
_GAP = 1


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: its place in the picture."""

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Sparkline:
    """The bars of the picture, and what it shows in words."""

    sentence: str
    bars: tuple[Bar, ...]
    width: int


def sparkline(hours: Sequence[int], now: datetime) -> Sparkline:
    """Return the picture of *hours*, counts by the hour of the clock, that of *now* last."""
    most = max(hours, default=0)
    wide = WIDTH // max(1, len(hours))
    bars = []
    for place, count in enumerate(hours):
        if count:
            height = max(2, round(count / most * HEIGHT))
            bars.append(Bar(place * wide, HEIGHT - height, height))
    return Sparkline(_sentence(hours, now), tuple(bars), wide - _GAP)


def _sentence(hours: Sequence[int], now: datetime) -> str:
    total = sum(hours)
    if not total:
        return f"No message in the last {len(hours)} hours."
    most = max(hours)
    place = len(hours) - 1 - list(reversed(hours)).index(most)
    start = now.replace(minute=0, second=0, microsecond=0)
    busiest = start - timedelta(hours=len(hours) - 1 - place)
    return (
        f"{total} message{'' if total == 1 else 's'} in the last {len(hours)} hours. "
        f"The most, {most}, in the hour from {london.clock_time(london.at(busiest))}. "
        f"{hours[-1]} in this hour."
    )
