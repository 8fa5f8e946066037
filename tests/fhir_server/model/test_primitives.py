"""The primitive types: what each may hold."""

import re
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.model.primitives import PRIMITIVES, whole


def fits(kind: str, text: str) -> bool:
    return re.search(whole(PRIMITIVES[kind].pattern), text) is not None


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            "date",
            "2024 2024-02 2024-02-29 2000-02-29 0001-01-01",
            "24 2024-2 2023-02-29 1900-02-29",
        ),
        ("date", "1999-12-31", "2024-13 2024-04-31 2024-00-10 0000 2024-02-29T00:00:00Z 20240229"),
        (
            "dateTime",
            "2024 2024-02-29 2024-02-29T23:59:60Z 2024-02-29T00:00:00.123456789-05:00",
            "2024-02-29T00:00:00 2024-02-29T24:00:00Z 2024-02-29T10:00Z 2024-02T10:00:00Z",
        ),
        ("dateTime", "2024-02-29T10:00:00+14:00", "2024-02-29T10:00:00+14:01 2024-02-29T10:00:00z"),
        ("instant", "2024-02-29T10:00:00.5Z", "2024-02-29 2024 2024-02-30T10:00:00Z"),
        ("time", "00:00:00 23:59:60 09:00:00.25", "24:00:00 9:00:00 09:00 09:00:00Z"),
        ("id", "a A-1.b 0a1f", f"a_b é {'x' * 65}"),
        ("code", "a a-b 1", ""),
        ("uri", "urn:x a#b ü", ""),
        ("oid", "urn:oid:1.2.3", "1.2.3 urn:oid:3.1 urn:oid:1.02"),
        (
            "uuid",
            "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
            "c757873d-ec9a-4326-a141-556f43239520 urn:uuid:c757873d-ec9a-1326-a141-556f43239520",
        ),
        (
            "url",
            "https://example.org http://example.org:8000/a?b#c Binary/1 urn:oid:1 mailto:a@b.org",
            "http:// http://a:70000 javascript:alert(1) http://256.1.1.1 http://[x] file:///etc",
        ),
        ("base64Binary", "QUJD QUI= QQ== QUJDQUJD", "Q QU QUI QUJD= QUJDQ=== QU=D Q-JD"),
    ],
)
def test_a_primitive_holds_what_r4_says(kind: str, good: str, bad: str) -> None:
    assert [text for text in good.split() if not fits(kind, text)] == []
    assert [text for text in bad.split() if fits(kind, text)] == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("code", "two  blanks"),
        ("code", " leading"),
        ("code", "line\n"),
        ("code", ""),
        ("uri", "a b"),
        ("uri", "line\n"),
        ("id", "line\n"),
        ("date", "2024-02-29\n"),
        ("date", "\uff12\uff10\uff12\uff14"),
        ("base64Binary", "QUJD\n"),
        ("base64Binary", ""),
        ("url", "https://example.org/a b"),
    ],
)
def test_nothing_hides_before_or_after_a_primitive(kind: str, text: str) -> None:
    assert not fits(kind, text)


def test_a_code_may_have_single_blanks_inside() -> None:
    assert fits("code", "a b c")


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date(day: date) -> None:
    assert fits("date", day.isoformat())


@given(st.integers(1, 9999), st.integers(0, 13), st.integers(0, 32))
def test_a_date_that_the_calendar_does_not_have_is_none(year: int, month: int, day: int) -> None:
    try:
        date(year, month, day)
    except ValueError:
        exists = False
    else:
        exists = True
    assert fits("date", f"{year:04}-{month:02}-{day:02}") == exists


@given(st.datetimes())
def test_every_instant_is_a_date_time(instant: datetime) -> None:
    text = instant.isoformat()[:19]
    assert fits("dateTime", f"{text}+01:00")
    assert fits("instant", f"{text}.000001Z")


def test_ten_megabytes_of_base64_fit() -> None:
    assert fits("base64Binary", "QUJD" * 2_500_000)
    assert not fits("base64Binary", "QUJD" * 2_500_000 + "*")
