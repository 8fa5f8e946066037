r"""Escape sequences are resolved after splitting; what is unknown or broken stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.delimiters import DEFAULT, Delimiters
from adapters.hl7v2.escapes import escape, unescape

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (r"a\F\b\S\c\R\d\T\e\E\f", r"a|b^c~d&e\f"),
        (r"one\.br\two", "one\ntwo"),
        (r"one\.sp\two\.sp2\three", "one\ntwo\n\nthree"),
        (r"\X41\\X0D0A\\X1C\\X00\ ".strip(), "A\r\n\x1c\0"),
        (r"\XC3A9\ \XE9\ \X81\ ", "é é \x81 "),
        (r"\P\ ", "# "),
        (r"\E\.br\E\ ", r"\.br\ "),
    ],
)
def test_known_sequences_mean_their_characters(escaped, plain):
    assert unescape(escaped, DEFAULT) == plain


@pytest.mark.parametrize(
    "text",
    ["4\\5", "\\X0\\", "\\X0G\\", "\\.br", "\\Zxx\\", "\\", "\\\\", "\\H\\bold\\N\\", "\\f\\",
     "a \\ b \\ c", "\\.in+4\\", "\\C2842\\"],
)  # fmt: skip
def test_unknown_and_broken_sequences_stay_as_text(text):
    assert unescape(text, DEFAULT) == text


def test_a_lone_escape_character_does_not_hide_the_sequence_after_it():
    assert unescape(r"4\5 and 3\F\2", DEFAULT) == r"4\5 and 3|2"


def test_an_unknown_sequence_does_not_lend_its_end_to_the_next():
    assert unescape(r"\Zab\F\cd", DEFAULT) == r"\Zab\F\cd"


def test_a_delimiter_that_the_message_lacks_has_no_sequence():
    short = Delimiters("|", "^", "~", "\\", "")
    assert unescape(r"a\T\b\S\c", short) == r"a\T\b^c"
    assert unescape(r"a\S\b", Delimiters("|", "^", "~", "", "")) == r"a\S\b"


def test_a_text_that_needs_an_escape_character_can_not_be_written_without_one():
    with pytest.raises(ValueError, match="needs an escape character"):
        escape("a|b", Delimiters("|", "^", "~", "", ""))
    assert escape("plain", Delimiters("|", "^", "~", "", "")) == "plain"


_TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(r"\|^~&FSRTEX.br0D"))


@given(_TEXT, st.lists(st.sampled_from(PUNCTUATION), min_size=5, max_size=5, unique=True))
def test_what_is_escaped_comes_back_exactly_and_holds_no_delimiter(text, marks):
    delimiters = Delimiters(*marks)
    written = escape(text, delimiters)
    assert unescape(written, delimiters) == text
    parts = {delimiters.field, delimiters.component, delimiters.repetition, delimiters.subcomponent}
    assert not set(written) & (parts | {"\r", "\n", "\x0b", "\x1c"})


@given(_TEXT)
def test_no_text_makes_unescaping_fail(text):
    assert isinstance(unescape(text, DEFAULT), str)
