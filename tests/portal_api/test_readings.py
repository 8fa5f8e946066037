"""One measurement in plain words, with its digits; and which ones can be compared."""

from decimal import Decimal
from itertools import pairwise

import pytest

from portal_api.plain_names import TESTS, UNITS, plain_name
from portal_api.readings import Quantity, Span, place, reading, runs, value_text, what_changed

NAMES = {"Organization/a": "Northgate", "Organization/b": "Wirralside"}


def observation(number="7.30", **also):
    """An Observation of a PSA."""
    return {
        "resourceType": "Observation",
        "id": also.pop("id", "1"),
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2857-1"}], "text": "PSA"},
        "effectiveDateTime": "2026-11-24T09:00:00Z",
        "performer": [{"reference": "Organization/a"}],
        "valueQuantity": {"value": Decimal(number), "unit": "ug/L"},
    } | also


def test_a_result_keeps_the_digits_the_laboratory_wrote():
    assert value_text(reading(observation("5.10"), NAMES).quantity) == "5.10 ug/L"
    assert value_text(Quantity(Decimal("1E+3"), "", "U/L")) == "1000 U/L"
    assert value_text(Quantity(Decimal("0.01"), "<", "ug/L")) == "<0.01 ug/L"


def test_powers_are_printed_as_powers():
    assert value_text(Quantity(Decimal("2.0"), "", "10*9/L")) == "2.0 ×10⁹/L"


def test_a_known_code_has_a_plain_name_and_an_unknown_one_keeps_the_laboratorys():
    assert reading(observation(), NAMES).name.name == "Prostate blood test (PSA)"
    local = {"code": {"coding": [{"system": "urn:local", "code": "HE4X"}], "text": "HE4 extra"}}
    assert reading(observation(**local), NAMES).name.name == "HE4 extra"
    assert plain_name((), " Neutrophil  Count ").name == "Infection-fighting cells (neutrophils)"


def test_no_name_or_code_stands_for_two_tests_and_each_is_explained():
    codes = [code for test in TESTS for code in test.loinc]
    aliases = [alias for test in TESTS for alias in test.aliases]
    assert len(codes) == len(set(codes))
    assert len(aliases) == len(set(aliases))
    assert all(test.plain.meaning.endswith(".") for test in TESTS)
    assert all(meaning for meaning in UNITS.values())


@pytest.mark.parametrize(
    ("number", "comparator", "low", "high", "where"),
    [
        ("7.3", "", None, "6.5", "above"),
        ("6.5", "", None, "6.5", "within"),
        ("129", "", "130", "170", "below"),
        ("130", "", "130", "170", "within"),
        ("0.01", "<", None, "6.5", "within"),
        ("90", ">", "60", None, "within"),
        ("5", "<", "3", "9", ""),
        ("3", "<", "3", "9", "below"),
        ("9", ">", "3", "9", "above"),
        ("7.3", "", None, None, ""),
    ],
)
def test_a_value_is_placed_only_where_there_is_no_doubt(number, comparator, low, high, where):
    span = {
        "referenceRange": [
            {
                side: {"value": Decimal(edge)}
                for side, edge in (("low", low), ("high", high))
                if edge
            }
            | {"text": "as printed"}
        ]
    }
    value = {"value": Decimal(number)} | ({"comparator": comparator} if comparator else {})
    assert place(reading(observation(valueQuantity=value, **span), NAMES)) == where


@pytest.mark.parametrize(
    ("flag", "where"),
    [
        ("H", "above"),
        ("HH", "well above"),
        ("L", "below"),
        ("LL", "well below"),
        ("N", "within"),
        ("A", "unusual"),
    ],
)
def test_the_laboratorys_own_flag_counts_before_our_comparison(flag, where):
    also = {
        "interpretation": [{"coding": [{"code": flag}]}],
        "referenceRange": [{"high": {"value": Decimal(100)}}],
    }
    assert place(reading(observation("7.3", **also), NAMES)) == where


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"valueString": "Line one\n  Line two"}, "Line one\n  Line two"),
        ({"valueCodeableConcept": {"text": "Detected"}}, "Detected"),
        ({"valueRange": {"low": {"value": Decimal(1)}, "high": {"value": Decimal(2)}}}, "1 to 2"),
        (
            {
                "valueRatio": {
                    "numerator": {"value": Decimal(1)},
                    "denominator": {"value": Decimal(8)},
                }
            },
            "1:8",
        ),
        ({"dataAbsentReason": {"text": "Sample too old"}}, "Sample too old"),
    ],
)
def test_what_is_no_number_is_told_in_the_senders_words(value, words):
    tree = observation(**value)
    del tree["valueQuantity"]
    found = reading(tree, NAMES)
    assert (found.quantity, found.text) == (None, words)


def test_runs_break_where_laboratory_method_or_unit_changes():
    points = (
        ("1", "2026-01-01", {}),
        ("2", "2026-02-01", {}),
        ("3", "2026-03-01", {"performer": [{"reference": "Organization/b"}]}),
        (
            "4",
            "2026-04-01",
            {"performer": [{"reference": "Organization/b"}], "method": {"text": "B"}},
        ),
        ("5", "2026-05-01", {"valueQuantity": {"value": Decimal(5), "unit": "ng/mL"}}),
    )
    found = runs(
        reading(observation(number, id=number, effectiveDateTime=day, **also), NAMES)
        for number, day, also in reversed(points)
    )
    assert [[one.observation for one in run.readings] for run in found] == [
        ["1", "2"],
        ["3"],
        ["4"],
        ["5"],
    ]
    changes = [what_changed(*pair) for pair in pairwise(found)]
    assert changes == ["laboratory", "method", "laboratory, method and unit"]


def test_a_reading_without_a_date_or_a_number_is_in_no_run():
    undated = observation()
    del undated["effectiveDateTime"]
    assert runs([reading(undated, NAMES)]) == ()
    assert reading(undated, NAMES).taken is None


def test_a_range_without_ends_keeps_its_text():
    found = reading(observation(referenceRange=[{"text": "see report"}]), NAMES)
    assert found.span == Span(None, None, "see report")
