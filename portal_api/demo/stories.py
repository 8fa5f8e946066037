"""The story patients: their past as the laboratories sent it, and the messages still to come. Pure.

Values as UK laboratories report them, dates relative to today. What happens today is a *step*: it
is sent by `portal-fhir demo step NAME`, so that a person can watch what changes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from portal_api.demo.assays import ASSAYS, PROFILES, Measured
from portal_api.demo.days import (
    months_before,
    reported_on,
    taken_on,
    today,
    weeks_before,
)
from portal_api.demo.orders import Order, Person, Status
from portal_api.demo.pdf import pdf
from portal_api.demo.story_people import story_people

HISTOLOGY = (
    "HISTOLOGY REPORT",
    "",
    "Specimen     Site               Size",
    "A            Sigmoid colon      21 mm",
    "B            Rectum              4 mm",
    "",
    "A: moderately differentiated adenocarcinoma.",
    "B: tubular adenoma with low grade dysplasia.",
    "",
    "For discussion at the colorectal meeting.",
)
_CT = (
    "CT chest, abdomen and pelvis",
    "",
    "Region       Finding",
    "Chest        Clear",
    "Liver        No focal lesion",
    "Bowel        Anastomosis intact",
    "",
    "No evidence of recurrence.",
)


@dataclass(frozen=True, slots=True)
class Story:
    """One patient's messages. *past* is sent as history, *recent* live, while all is set up.

    *steps* makes each message still to come from the moment at which it is sent.
    """

    name: str
    person: Person
    past: tuple[Order, ...]
    recent: tuple[Order, ...] = ()
    steps: tuple[Callable[[datetime], Order], ...] = ()


Point = tuple[date, dict[str, str]]


def stories(now: datetime) -> tuple[Story, ...]:
    """Return every story as it stands at *now* (aware)."""
    people, here = story_people(now), today(now)
    return (
        _alan(people["alan"], here),
        _brian(people["brian"], here),
        _colin(people["colin"], here),
        _helen(people["helen"], here),
        _graham(people["graham"], here),
        _irene(people["irene"], here),
        _john(people["john"], here),
        Story(
            "keith", people["keith"], _series(people["keith"], "PSA", _monthly(here, {8: "1.9"}))
        ),
    )


def _monthly(here: date, values: dict[int, str]) -> list[Point]:
    """Return one PSA for each of *values*, by months before *here*."""
    return [(months_before(here, months), {"PSA": value}) for months, value in values.items()]


def _series(person: Person, profile: str, points: list[Point]) -> tuple[Order, ...]:
    return tuple(
        _order(person, profile, f"{profile}{place}", day, values)
        for place, (day, values) in enumerate(points, 1)
    )


def _order(
    person: Person,
    profile: str,
    name: str,
    day: date,
    values: dict[str, str],
    lines: tuple[str, ...] = (),
) -> Order:
    filler = f"{person.local_number}-{name}"
    return Order(
        person=person,
        control_id=filler,
        filler=filler,
        profile=PROFILES[profile],
        taken=taken_on(day),
        issued=reported_on(day),
        results=tuple(Measured(ASSAYS[key], value) for key, value in values.items()),
        lines=lines,
    )


def _today(
    person: Person, profile: str, name: str, values: dict[str, str], status: Status = "F"
) -> Callable[[datetime], Order]:
    """Return what makes a message of the moment at which it is sent: blood taken, reported now."""

    def made(now: datetime) -> Order:
        order = _order(person, profile, name, today(now), values)
        return replace(
            order,
            control_id=f"{order.control_id}-{status}",
            taken=now - timedelta(hours=3),
            issued=now,
            status=status,
            live=True,
        )

    return made


def _alan(person: Person, here: date) -> Story:
    past = _monthly(here, {24: "6.8", 20: "7.1", 16: "6.7", 12: "6.9", 6: "7.0"})
    return Story(
        "alan",
        person,
        _series(person, "PSA", past),
        steps=(
            _today(person, "PSA", "TODAY", {"PSA": "7.3"}, "P"),
            _today(person, "PSA", "TODAY", {"PSA": "7.3"}),
        ),
    )


def _brian(person: Person, here: date) -> Story:
    low = "<0.01"
    past = _monthly(here, {32: "9.4", 28: low, 24: low, 18: low, 12: "0.04", 6: "0.09"})
    return Story(
        "brian",
        person,
        _series(person, "PSA", past),
        steps=(_today(person, "PSA", "TODAY", {"PSA": "0.21"}),),
    )


def _colin(person: Person, here: date) -> Story:
    past = _monthly(here, {52: "14.2", 44: "0.08", 30: "0.31", 18: "0.6", 12: "1.1", 6: "1.7"})
    on_hormones = [
        (months_before(here, months), {"HB": hb, "NEUT": "4.1", "PLT": "244"})
        for months, hb in ((52, "146"), (48, "138"), (45, "131"), (38, "142"))
    ]
    return Story(
        "colin",
        person,
        (*_series(person, "PSA", past), *_series(person, "FBC", on_hormones)),
        steps=(_today(person, "PSA", "TODAY", {"PSA": "2.6"}),),
    )


def _helen(person: Person, here: date) -> Story:
    yesterday = here - timedelta(days=1)
    histology = _order(person, "HISTO", "HISTO1", yesterday, {}, HISTOLOGY)
    bloods = ((months_before(here, 1), {"HB": "118", "NEUT": "4.4", "PLT": "362"}),)
    return Story("helen", person, _series(person, "FBC", list(bloods)), (_live(histology),))


def _graham(person: Person, here: date) -> Story:
    markers = {20: "18.4", 18: "2.1", 16: "3.4", 12: "2.2", 6: "2.4"}
    cea = [(months_before(here, months), {"CEA": value}) for months, value in markers.items()]
    counts: list[Point] = [
        (months_before(here, months), {"HB": hb, "NEUT": neut, "PLT": plt})
        for months, hb, neut, plt in (
            (18, "139", "4.6", "251"),
            (17, "134", "2.4", "176"),
            (16, "128", "1.3", "108"),
            (14, "131", "2.2", "149"),
            (12, "141", "4.0", "233"),
        )
    ]
    liver: list[Point] = [
        (months_before(here, months), {"BILI": "9", "ALT": alt, "ALP": "88", "ALB": "41"})
        for months, alt in ((18, "24"), (16, "71"), (12, "27"))
    ]
    scan = _order(person, "CT", "CT1", months_before(here, 11), {}, _CT)
    wrong = _order(person, "CEA", "TODAY", here - timedelta(days=1), {"CEA": "27.0"})
    return Story(
        "graham",
        person,
        (
            *_series(person, "CEA", cea),
            *_series(person, "FBC", counts),
            *_series(person, "LFT", liver),
            replace(scan, document=pdf(_CT)),
        ),
        recent=(_live(wrong),),
        steps=(_corrected(wrong),),
    )


def _corrected(wrong: Order) -> Callable[[datetime], Order]:
    """Return what makes the correction of *wrong*: the same order, another value."""
    right = replace(wrong, results=(Measured(ASSAYS["CEA"], "2.7"),), status="C", live=True)
    return lambda now: replace(right, control_id=f"{wrong.control_id}-C", issued=now)


def _irene(person: Person, here: date) -> Story:
    weeks = {20: "642", 13: "118", 8: "74", 5: "22"}
    markers = [(weeks_before(here, week), {"CA125": value}) for week, value in weeks.items()]
    markers.append((here - timedelta(days=10), {"CA125": "11"}))
    counts: list[Point] = [
        (weeks_before(here, week), {"HB": hb, "NEUT": neut, "PLT": plt})
        for week, hb, neut, plt in (
            (20, "124", "5.2", "312"),
            (13, "112", "1.9", "188"),
            (8, "109", "3.4", "240"),
            (5, "106", "2.1", "171"),
        )
    ]
    low = {"HB": "101", "NEUT": "0.4", "PLT": "122"}
    return Story(
        "irene",
        person,
        (*_series(person, "CA125", markers), *_series(person, "FBC", counts)),
        steps=(
            _today(person, "FBC", "TODAY", low),
            _today(person, "HE4", "TODAYHE4", {"HE4": "61"}),
        ),
    )


def _john(person: Person, here: date) -> Story:
    past = _monthly(here, {14: "3.1", 8: "3.3", 2: "3.2"})
    other = _order(person, "PSA", "OTHER", here - timedelta(days=1), {"PSA": "8.8"})
    born = person.born.replace(year=person.born.year + 9)
    return Story(
        "john",
        person,
        _series(person, "PSA", past),
        recent=(replace(_live(other), identity=born),),
    )


def _live(order: Order) -> Order:
    return replace(order, live=True)


def all_past(told: tuple[Story, ...]) -> Iterator[Order]:
    """Yield the history of every story, oldest first within each."""
    for story in told:
        yield from sorted(story.past, key=lambda order: order.issued)
