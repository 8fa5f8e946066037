"""The value of a search parameter is understood whole, or refused with its name."""

import pytest

from fhir_server.errors import Invalid, NotSupported
from fhir_server.search.criteria import (
    DateCriterion,
    IdCriterion,
    Prefix,
    Range,
    RecordCriterion,
    StringCriterion,
    TokenCriterion,
    UpdatedCriterion,
)
from fhir_server.search.dates import span
from fhir_server.search.index import token_hash
from fhir_server.search.parameters import PARAMETERS
from fhir_server.search.values import criterion, parameter_named

A, B = "0aa" + "1" * 29, "0bb" + "2" * 29


@pytest.fixture
def ask(base):
    def asked(resource_type, name, value):
        name, _, modifier = name.partition(":")
        parameter = parameter_named(PARAMETERS[resource_type], resource_type, name)
        return criterion(resource_type, parameter, modifier, value, base)

    return asked


def hashes(resource_type, *terms):
    return tuple(sorted(token_hash(resource_type, name, variant) for name, variant in terms))


@pytest.mark.parametrize(
    ("value", "variants", "population"),
    [
        ("F1", ["F1"], True),
        ("urn:lab|F1", ["urn:lab|F1"], True),
        ("|F1", ["|F1"], True),
        ("urn:lab|", ["urn:lab|"], False),
        ("a,urn:lab|", ["a", "urn:lab|"], False),
        ("a,b", ["a", "b"], True),
        (r"a\,b", ["a,b"], True),
        (r"urn:x\|y|a\|b", [r"urn:x\|y|a\|b"], True),
    ],
)
def test_a_token_is_asked_for_by_code_system_or_both(ask, value, variants, population):
    expected = hashes("Observation", *(("identifier", one) for one in variants))
    assert ask("Observation", "identifier", value) == TokenCriterion(expected, False, population)


def test_not_turns_a_token_round(ask):
    assert ask("Observation", "code:not", "a") == TokenCriterion(
        hashes("Observation", ("code", "a")), True, False
    )


def test_a_combined_code_is_looked_for_in_the_components_too(ask):
    assert ask("Observation", "combo-code", "a") == TokenCriterion(
        hashes("Observation", ("code", "a"), ("component-code", "a")), False, False
    )


def test_a_required_binding_lends_its_system_to_the_code(ask):
    plain = ask("Observation", "status", "final")
    assert ask("Observation", "status", "http://hl7.org/fhir/observation-status|final") == plain
    assert ask("Observation", "status", "urn:other|final") != plain


@pytest.mark.parametrize("value", ["|", "a|b|c", "http://hl7.org/fhir/observation-status|"])
def test_a_value_that_is_no_token_is_refused(ask, value):
    with pytest.raises(Invalid, match="status has a value that is no token"):
        ask("Observation", "status", value)


@pytest.mark.parametrize(
    "value", [A, f"Patient/{A}", f"https://portal.example/fhir/Patient/{A}", f"{A},{A}"]
)
@pytest.mark.parametrize("name", ["patient", "subject", "subject:Patient"])
def test_a_patient_is_named_by_id_by_reference_or_by_our_own_address(ask, name, value):
    assert ask("Observation", name, value) == RecordCriterion((A,))


@pytest.mark.parametrize(
    "value",
    [
        f"https://elsewhere.example/fhir/Patient/{A}",
        f"https://portal.example/fhir/evil/Patient/{A}",
        f"Group/{A}",
        "Patient/x",
        "x",
        f"Patient/{A}/x",
        f"patient/{A}",
    ],
)
def test_what_is_no_patient_of_ours_is_in_nobodys_record(ask, value):
    assert ask("Observation", "subject", value) == RecordCriterion(())


def test_a_reference_is_looked_for_under_each_type_that_it_may_name(ask):
    types = ("Practitioner", "PractitionerRole", "Organization", "CareTeam", "Patient")
    assert ask("Communication", "sender", "x") == TokenCriterion(
        hashes("Communication", *(("sender", f"{one}/x") for one in types)), False, True
    )
    one = TokenCriterion(hashes("Communication", ("sender", "Practitioner/x")), False, True)
    for name, value in (
        ("sender", "Practitioner/x"),
        ("sender:Practitioner", "x"),
        ("sender:Practitioner", "Practitioner/x"),
        ("sender", "https://portal.example/fhir/Practitioner/x"),
    ):
        assert ask("Communication", name, value) == one
    assert ask("Communication", "sender:Practitioner", "Patient/x") == TokenCriterion(
        (), False, True
    )


def test_a_reference_to_a_version_is_refused(ask):
    with pytest.raises(Invalid, match="names a version"):
        ask("Observation", "specimen", "Specimen/x/_history/2")


