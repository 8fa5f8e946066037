"""Numbers keep every digit that was sent; units are spelt, never converted."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.quantities import (
    compared,
    composite_quantity,
    decimal,
    reference_range,
    unit_of,
)
from adapters.hl7v2.unit_table import UCUM_CODES
from tests.adapters.hl7v2.oru_messages import part, surroundings

UCUM = "http://unitsofmeasure.org"
MMOL = {"unit": "mmol/L", "system": UCUM, "code": "mmol/L"}


@pytest.mark.parametrize(
    ("sent", "digits"),
    [("5.10", "5.10"), ("0", "0"), ("-0.50", "-0.50"), ("+5", "5"), (".5", "0.5"), ("5.", "5")],
)
def test_a_number_keeps_the_digits_that_were_written(sent, digits):
    assert str(decimal(sent)) == digits


@pytest.mark.parametrize(
    "sent",
    ["", "5*", "1,234", "NEG", "5..2", "1e400", "NaN", "Infinity", "<5", "5 6", "٣", "1" * 19, "."],
)
def test_what_is_no_number_is_none(sent):
    assert decimal(sent) is None


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("<0.01", ("<", "0.01")),
        ("> 90", (">", "90")),
        ("<=4.50", ("<=", "4.50")),
        (">=1", (">=", "1")),
        ("7.30", ("", "7.30")),
    ],
)
def test_a_comparator_stands_before_the_number(sent, meant):
    comparator, number = compared(sent)
    assert (comparator, str(number)) == meant


@pytest.mark.parametrize("sent", ["<>5", "=5", "5<", "< ", "about 5", "<5*"])
def test_what_is_no_comparison_is_none(sent):
    assert compared(sent) is None


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=5
    )
)
def test_every_decimal_comes_back_as_it_was_written(number):
    written = format(number, "f")
    assert format(decimal(written), "f") == written


@pytest.mark.parametrize(
    ("sent", "unit"),
    [
        ("", {}),
        ("mmol/L", MMOL),
        ("mmol/L^mmol per litre^UCUM", {**MMOL, "unit": "mmol per litre"}),
        ("mmol/L^^UCUM", MMOL),
        ("x10^9/L", {"unit": "x10^9/L", "system": UCUM, "code": "10*9/L"}),
        ("10^9/L", {"unit": "10^9/L", "system": UCUM, "code": "10*9/L"}),
        (r"10\S\9/L", {"unit": "10^9/L", "system": UCUM, "code": "10*9/L"}),
        ("GM/DL", {"unit": "GM/DL"}),
        ("g/dL", {"unit": "g/dL", "system": UCUM, "code": "g/dL"}),
        ("\u00b5g/L", {"unit": "\u00b5g/L", "system": UCUM, "code": "ug/L"}),
        ("\u03bcg/L", {"unit": "\u03bcg/L", "system": UCUM, "code": "ug/L"}),
        ("mcg/L", {"unit": "mcg/L", "system": UCUM, "code": "ug/L"}),
        ("ng/mL", {"unit": "ng/mL", "system": UCUM, "code": "ng/mL"}),
        ("ratio", {"unit": "ratio"}),
        (
            "RATIO^ratio^L",
            {"unit": "ratio", "system": "urn:portal-fhir:codes:NMH", "code": "RATIO"},
        ),
    ],
)
def test_a_unit_is_what_was_sent_with_a_code_where_one_is_certain(sent, unit):
    assert unit_of(part(sent), surroundings()) == unit


def test_no_spelling_in_the_unit_table_changes_the_size_of_a_unit():
    prefixes = {"g/dL": "g/dL", "g/L": "g/L", "mg/dL": "mg/dL", "mg/L": "mg/L", "ng/mL": "ng/mL"}
    assert {unit: UCUM_CODES[unit] for unit in prefixes} == prefixes


def test_every_code_in_the_unit_table_is_made_of_ucum_letters():
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/*%[]{}_.")
    assert all(set(code) <= allowed for code in UCUM_CODES.values())


def low(number):
    return {"low": {"value": Decimal(number), **MMOL}}


def high(number):
    return {"high": {"value": Decimal(number), **MMOL}}


@pytest.mark.parametrize(
    ("sent", "limits"),
    [
        ("3.5-5.3", {**low("3.5"), **high("5.3")}),
        ("3.50 - 5.30", {**low("3.50"), **high("5.30")}),
        ("3.5 to 5.3", {**low("3.5"), **high("5.3")}),
        ("-2 - 2", {**low("-2"), **high("2")}),
        ("<5", high("5")),
        ("<= 5", high("5")),
        (">60", low("60")),
        (">=60", low("60")),
        ("5.3-3.5", {}),
        ("NA", {}),
        ("-", {}),
        ("Negative", {}),
        ("3.5-5.3 (adult)", {}),
    ],
)
def test_a_reference_range_keeps_its_text_and_gets_limits_where_they_can_be_read(sent, limits):
    assert reference_range(sent, MMOL) == {**limits, "text": sent}


def test_a_composite_quantity_needs_a_number():
    assert composite_quantity(part("1.50^mL&&UCUM"), surroundings()) == {
        "value": Decimal("1.50"),
        "unit": "mL",
        "system": UCUM,
        "code": "mL",
    }
    assert composite_quantity(part("some^mL"), surroundings()) == {}
