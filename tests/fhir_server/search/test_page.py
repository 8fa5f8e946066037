"""A page link leads on whoever was given it, through the query it was given for, for an hour."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.errors import Invalid
from fhir_server.search.page import LIFETIME, seal, unseal
from fhir_server.search.query import parse
from fhir_server.search.sql import Cursor

KEY = bytes(range(32))
BASE = "https://portal.example/fhir"
CURSOR = Cursor(1_780_000_000_000_000, 1_770_000_000_000_000, "0aa" + "1" * 29)
QUERY = parse("Observation", [("code", "x"), ("_count", "5")], BASE)
AT = 1_780_000_000_000_000
REFUSED = "This page link does not hold any more."


@pytest.fixture(scope="session")
def access(people):
    return people.patient()


@pytest.fixture(scope="session")
def link(access):
    return seal(KEY, CURSOR, access, QUERY, AT)


@given(
    st.builds(
        Cursor,
        st.integers(-(2**63), 2**63 - 1),
        st.integers(-(2**63), 2**63 - 1),
        st.text(alphabet="0123456789abcdef", max_size=32),
    )
)
def test_a_link_leads_on_from_where_the_walk_stands(access, cursor):
    text = seal(KEY, cursor, access, QUERY, AT)
    assert unseal(KEY, text, access, QUERY, AT) == cursor


def test_a_link_is_a_short_word_that_an_address_can_hold(link):
    assert len(link) < 110
    assert link.replace("-", "").replace("_", "").isalnum()


def test_the_page_itself_is_no_part_of_the_query_that_the_link_is_bound_to(access, link):
    following = parse("Observation", [("_page", link), ("_count", "5"), ("code", "x")], BASE)
    assert unseal(KEY, following.wanted.page, access, following, AT) == CURSOR


def test_the_same_page_at_the_same_instant_has_the_same_link(access, link):
    assert seal(KEY, CURSOR, access, QUERY, AT) == link


def test_a_link_tells_nothing_of_where_the_walk_stands(access, link):
    other = seal(KEY, replace(CURSOR, key=CURSOR.key + 1), access, QUERY, AT)
    assert sum(one == two for one, two in zip(link, other, strict=True)) < len(link) / 3
    assert CURSOR.id not in link


@given(st.integers(0, 200), st.sampled_from("AZaz09-_=. %"))
def test_a_link_that_was_edited_is_refused(access, link, position, letter):
    edited = link[:position] + letter + link[position + 1 :]
    if edited == link:
        assert unseal(KEY, edited, access, QUERY, AT) == CURSOR
        return
    with pytest.raises(Invalid) as caught:
        unseal(KEY, edited, access, QUERY, AT)
    assert str(caught.value) == REFUSED


@pytest.mark.parametrize("text", ["", "x", "A" * 74, "A" * 10_000, "é", "\ud800", "===="])
def test_what_is_no_link_is_refused(access, text):
    with pytest.raises(Invalid, match="does not hold any more"):
        unseal(KEY, text, access, QUERY, AT)


@pytest.mark.parametrize("field", ["user", "client", "role"])
def test_a_link_is_refused_for_anyone_else(access, link, field):
    other = replace(access, agent=replace(access.agent, **{field: "another"}))
    with pytest.raises(Invalid) as caught:
        unseal(KEY, link, other, QUERY, AT)
    assert str(caught.value) == REFUSED


def test_a_link_outlives_its_token(access, link):
    renewed = replace(
        access, request_id="r-2", agent=replace(access.agent, token_id="new", network="::1")
    )
    assert unseal(KEY, link, renewed, QUERY, AT) == CURSOR


@pytest.mark.parametrize(
    ("resource_type", "pairs"),
    [
        ("Observation", [("code", "y"), ("_count", "5")]),
        ("Observation", [("code", "x"), ("_count", "6")]),
        ("Observation", [("_count", "5")]),
        ("Observation", [("code:not", "x"), ("_count", "5")]),
        ("DiagnosticReport", [("code", "x"), ("_count", "5")]),
    ],
)
def test_a_link_is_refused_for_another_query(access, link, resource_type, pairs):
    with pytest.raises(Invalid, match="does not hold any more"):
        unseal(KEY, link, access, parse(resource_type, pairs, BASE), AT)


def test_a_link_is_refused_under_another_key(access, link):
    with pytest.raises(Invalid, match="does not hold any more"):
        unseal(KEY[::-1], link, access, QUERY, AT)


def test_a_link_holds_for_an_hour(access, link):
    assert unseal(KEY, link, access, QUERY, AT + LIFETIME - 1) == CURSOR
    with pytest.raises(Invalid, match="does not hold any more"):
        unseal(KEY, link, access, QUERY, AT + LIFETIME)


def test_a_short_key_is_refused(access):
    with pytest.raises(ValueError, match="32 bytes"):
        seal(b"short", CURSOR, access, QUERY, AT)
