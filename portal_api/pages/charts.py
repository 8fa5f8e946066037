"""Where things stand in a picture: the number line of one value, and the trend of a test.

Pure geometry, drawn by `templates/charts.jinja`; every picture says in a sentence what it shows,
and a table stands below it. A value with `<` is drawn hollow at the limit of detection. Lines
join only what can be compared: they break where the laboratory or the method changes, and a
change of unit starts another picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise
from math import floor, log10

from portal_api import london
from portal_api.readings import (
    Quantity,
    Reading,
    Run,
    Span,
    digits,
    unit_text,
    value_text,
    what_changed,
)

WIDTH, HEIGHT = 360, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 348, 36, 204
_LOG_FROM = Decimal(100)
"""Largest over smallest value from which a picture needs a logarithmic scale to show both."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class NumberLine:
    """One value on a line with the laboratory's usual range; positions along a width of 360."""

    sentence: str
    value: Tick
    hollow: bool
    band: tuple[float, float]
    edges: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Dot:
    """One reading in a picture."""

    x: float
    y: float
    hollow: bool
    label: str
    """Its value, for the last dot of a picture; else empty."""


@dataclass(frozen=True, slots=True)
class Break:
    """Where the laboratory or the method changes, and in words what did."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The course of one test in one unit."""

    sentence: str
    unit: str
    lines: tuple[tuple[Dot, ...], ...]
    breaks: tuple[Break, ...]
    heights: tuple[Tick, ...]
    dates: tuple[Tick, ...]
    limits: tuple[Tick, ...]
    """The ends of the usual range that are in view, each in words."""
    logarithmic: bool
    hollow: bool
    """Whether any dot is hollow, so that the key must explain it."""


def number_line(value: Quantity, span: Span) -> NumberLine | None:
    """Return the number line of *value* against the usual range *span*, or None without ends."""
    if span.low is None and span.high is None:
        return None
    low = span.low or Decimal(0)
    high = span.high
    around = high - low if high is not None else low
    reach = max((high if high is not None else low) + around / 2, value.number + around / 10)
    start = min(max(low - around / 2, Decimal(0)), value.number)
    scale = 320 / float(reach - start) if reach != start else 0.0

    def across(number: Decimal) -> float:
        return round(20 + float(number - start) * scale, 1)

    band = (across(low), across(high) if high is not None else 340.0)
    edges = tuple(Tick(across(edge), digits(edge)) for edge in (span.low, high) if edge is not None)
    return NumberLine(
        f"A line that shows your value, {value_text(value)}, and {range_words(span, value.unit)}.",
        Tick(across(value.number), f"{value.comparator}{digits(value.number)}"),
        bool(value.comparator),
        band,
        edges,
    )


def range_words(span: Span, unit: str) -> str:
    """Return the usual range in words: `the usual range, from 130 to 170 g/L`."""
    face = f" {unit_text(unit)}".rstrip()
    match span.low, span.high:
        case None, None:
            return f"the usual range, {span.text}" if span.text else "no usual range"
        case None, high:
            return f"the usual range, up to {digits(high or Decimal())}{face}"
        case low, None:
            return f"the usual range, from {digits(low or Decimal())}{face}"
        case low, high:
            ends = f"{digits(low or Decimal())} to {digits(high or Decimal())}"
            return f"the usual range, from {ends}{face}"


def pictures(course: Sequence[Run]) -> tuple[Picture, ...]:
    """Return one picture for each unit in which *course* was measured, oldest first.

    A unit with a single reading gets none: one dot is no trend; the table has it.
    """
    drawn = []
    for unit, group in groupby(course, key=lambda run: run.unit):
        same_unit = tuple(group)
        if sum(len(run.readings) for run in same_unit) > 1:
            drawn.append(_picture(unit, same_unit))
    return tuple(drawn)


