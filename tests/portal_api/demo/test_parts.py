"""The small parts that messages are made of: text on the wire, flags, days, documents, forms."""

import re
from datetime import UTC, date, datetime

import pytest

from adapters.hl7v2 import er7
from portal_api.demo.assays import ASSAYS, Measured, flag_of, range_text, usual_range
from portal_api.demo.browser import Form, forms
from portal_api.demo.days import birthday, months_before, taken_on
from portal_api.demo.numbers import synthetic_numbers
from portal_api.demo.pdf import pdf
from portal_api.demo.wire import components, header, message, segment, to_the_minute


def test_what_is_escaped_is_read_back_as_it_was() -> None:
    text = "a|b^c&d~e\\f"
    raw = message(
        [header({3: "LAB", 9: "ORU^R01", 12: "2.4"}), segment("NTE", {3: components(text)})], ""
    )
    assert er7.read(raw).segments[1].text(3) == text


def test_a_hospitals_clock_is_londons() -> None:
    assert to_the_minute(datetime(2026, 7, 1, 8, 30, tzinfo=UTC)) == "202607010930"
    assert taken_on(date(2026, 7, 1)) == datetime(2026, 7, 1, 7, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "value", "flag"),
    [
        ("PSA", "7.3", "H"),
        ("PSA", "6.5", "N"),
        ("PSA", "<0.01", "N"),
        ("NEUT", "0.4", "LL"),
        ("NEUT", "1.9", "L"),
        ("CEA", "27.0", "H"),
        ("HE4", "61", ""),
        ("EGFR", ">90", ""),
    ],
)
def test_a_flag_follows_from_the_range_as_an_analyser_sets_it(
    key: str, value: str, flag: str
) -> None:
    assay = ASSAYS[key]
    assert flag_of(Measured(assay, value), *usual_range(assay, "M", 71)) == flag


def test_a_laboratorys_own_flag_stands() -> None:
    assert flag_of(Measured(ASSAYS["PSA"], "9.9", "N"), "0", "6.5") == "N"


def test_the_range_of_psa_is_that_of_the_age_and_of_haemoglobin_that_of_the_sex() -> None:
    psa, haemoglobin = ASSAYS["PSA"], ASSAYS["HB"]
    assert [usual_range(psa, "M", age)[1] for age in (59, 60, 69, 70)] == [
        "3.5",
        "4.5",
        "4.5",
        "6.5",
    ]
    assert usual_range(haemoglobin, "F", 60) == ("120", "150")
    assert [range_text(*pair) for pair in (("0", "6.5"), ("", "5"), ("", ""))] == [
        "0-6.5",
        "<5",
        "",
    ]


def test_months_go_back_to_the_last_day_of_a_shorter_month() -> None:
    assert months_before(date(2027, 3, 31), 1) == date(2027, 2, 28)
    assert months_before(date(2026, 1, 15), 2) == date(2025, 11, 15)


def test_somebody_has_their_age_on_the_day_of_the_demonstration() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert birthday(now, 71, 3, 9) == date(1955, 3, 9)
    assert birthday(now, 71, 12, 9) == date(1954, 12, 9)


def test_numbers_begin_where_they_are_told_and_pass_over_what_has_no_check_digit() -> None:
    numbers = synthetic_numbers(100)
    first = [next(numbers) for _ in range(12)]
    assert first[0] == "9990001006"
    assert first == sorted(first)


def test_every_place_in_the_documents_table_is_right_to_the_byte() -> None:
    document = pdf(["CT (clear) \\ 21 mm"])
    start = int(document.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert document[start:].startswith(b"xref\n0 6\n")
    places = [int(place) for place in re.findall(rb"^(\d{10}) 00000 n ", document, re.MULTILINE)]
    assert [document[place : place + 7] for place in places] == [
        b"%d 0 obj" % number for number in range(1, 6)
    ]
    assert b"(CT \\(clear\\) \\\\ 21 mm) Tj" in document
    assert document.endswith(b"%%EOF\n")


def test_a_form_is_read_with_what_it_would_send_as_it_stands() -> None:
    page = """
    <form action="/a" method="post"><input type="hidden" name="csrf" value="t&amp;1">
    <input type="checkbox" name="choice" value="x" checked>
    <input type="checkbox" name="choice" value="y">
    <textarea name="text">
    hello</textarea><button name="decision" value="allow">Go</button></form>
    <form action="/b"></form>"""
    assert forms(page) == (
        Form("/a", "post", (("csrf", "t&1"), ("choice", "x"), ("text", "    hello"))),
        Form("/b", "get", ()),
    )
