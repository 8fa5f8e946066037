"""Text is compared without case and accents; escapes stand for what they hide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.text import escaped, folded, split, unescaped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoë", "zoe"),
        ("ÅSTRÖM", "astrom"),
        ("O’Brien", "obrien"),
        ("O'Brien", "obrien"),
        ("Straße", "strasse"),
        ("  Neal \t Smith ", "neal smith"),
        ("ﬁnn", "finn"),
        ("Ελένη", "ελενη"),
    ],
)
def test_strings_are_folded(text, expected):
    assert folded(text) == expected


@given(st.text())
def test_folding_twice_changes_nothing_more(text):
    assert folded(folded(text)) == folded(text)


@given(st.text(alphabet="a\\|,$"), st.text(alphabet="b\\|,$"))
def test_no_two_pairs_of_system_and_code_are_written_alike(system, code):
    written = f"{escaped(system)}|{escaped(code)}"
    parts = [unescaped(part) for part in split(written, "|")]
    assert parts == [system, code]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b", ["a", "b"]),
        (r"a\,b,c", [r"a\,b", "c"]),
        (r"a\\,b", [r"a\\", "b"]),
        ("", [""]),
        (",", ["", ""]),
        ("a\\", ["a\\"]),
    ],
)
def test_an_escaped_comma_separates_nothing(text, expected):
    assert split(text, ",") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [(r"a\,b", "a,b"), (r"a\|b", "a|b"), (r"a\$b", "a$b"), (r"a\\b", r"a\b"), (r"a\nb", r"a\nb")],
)
def test_an_escape_stands_for_what_it_hides(text, expected):
    assert unescaped(text) == expected


@given(st.text())
def test_splitting_loses_nothing(text):
    assert ",".join(split(text, ",")) == text
