"""A body has so many bytes, and so much time to arrive."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from fhir_server.errors import FhirError, Invalid, TooLarge, TooSlow
from fhir_server.rest import body
from fhir_server.rest.body import BODY_LIMIT, FORM_LIMIT, body_of, form_of

FORM = "application/x-www-form-urlencoded"


def request(chunks: Iterator[bytes | None], kind: str, length: str = "") -> Request:
    """Return a request whose body comes in *chunks*; None for one that never comes."""
    headers = [(b"content-type", kind.encode())]
    if length:
        headers.append((b"content-length", length.encode()))

    async def receive() -> dict[str, Any]:
        chunk = next(chunks, b"")
        if chunk is None:
            await asyncio.Event().wait()
        if chunk == b"hangs up":
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": chunk != b""}

    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def read(chunks: list[bytes | None], length: str = "") -> bytes:
    return asyncio.run(body_of(request(iter(chunks), "application/fhir+json", length)))


def test_a_body_is_read_whole_however_it_is_cut() -> None:
    assert read([b'{"a"', b":1", b"}"]) == b'{"a":1}'
    assert read([]) == b""


def test_a_body_of_the_largest_size_is_read_and_one_byte_more_is_not() -> None:
    chunk = b"x" * (1024 * 1024)
    assert len(read([chunk] * 16)) == BODY_LIMIT
    with pytest.raises(TooLarge):
        read([chunk] * 16 + [b"x"])


def test_a_body_that_says_that_it_is_too_large_is_not_read_at_all() -> None:
    for length in (str(BODY_LIMIT + 1), "9" * 40):
        with pytest.raises(TooLarge):
            read([None], length)


def test_a_body_without_end_is_cut_off_at_the_limit() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 65536

    with pytest.raises(TooLarge):
        asyncio.run(body_of(request(endless(), "application/fhir+json")))
    assert taken == BODY_LIMIT // 65536 + 1


def test_a_body_that_does_not_come_is_waited_for_no_longer_than_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body, "BODY_DEADLINE", 0.01)
    with pytest.raises(TooSlow) as refusal:
        read([b"{", None])
    assert refusal.value.issues[0].code == "timeout"


def test_a_caller_who_hangs_up_is_no_fault_of_ours() -> None:
    with pytest.raises(Invalid):
        read([b"{", b"hangs up"])


@pytest.mark.parametrize(
    ("sent", "kind"),
    [([b"code=\xff"], Invalid), ([b"a" * FORM_LIMIT, b"a"], TooLarge), ([b"hangs up"], Invalid)],
)
def test_a_form_has_limits_of_its_own(sent: list[bytes], kind: type[FhirError]) -> None:
    with pytest.raises(kind):
        asyncio.run(form_of(request(iter(sent), FORM)))


def test_a_form_is_returned_as_it_was_encoded() -> None:
    asked = request(iter([b"code=a%7C", b"b&x=%20"]), FORM)
    assert asyncio.run(form_of(asked)) == "code=a%7Cb&x=%20"
