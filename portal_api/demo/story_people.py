"""Who the story patients are: synthetic people with NHS numbers that nobody has."""

from collections.abc import Mapping
from datetime import datetime

from portal_api.demo.days import birthday
from portal_api.demo.orders import Person


def story_people(now: datetime) -> Mapping[str, Person]:
    """Return the people of the stories by their name there, at their age at *now* (aware)."""
    return {
        "alan": Person(
            number="9990000018",
            family="Fletcher",
            given="Alan",
            born=birthday(now, 71, 3, 9),
            sex="M",
            hospital="narrows",
            local_number="N40118",
            team="uro",
            title="Mr",
        ),
        "brian": Person(
            number="9990000026",
            family="Osei",
            given="Brian",
            born=birthday(now, 67, 6, 21),
            sex="M",
            hospital="herons",
            local_number="H20226",
            team="uro",
            title="Mr",
        ),
        "colin": Person(
            number="9990000034",
            family="Légaré",
            given="Colin",
            born=birthday(now, 73, 1, 30),
            sex="M",
            hospital="narrows",
            local_number="N40334",
            team="uro",
            title="Mr",
        ),
        "helen": Person(
            number="9990000042",
            family="Marsh",
            given="Helen",
            born=birthday(now, 58, 8, 14),
            sex="F",
            hospital="herons",
            local_number="H20442",
            team="bowel",
            title="Mrs",
        ),
        "graham": Person(
            number="9990000050",
            family="Whitlock",
            given="Graham",
            born=birthday(now, 66, 5, 2),
            sex="M",
            hospital="tidewater",
            local_number="T30550",
            team="bowel",
            title="Mr",
        ),
        "irene": Person(
            number="9990000069",
            family="Castell",
            given="Irene",
            born=birthday(now, 63, 2, 17),
            sex="F",
            hospital="tidewater",
            local_number="T30669",
            team="gynae",
            title="Mrs",
        ),
        "john": Person(
            number="9990000077",
            family="Neal",
            given="John",
            born=birthday(now, 76, 9, 5),
            sex="M",
            hospital="narrows",
            local_number="N40777",
            team="uro",
            title="Mr",
        ),
        "keith": Person(
            number="9990000085",
            family="Underwood",
            given="Keith",
            born=birthday(now, 78, 7, 26),
            sex="M",
            hospital="narrows",
            local_number="N40885",
            team="uro",
            title="Mr",
        ),
    }
