"""ETag and Last-Modified, and what a caller who names them is told."""

from datetime import UTC, datetime

import pytest
from starlette.requests import Request

from fhir_server.clock import micros
from fhir_server.errors import Invalid
from fhir_server.record import Stored
from fhir_server.rest.versions import is_held, version_headers, version_to_match

CHANGED = datetime(2030, 1, 7, 9, 0, 0, 345000, tzinfo=UTC)
THAT_SECOND = "Mon, 07 Jan 2030 09:00:00 GMT"
THE_NEXT = "Mon, 07 Jan 2030 09:00:01 GMT"
THE_ONE_BEFORE = "Mon, 07 Jan 2030 08:59:59 GMT"


def stored(version: int = 3, release_at: datetime = CHANGED) -> Stored:
    return Stored(
        "Observation", "0a" * 16, version, micros(CHANGED), "0a" * 16, micros(release_at), 0, b"{}"
    )


def request(*headers: tuple[str, str]) -> Request:
    sent = [(name.encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "method": "GET", "query_string": b"", "headers": sent})


def test_a_version_is_told_by_a_weak_tag_and_a_date_in_whole_seconds() -> None:
    headers = version_headers(stored())
    assert headers["ETag"] == 'W/"3"'
    assert headers["Last-Modified"] == THAT_SECOND
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("tag", ['W/"3"', '"3"', "3", "*", 'W/"1", W/"3"', '"x",W/"3"'])
def test_who_holds_the_version_is_told_that_it_stands(tag: str) -> None:
    assert is_held(request(("if-none-match", tag)), stored())


@pytest.mark.parametrize("tag", ['W/"2"', '"33"', "W/3x", "", '"W/3"', "nonsense"])
def test_who_holds_another_version_gets_this_one(tag: str) -> None:
    assert not is_held(request(("if-none-match", tag)), stored())


def test_tags_in_several_headers_are_read_as_one_list() -> None:
    assert is_held(request(("if-none-match", '"1"'), ("if-none-match", '"3"')), stored())


def test_a_tag_that_does_not_match_outweighs_a_date_that_does() -> None:
    both = request(("if-none-match", 'W/"2"'), ("if-modified-since", THE_NEXT))
    assert not is_held(both, stored())


def test_what_changed_after_the_date_is_sent() -> None:
    assert not is_held(request(("if-modified-since", THE_ONE_BEFORE)), stored())
    assert is_held(request(("if-modified-since", THE_NEXT)), stored())


def test_within_the_same_second_only_a_first_version_is_sure_to_be_held() -> None:
    same = request(("if-modified-since", THAT_SECOND))
    assert is_held(same, stored(version=1))
    assert not is_held(same, stored(version=2))


def test_a_result_that_opened_later_is_new_at_that_moment() -> None:
    opened = datetime(2030, 1, 21, 9, 0, tzinfo=UTC)
    assert not is_held(request(("if-modified-since", THE_NEXT)), stored(1, opened))
    assert is_held(
        request(("if-modified-since", "Mon, 21 Jan 2030 09:00:01 GMT")), stored(1, opened)
    )


@pytest.mark.parametrize(
    "date",
    ["", "yesterday", "2030-01-07", "Mon, 07 Jan 2030 09:00:01 -0000", "1", "\xff",
     "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359",
     "Mon, 07 Jan 2030 09:00:01 +99999999999"],
)  # fmt: skip
def test_a_date_that_can_not_be_read_is_passed_over(date: str) -> None:
    assert not is_held(request(("if-modified-since", date)), stored())


@pytest.mark.parametrize(
    ("header", "version"), [('W/"3"', 3), ('"3"', 3), ("*", None), (' W/"12" ', 12)]
)
def test_the_version_to_match_is_the_one_in_the_tag(header: str, version: int | None) -> None:
    assert version_to_match(request(("if-match", header))) == version


def test_without_the_header_there_is_nothing_to_match() -> None:
    assert version_to_match(request()) is None


@pytest.mark.parametrize(
    "header", ["", "3", 'W/"x"', 'W/"1", W/"2"', '"-1"', '"' + "9" * 5000 + '"']
)
def test_anything_else_to_match_is_refused_and_never_passed_over(header: str) -> None:
    with pytest.raises(Invalid):
        version_to_match(request(("if-match", header)))
