"""Names in their parts as sent, and never split by guess."""

import pytest

from adapters.hl7v2.names import human_name, nickname
from tests.adapters.hl7v2.oru_messages import part, surroundings

HSD = "http://hl7.org/fhir/StructureDefinition"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("", {}),
        ('""', {}),
        ("Ashdown", {"family": "Ashdown"}),
        (
            "Ashdown^Alan^James Lee^Jr^Mr^MD^L",
            {
                "family": "Ashdown",
                "given": ["Alan", "James", "Lee"],
                "prefix": ["Mr"],
                "suffix": ["Jr", "MD"],
                "use": "official",
            },
        ),
        ("Dr S Smith", {"text": "Dr S Smith"}),
        ("^Zoë", {"given": ["Zoë"]}),
        (r"O\T\Brien^Ann", {"family": "O&Brien", "given": ["Ann"]}),
        ("Smith^Ann^^^^^M", {"family": "Smith", "given": ["Ann"], "use": "maiden"}),
        ("Smith^Ann^^^^^B", {"family": "Smith", "given": ["Ann"]}),
        ("Smith^Ann^^^^^S", {"family": "Smith", "given": ["Ann"], "use": "anonymous"}),
        (
            "Smith^Ann^^^^^^^^20200101&20211231",
            {
                "family": "Smith",
                "given": ["Ann"],
                "period": {"start": "2020-01-01", "end": "2021-12-31"},
            },
        ),
        (
            "Smith^Ann^^^^^^^^^F",
            {
                "family": "Smith",
                "given": ["Ann"],
                "extension": [{"url": f"{HSD}/humanname-assembly-order", "valueCode": "NL3"}],
            },
        ),
        (
            "van Dam&van&Dam^Ann",
            {
                "family": "van Dam",
                "_family": {
                    "extension": [
                        {"url": f"{HSD}/humanname-own-prefix", "valueString": "van"},
                        {"url": f"{HSD}/humanname-own-name", "valueString": "Dam"},
                    ]
                },
                "given": ["Ann"],
            },
        ),
    ],
)
def test_a_name_becomes_its_parts(sent, name):
    assert human_name(part(sent), surroundings(), "PID.5") == name


def test_what_a_person_is_called_is_a_name_of_its_own():
    assert nickname(part("Smith^Ann" + "^" * 13 + "Annie")) == {"use": "nickname", "text": "Annie"}
    assert nickname(part("Smith^Ann")) == {}
