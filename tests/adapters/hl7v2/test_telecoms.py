"""Numbers and addresses at which somebody is reached: what they are, by what is said or by form."""

import pytest

from adapters.hl7v2.telecoms import contact_point
from tests.adapters.hl7v2.oru_messages import part, surroundings


@pytest.mark.parametrize(
    ("sent", "use", "point"),
    [
        ("", "home", {}),
        ("^PRN", "", {}),
        ("01632 960001", "home", {"system": "phone", "value": "01632 960001", "use": "home"}),
        ("07700900123", "home", {"system": "phone", "value": "07700900123", "use": "mobile"}),
        ("+44 7700 900123", "", {"system": "phone", "value": "+44 7700 900123", "use": "mobile"}),
        ("07700900123^WPN", "", {"system": "phone", "value": "07700900123", "use": "work"}),
        ("07700900123^PRN^CP", "", {"system": "phone", "value": "07700900123", "use": "mobile"}),
        ("a@example.org", "", {"system": "email", "value": "a@example.org"}),
        ("^NET^Internet^a@example.org", "", {"system": "email", "value": "a@example.org"}),
        ("^^^a@example.org", "", {"system": "email", "value": "a@example.org"}),
        ("^^X.400^a@example.org", "", {"system": "email", "value": "a@example.org"}),
        ("^^BP^^^^^^^^^123456", "", {"system": "pager", "value": "123456"}),
        ("ask at the ward", "", {"system": "other", "value": "ask at the ward"}),
        (
            "01632960001^WPN^PH^^^^^^^^^^20200101^20211231^^^^2",
            "",
            {
                "system": "phone",
                "value": "01632960001",
                "use": "work",
                "rank": 2,
                "period": {"start": "2020-01-01", "end": "2021-12-31"},
            },
        ),
    ],
)
def test_a_number_says_what_it_is_and_what_it_is_for(sent, use, point):
    assert contact_point(part(sent), surroundings(), "PID.13", use) == point


def parts(**sent: str):
    url = "http://hl7.org/fhir/StructureDefinition/contactpoint"
    return [{"url": f"{url}-{name}", "valueString": text} for name, text in sent.items()]


@pytest.mark.parametrize(
    ("sent", "point"),
    [
        (
            "^^FX^^44^1632^960001^22",
            {
                "extension": parts(country="44", area="1632", local="960001", extension="22"),
                "system": "fax",
                "value": "+44 1632 960001 X22",
            },
        ),
        (
            "^^PH^^^^12813308004",
            {
                "extension": parts(local="12813308004"),
                "system": "phone",
                "value": "12813308004",
            },
        ),
    ],
)
def test_a_number_in_parts_is_whole_and_keeps_its_parts(sent, point):
    assert contact_point(part(sent), surroundings(), "PID.13", "") == point
