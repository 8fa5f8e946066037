"""Addresses line by line."""

import pytest

from adapters.hl7v2.addresses import postal_address
from tests.adapters.hl7v2.oru_messages import part, surroundings


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("", {}),
        ("^^^^^^H", {}),
        (
            "1 High Street^Flat 2^Liverpool^Merseyside^L1 1AA^GBR^H^^Lancashire",
            {
                "use": "home",
                "line": ["1 High Street", "Flat 2"],
                "city": "Liverpool",
                "district": "Lancashire",
                "state": "Merseyside",
                "postalCode": "L1 1AA",
                "country": "GBR",
            },
        ),
        ("4861&20TH AVE&1^^^^^^M", {"type": "postal", "line": ["4861", "20TH AVE", "1"]}),
        ("^^Town^^^^BA", {"use": "old", "city": "Town"}),
        ("^^Town^^^^XX", {"city": "Town"}),
        (
            "^^Town^^^^^^^E01^^20200101&20211231",
            {
                "city": "Town",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract",
                        "valueString": "E01",
                    }
                ],
                "period": {"start": "2020-01-01", "end": "2021-12-31"},
            },
        ),
        (
            "^^Town^^^^^^^^^20010101^20200101",
            {"city": "Town", "period": {"start": "2020-01-01"}},
        ),
    ],
)
def test_an_address_becomes_its_lines_and_parts(sent, address):
    assert postal_address(part(sent), surroundings(), "PID.11") == address
