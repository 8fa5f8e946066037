"""Who the story patients are: synthetic people with NHS numbers that nobody has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from portal_api.demo.days import birthday
from portal_api.demo.orders import Person, Team


@dataclass(frozen=True, slots=True)
class _Told:
    """What a story says of its person; *birthday* is a month and a day."""

    number: str
    name: str
    age: int
    birthday: tuple[int, int]
    sex: Literal["F", "M"]
    hospital: str
    local_number: str
    team: Team


_TOLD: Mapping[str, _Told] = {
    "alan": _Told("9990000018", "Mr Alan Fletcher", 71, (3, 9), "M", "narrows", "N40118", "uro"),
    "brian": _Told("9990000026", "Mr Brian Osei", 67, (6, 21), "M", "herons", "H20226", "uro"),
    "colin": _Told("9990000034", "Mr Colin Légaré", 73, (1, 30), "M", "narrows", "N40334", "uro"),
    "helen": _Told("9990000042", "Mrs Helen Marsh", 58, (8, 14), "F", "herons", "H20442", "bowel"),
    "graham": _Told(
        "9990000050", "Mr Graham Whitlock", 66, (5, 2), "M", "tidewater", "T30550", "bowel"
    ),
    "irene": _Told(
        "9990000069", "Mrs Irene Castell", 63, (2, 17), "F", "tidewater", "T30669", "gynae"
    ),
    "john": _Told("9990000077", "Mr John Neal", 76, (9, 5), "M", "narrows", "N40777", "uro"),
    "keith": _Told(
        "9990000085", "Mr Keith Underwood", 78, (7, 26), "M", "narrows", "N40885", "uro"
    ),
}


def story_people(now: datetime) -> Mapping[str, Person]:
    """Return the people of the stories by their name there, at their age at *now* (aware)."""
    return {name: _person(told, now) for name, told in _TOLD.items()}


def _person(told: _Told, now: datetime) -> Person:
    title, given, family = told.name.split(" ")
    return Person(
        number=told.number,
        family=family,
        given=given,
        born=birthday(now, told.age, *told.birthday),
        sex=told.sex,
        hospital=told.hospital,
        local_number=told.local_number,
        team=told.team,
        title=title,
    )
