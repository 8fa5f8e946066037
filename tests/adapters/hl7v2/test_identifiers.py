"""Identifiers say what they are, and who gave them out."""

import pytest

from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.identifiers import (
    authority_identifier,
    entity_identifier,
    extended_identifier,
    pair_identifiers,
    universal_uri,
)
from tests.adapters.hl7v2.oru_messages import part, surroundings

TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
UUID = "f34b0f57-1601-4480-ae8a-d4006e50f38d"


def kind(code, system=TYPES):
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize(
    ("universal", "of", "uri"),
    [
        ("2.16.840.1.113883", "ISO", "urn:oid:2.16.840.1.113883"),
        (UUID, "UUID", f"urn:uuid:{UUID}"),
        ("2.16.0840", "ISO", ""),
        ("no uuid", "UUID", ""),
        ("11D0668319", "CLIA", ""),
        ("2.16.840", "", ""),
    ],
)
def test_a_universal_id_is_a_uri_only_where_its_type_makes_it_one(universal, of, uri):
    assert universal_uri(universal, of) == uri


def test_an_order_number_has_its_type_and_its_assigner():
    made = entity_identifier(part("F1^LIMS^2.16.840.1.1^ISO"), surroundings(), "FILL")
    assert made == {
        "type": kind("FILL"),
        "system": "urn:oid:2.16.840.1.1",
        "value": "F1",
        "assigner": {"identifier": {"value": "LIMS"}, "display": "LIMS"},
    }


def test_an_order_number_of_nobody_is_a_number():
    assert entity_identifier(part("F1"), surroundings(), "FILL") == {
        "type": kind("FILL"),
        "value": "F1",
    }
    assert entity_identifier(part("^LIMS"), surroundings(), "FILL") == {}


def test_the_feeds_agreement_names_the_system_of_an_authority():
    dialect = Dialect(identifier_systems={"LIMS": "https://nmh.example/orders"})
    made = entity_identifier(part("F1^LIMS"), surroundings(dialect))
    assert made["system"] == "https://nmh.example/orders"


def test_an_entity_pair_is_two_identifiers():
    made = pair_identifiers(part("P1&EPR^F1&LIMS"), surroundings(), "PGN", "FGN")
    assert [(one["type"], one["value"]) for one in made] == [
        (kind("PGN"), "P1"),
        (kind("FGN"), "F1"),
    ]
    assert pair_identifiers(part("^F1"), surroundings(), "PGN", "FGN") == [
        {"type": kind("FGN"), "value": "F1"}
    ]


def test_a_patients_number_keeps_check_digit_type_authority_and_period():
    made = extended_identifier(part("123^4^M11^NMH^MR^^20200101^20251231"), surroundings(), "PID.3")
    assert made == {
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit",
                "valueString": "4",
            }
        ],
        "type": kind("MR"),
        "value": "123",
        "assigner": {"identifier": {"value": "NMH"}, "display": "NMH"},
        "period": {"start": "2020-01-01", "end": "2025-12-31"},
    }


def test_an_organisation_has_an_ods_code_only_where_the_feed_says_that_it_is_one():
    dialect = Dialect(ods_codes=frozenset({"NMH"}))
    assert authority_identifier(part("NMH"), surroundings(dialect)) == [
        {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "NMH"}
    ]
    assert authority_identifier(part("NMH"), surroundings()) == [{"value": "NMH"}]


@pytest.mark.parametrize(
    ("sent", "second"),
    [
        (
            "Lab^2.16.840.1.1^ISO",
            {
                "type": kind("ISO", "http://terminology.hl7.org/CodeSystem/v2-0301"),
                "system": "urn:ietf:rfc:3986",
                "value": "urn:oid:2.16.840.1.1",
            },
        ),
        (
            "Lab^11D0668319^CLIA",
            {
                "type": kind("CLIA", "http://terminology.hl7.org/CodeSystem/v2-0301"),
                "value": "11D0668319",
            },
        ),
        ("Lab^11D0668319", {"value": "11D0668319"}),
    ],
)
def test_the_universal_id_of_an_organisation_stands_beside_its_name(sent, second):
    assert authority_identifier(part(sent), surroundings()) == [{"value": "Lab"}, second]