@pytest.mark.parametrize("prefix", list(Prefix))
def test_a_date_may_have_any_prefix(ask, prefix):
    low, high = span("2026-03-29")
    expected = DateCriterion(token_hash("Observation", "date", ""), (Range(prefix, low, high),))
    assert ask("Observation", "date", f"{prefix}2026-03-29") == expected


def test_a_date_without_a_prefix_is_that_date(ask):
    assert ask("Observation", "date", "2026") == ask("Observation", "date", "eq2026")
    assert ask("Observation", "_lastUpdated", "ge2026,lt2020") == UpdatedCriterion(
        (Range(Prefix.GREATER_OR_EQUAL, *span("2026")), Range(Prefix.LESS, *span("2020")))
    )


def test_a_plus_sign_that_arrived_as_a_space_is_still_a_time_zone(ask):
    lost, kept = "ge2026-06-01T10:00:00 01:00", "ge2026-06-01T10:00:00+01:00"
    assert ask("Observation", "date", lost) == ask("Observation", "date", kept)


@pytest.mark.parametrize("value", ["xx2026", "ge", "2026-13", "today", "GE2026", "ge 2026"])
def test_a_value_that_is_no_date_is_refused(ask, value):
    with pytest.raises(Invalid, match="date has a value that is no date"):
        ask("Observation", "date", value)


@pytest.mark.parametrize(
    ("name", "value", "indexed", "match"),
    [
        ("name", "NÉAL", "neal", "starts"),
        ("name:contains", "NÉAL", "neal", "contains"),
        ("name:exact", "NÉAL", "NÉAL", "exact"),
    ],
)
def test_strings_are_compared_folded_or_exactly(ask, name, value, indexed, match):
    key = "name:exact" if match == "exact" else "name"
    assert ask("Patient", name, value) == StringCriterion(
        token_hash("Patient", key, ""), (indexed,), match
    )


@pytest.mark.parametrize("value", ["'", "  ", "\u0301"])
def test_a_string_without_a_letter_is_refused_since_every_name_starts_with_it(ask, value):
    with pytest.raises(Invalid, match="without a letter"):
        ask("Patient", "name", value)


def test_texts_that_are_no_ids_of_ours_are_left_out(ask):
    assert ask("Observation", "_id", f"{A},x,{B},{A.upper()}") == IdCriterion((A, B))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("code:text", NotSupported),
        ("code:missing", NotSupported),
        ("code:in", NotSupported),
        ("code:above", NotSupported),
        ("subject:identifier", NotSupported),
        ("code:exact", Invalid),
        ("code:nonsense", Invalid),
        ("date:not", Invalid),
        ("subject:not", Invalid),
        ("subject:Group", Invalid),
        ("_id:not", Invalid),
        ("_lastUpdated:not", Invalid),
    ],
)
def test_a_modifier_that_is_not_understood_is_refused(ask, name, kind):
    with pytest.raises(kind) as caught:
        ask("Observation", name, "x")
    assert type(caught.value) is kind
    assert caught.value.issues[0].expression == name.partition(":")[0]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "no value"),
        ("a,", "no value"),
        (",a", "no value"),
        (",".join("a" * 101), "more than 100 values"),
        ("a" * 501, "more than 500 characters"),
        ("a\x00b", "can't be searched for"),
        ("a\nb", None),
        ("a\x1bb", "can't be searched for"),
        ("\ud800", "can't be searched for"),
    ],
)
def test_values_have_bounds(ask, value, fault):
    if fault is None:
        ask("Observation", "code", value)
        return
    with pytest.raises(Invalid, match=fault):
        ask("Observation", "code", value)


def test_an_unknown_parameter_is_refused_with_the_known_ones(ask):
    with pytest.raises(Invalid) as caught:
        ask("PractitionerRole", "colour", "x")
    (issue,) = caught.value.issues
    assert issue.text == "PractitionerRole has no search parameter colour here."
    assert issue.diagnostics == (
        "Search parameters: _id, _lastUpdated, active, date, identifier, organization, "
        "practitioner, role, specialty."
    )


def test_the_name_of_an_unknown_parameter_is_told_again_only_where_it_is_a_word(ask):
    with pytest.raises(Invalid) as caught:
        ask("Observation", "<script>", "x")
    assert caught.value.issues[0].text == "Observation has no search parameter of that name here."


@pytest.mark.parametrize("name", ["code", "date", "name"])
def test_a_refusal_does_not_tell_the_value_again(ask, name):
    kind = "Patient" if name == "name" else "Observation"
    with pytest.raises(Invalid) as caught:
        ask(kind, name, "9990000018|" * 60)
    assert "9990000018" not in str(caught.value.issues)
