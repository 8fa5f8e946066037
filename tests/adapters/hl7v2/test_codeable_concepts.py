"""Coded elements: every triplet kept, each in the system that its sender meant."""

import pytest

from adapters.hl7v2.codeable_concepts import codeable_concept, words
from adapters.hl7v2.coding_systems import system_uri
from adapters.hl7v2.dialect import Dialect
from tests.adapters.hl7v2.oru_messages import part, surroundings

LOCAL = "urn:portal-fhir:codes:NMH"


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("LN", "http://loinc.org"),
        ("SCT", "http://snomed.info/sct"),
        ("SNM", "http://snomed.info/sct"),
        ("SNM3", "http://snomed.info/sct"),
        ("sct", "http://snomed.info/sct"),
        ("UCUM", "http://unitsofmeasure.org"),
        ("I10", "http://hl7.org/fhir/sid/icd-10"),
        ("HL70078", "http://terminology.hl7.org/CodeSystem/v2-0078"),
        ("HL7-0074", "http://terminology.hl7.org/CodeSystem/v2-0074"),
        ("", LOCAL),
        ("L", LOCAL),
        ("99LAB", f"{LOCAL}:99LAB"),
        ("Apex codes", f"{LOCAL}:Apex%20codes"),
    ],
)
def test_the_name_of_a_code_system_becomes_its_uri(name, uri):
    assert system_uri(name, LOCAL) == uri


def test_a_local_system_of_nobody_has_no_uri():
    assert system_uri("L", "") == ""


def test_the_local_code_stays_beside_the_standard_one_in_the_order_sent():
    sent = part("PSA^PSA^L^1000381000000105^PSA level^SCT^1^2026")
    assert codeable_concept(sent, surroundings()) == {
        "coding": [
            {"system": LOCAL, "version": "1", "code": "PSA", "display": "PSA"},
            {
                "system": "http://snomed.info/sct",
                "version": "2026",
                "code": "1000381000000105",
                "display": "PSA level",
            },
        ]
    }


def test_the_third_triplet_and_the_original_text_are_kept():
    sent = part("A^a^LN^B^b^L^^^As written^C^c^SCT")
    assert codeable_concept(sent, surroundings()) == {
        "coding": [
            {"system": "http://loinc.org", "code": "A", "display": "a"},
            {"system": LOCAL, "code": "B", "display": "b"},
            {"system": "http://snomed.info/sct", "code": "C", "display": "c"},
        ],
        "text": "As written",
    }


def test_a_text_without_a_code_is_text():
    assert codeable_concept(part("^Not detected"), surroundings()) == {"text": "Not detected"}


def test_nothing_and_a_deleted_value_are_nothing():
    assert codeable_concept(part(""), surroundings()) == {}
    assert codeable_concept(part('""'), surroundings()) == {}


def test_a_code_bound_to_a_table_is_of_that_table_where_it_names_no_other():
    assert codeable_concept(part("CH"), surroundings(), "v2-0074") == {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "CH"}]
    }
    assert codeable_concept(part("CH^^L"), surroundings(), "v2-0074")["coding"][0]["system"] == (
        LOCAL
    )


def test_the_feeds_own_name_of_a_system_comes_first():
    dialect = Dialect(local_systems={"PBCL": "https://nmh.example/pbcl"})
    made = codeable_concept(part("44g..^Creatinine^PBCL"), surroundings(dialect))
    assert made["coding"][0]["system"] == "https://nmh.example/pbcl"


def test_an_oid_names_a_system_that_has_no_known_name_and_never_replaces_one_that_has():
    oid = "2.16.840.1.113883.6.1"
    unnamed = part("1^a" + "^" * 12 + oid)
    named = part("1^a^LN" + "^" * 11 + oid)
    assert codeable_concept(unnamed, surroundings())["coding"][0]["system"] == f"urn:oid:{oid}"
    assert codeable_concept(named, surroundings())["coding"][0]["system"] == "http://loinc.org"


def test_escapes_are_decoded_after_splitting():
    made = codeable_concept(part(r"A\S\B^x \T\ y^L"), surroundings())
    assert made == {"coding": [{"system": LOCAL, "code": "A^B", "display": "x & y"}]}


@pytest.mark.parametrize(
    ("concept", "text"),
    [
        ({"text": "t", "coding": [{"display": "d"}]}, "t"),
        ({"coding": [{"code": "c"}, {"code": "e", "display": "d"}]}, "d"),
        ({"coding": [{"code": "c"}]}, "c"),
        ({}, ""),
    ],
)
def test_a_concept_has_words_for_people(concept, text):
    assert words(concept) == text
