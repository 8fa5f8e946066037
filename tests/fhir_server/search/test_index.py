"""A resource's index rows: each value once, in every form that it can be asked for."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.clock import micros
from fhir_server.search.index import DateRow, index, references, sort_date, token_hash

ID, PATIENT = "0aa" + "1" * 29, "0aa" + "2" * 29
TAKEN = micros(datetime(2026, 1, 5, 9, 30, tzinfo=UTC))
LOINC = "http://loinc.org"
OBSERVATION = {
    "resourceType": "Observation",
    "identifier": [{"system": "urn:lab", "value": "F1"}],
    "status": "final",
    "category": [{"coding": [{"system": "urn:cat", "code": "laboratory"}]}],
    "code": {"coding": [{"system": LOINC, "code": "2857-1"}, {"code": "PSA"}], "text": "PSA"},
    "subject": {"reference": f"Patient/{PATIENT}"},
    "effectiveDateTime": "2026-01-05T09:30:00Z",
    "performer": [{"reference": "Organization/x"}, {"display": "somebody"}],
}


def hashes(resource_type, *terms):
    return {token_hash(resource_type, name, variant) for name, variant in terms}


def tokens(tree):
    return {row.hash for row in index(tree, id_=ID, patient=PATIENT).tokens}


def test_an_observation_is_found_by_all_that_it_says():
    rows = index(OBSERVATION, id_=ID, patient=PATIENT)
    assert {row.hash for row in rows.tokens} == hashes(
        "Observation",
        ("identifier", "F1"),
        ("identifier", "urn:lab|F1"),
        ("identifier", "urn:lab|"),
        ("status", "final"),
        ("category", "laboratory"),
        ("category", "urn:cat|laboratory"),
        ("category", "urn:cat|"),
        ("code", "2857-1"),
        ("code", f"{LOINC}|2857-1"),
        ("code", f"{LOINC}|"),
        ("code", "PSA"),
        ("code", "|PSA"),
        ("performer", "Organization/x"),
    )
    assert {(row.bucket, row.patient, row.id, row.sort) for row in rows.tokens} == {
        (0x0AA, PATIENT, ID, TAKEN)
    }
    assert rows.dates == [
        DateRow(
            bucket=0x0AA,
            patient=PATIENT,
            id=ID,
            hash=token_hash("Observation", "date", ""),
            low=TAKEN,
            high=TAKEN + 1_000_000,
        )
    ]
    assert rows.strings == []


def test_only_rare_values_stand_in_the_index_over_all_patients():
    rows = index(OBSERVATION, id_=ID, patient=PATIENT).tokens
    assert {row.hash for row in rows if row.population == 1} == hashes(
        "Observation",
        ("identifier", "F1"),
        ("identifier", "urn:lab|F1"),
    )


def test_the_same_value_twice_makes_one_row():
    twice = {**OBSERVATION, "category": OBSERVATION["category"] * 2}
    assert index(twice, id_=ID, patient=PATIENT) == index(OBSERVATION, id_=ID, patient=PATIENT)


def test_codes_inside_components_are_a_parameter_of_their_own():
    tree = {
        "resourceType": "Observation",
        "component": [{"code": {"coding": [{"code": "8480-6"}]}}, {"code": {"text": "none"}}],
    }
    assert tokens(tree) == hashes(
        "Observation", ("component-code", "8480-6"), ("component-code", "|8480-6")
    )


def test_booleans_and_contact_points_are_tokens():
    tree = {
        "resourceType": "Patient",
        "active": False,
        "telecom": [{"system": "phone", "value": "0151 496 0000"}],
    }
    assert tokens(tree) == hashes("Patient", ("active", "false"), ("telecom", "0151 496 0000"))


def test_names_are_found_by_each_of_their_parts_folded_and_as_written():
    tree = {"resourceType": "Patient", "name": [{"family": "Ó Néill", "given": ["Zoë", None]}]}
    rows = index(tree, id_=ID, patient=ID).strings
    assert {(row.hash, row.value) for row in rows} == {
        (token_hash("Patient", name + ending, ""), value)
        for name, folded, written in (
            ("name", "o neill", "Ó Néill"),
            ("name", "zoe", "Zoë"),
            ("family", "o neill", "Ó Néill"),
            ("given", "zoe", "Zoë"),
        )
        for ending, value in (("", folded), (":exact", written))
    }


def test_a_very_long_string_is_compared_by_its_first_200_characters():
    tree = {"resourceType": "Organization", "name": "é" * 5000}
    rows = index(tree, id_=ID, patient="").strings
    assert {row.value for row in rows} == {"e" * 200, "é" * 200}


def test_contained_resources_are_not_referred_to_and_versions_are_left_out():
    tree = {
        "resourceType": "DiagnosticReport",
        "result": [
            {"reference": "#inside"},
            {"reference": "Observation/x/_history/3"},
            {"identifier": {"value": "F1"}},
        ],
    }
    assert list(references(tree, ("result",))) == ["Observation/x"]
    assert tokens(tree) == hashes("DiagnosticReport", ("result", "Observation/x"))


def test_a_type_without_search_parameters_has_no_rows():
    rows = index({"resourceType": "Basic", "code": {}}, id_=ID, patient="")
    assert (rows.tokens, rows.dates, rows.strings) == ([], [], [])


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"resourceType": "Observation", "effectiveDateTime": "2026-01-05T09:30:00Z"}, TAKEN),
        ({"resourceType": "Observation", "effectivePeriod": {"start": "2026-01-05T09:30Z"}}, TAKEN),
        ({"resourceType": "Observation", "effectivePeriod": {"end": "2026"}}, None),
        ({"resourceType": "Observation", "issued": "2026-01-05T09:30:00Z"}, TAKEN),
        ({"resourceType": "Observation"}, None),
        ({"resourceType": "Communication", "sent": "2026-01-05T09:30:00Z"}, TAKEN),
        (
            {
                "resourceType": "Specimen",
                "collection": {"collectedDateTime": "2026-01-05T09:30:00Z"},
                "receivedTime": "2026-02-01T00:00:00Z",
            },
            TAKEN,
        ),
        ({"resourceType": "Patient", "birthDate": "1955-01-01"}, None),
    ],
)
def test_the_sort_date_is_when_it_was(tree, expected):
    assert sort_date(tree) == expected


def test_a_hash_is_the_same_for_ever():
    assert token_hash("Observation", "code", "http://loinc.org|2857-1") == -461246288182639600


@given(st.text(), st.text(), st.text())
def test_a_hash_is_a_signed_64_bit_number(resource_type, parameter, variant):
    assert -(2**63) <= token_hash(resource_type, parameter, variant) < 2**63


@given(st.text(alphabet="ab|\\", min_size=1), st.text(alphabet="ab|\\", min_size=1))
def test_a_code_with_a_bar_in_it_is_not_another_code_of_another_system(system, code):
    def terms(coding):
        return tokens({"resourceType": "Observation", "category": [{"coding": [coding]}]})

    assert not (terms({"system": system, "code": code}) & terms({"code": f"{system}|{code}"}))
