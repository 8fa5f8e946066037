"""Forms and query strings, read with one meaning only."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.forms import LIMIT, once, read_pairs
from fhir_server.errors import Invalid, TooLarge

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@given(st.lists(st.tuples(texts, texts), min_size=1))
def test_what_was_encoded_is_read_as_it_was(pairs):
    assert read_pairs(urlencode(pairs).encode()) == pairs


@pytest.mark.parametrize(
    "encoded", [b"a", b"a=b&", b"a=%ff", b"a=%00", "a=é".encode(), b"=&=&x", b"a=1;b=2&c"]
)
def test_what_could_mean_two_things_is_refused(encoded):
    with pytest.raises(Invalid):
        read_pairs(encoded)


def test_there_is_an_end_to_what_is_read():
    with pytest.raises(TooLarge):
        read_pairs(b"a=" + b"x" * (LIMIT - 1))
    with pytest.raises(Invalid):
        read_pairs(b"&".join([b"a=b"] * 201))


def test_nothing_sent_is_nothing():
    assert read_pairs(b"") == []
    assert once([]) == {}


def test_a_name_comes_once():
    assert once([("a", "1"), ("b", "1")]) == {"a": "1", "b": "1"}
    with pytest.raises(Invalid, match="repeated"):
        once([("a", "1"), ("b", "2"), ("a", "1")])