def _picture(unit: str, course: tuple[Run, ...]) -> Picture:
    readings = [reading for run in course for reading in run.readings]
    values = [_value(reading).number for reading in readings]
    span = readings[-1].span
    limits = _limits(span) if span and not readings[-1].name.after_treatment else {}
    logarithmic = min(values) > 0 and max(values) / min(values) >= _LOG_FROM
    levels = _powers(values) if logarithmic else _round_steps([*values, *limits.values()], limits)
    begin, end = (
        reading.taken.instant.timestamp()
        for reading in (readings[0], readings[-1])
        if reading.taken
    )

    def across(reading: Reading) -> float:
        passed = (reading.taken.instant.timestamp() if reading.taken else begin) - begin
        return round(_LEFT + 12 + passed / ((end - begin) or 1) * (_RIGHT - _LEFT - 40), 1)

    def up(number: Decimal) -> float:
        ends = [float(levels[0]), float(levels[-1])]
        measured = float(number)
        if logarithmic:
            ends, measured = [log10(level) for level in ends], log10(measured)
        return round(_BOTTOM - (measured - ends[0]) / (ends[1] - ends[0]) * (_BOTTOM - _TOP), 1)

    def dot(reading: Reading) -> Dot:
        value = _value(reading)
        label = f"{value.comparator}{digits(value.number)}" if reading is readings[-1] else ""
        return Dot(across(reading), up(value.number), bool(value.comparator), label)

    lines = tuple(tuple(dot(reading) for reading in run.readings) for run in course)
    return Picture(
        sentence=_sentence(readings),
        unit=unit_text(unit),
        lines=lines,
        breaks=_breaks(course, lines),
        heights=tuple(Tick(up(level), digits(level)) for level in levels),
        dates=tuple(
            Tick(across(reading), london.month(reading.taken))
            for reading in (readings[0], readings[-1])
            if reading.taken
        ),
        limits=tuple(
            Tick(up(limit), f"{end} of usual range {digits(limit)}")
            for end, limit in limits.items()
            if levels[0] <= limit <= levels[-1]
        ),
        logarithmic=logarithmic,
        hollow=any(each.hollow for line in lines for each in line),
    )


def _limits(span: Span) -> dict[str, Decimal]:
    """Return the ends of a usual range by their names; nothing lies below nought."""
    ends = {"top": span.high, "bottom": span.low}
    return {end: limit for end, limit in ends.items() if limit}


def _breaks(course: tuple[Run, ...], lines: tuple[tuple[Dot, ...], ...]) -> tuple[Break, ...]:
    return tuple(
        Break(
            round((lines[place][-1].x + lines[place + 1][0].x) / 2, 1), what_changed(before, after)
        )
        for place, (before, after) in enumerate(pairwise(course))
    )


def _sentence(readings: Sequence[Reading]) -> str:
    first, last = readings[0], readings[-1]
    dates = [london.day(reading.taken) for reading in (first, last) if reading.taken]
    return (
        f"{len(readings)} results from {dates[0]} to {dates[-1]}. "
        f"The first was {value_text(_value(first))}. The latest is {value_text(_value(last))}."
    )


def _value(reading: Reading) -> Quantity:
    if reading.quantity is None:
        raise ValueError("A reading in a run has a number.")
    return reading.quantity


def _powers(values: Sequence[Decimal]) -> list[Decimal]:
    lowest = floor(log10(min(values)))
    highest = floor(log10(max(values))) + 1
    return [Decimal(10) ** power for power in range(lowest, highest + 1)]


def _round_steps(shown: Sequence[Decimal], limits: Mapping[str, Decimal]) -> list[Decimal]:
    """Return levels at round steps that hold everything *shown*.

    They begin at nought, but for a test with a lower limit whose values lie far above nought:
    there a change would not be seen.
    """
    lowest, top = min(shown), max(shown)
    low = lowest if "bottom" in limits and lowest * 2 > top else min(Decimal(0), lowest)
    reach = float(top - low) or 1.0
    power = Decimal(10) ** floor(log10(reach))
    step = next(
        power * size
        for size in (Decimal("0.2"), Decimal("0.5"), 1, 2, 5)
        if reach / float(power * size) <= 5
    )
    levels = [Decimal(floor(low / step)) * step]
    if levels[0] == low and low > 0:
        levels = [low - step, low]
    while levels[-1] < top:
        levels.append(levels[-1] + step)
    if levels[-1] == top:
        levels.append(levels[-1] + step)
    return [level.quantize(step if step < 1 else Decimal(1)) for level in levels]
