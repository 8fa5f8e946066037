"""The body of a request, with a limit of bytes and one of time."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from fhir_server.errors import Invalid, TooLarge, TooSlow
from fhir_server.rest.formats import FORM, require_sent_as

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of one request's body; a report with a scanned document fits."""
FORM_LIMIT = 1024 * 1024
"""Bytes of a search sent as a form; the longest that is understood fits."""
BODY_DEADLINE = 60.0
"""Seconds in which a body has to be here."""


async def body_of(request: Request) -> bytes:
    """Return the JSON sent with *request*, not yet read.

    Raises UnsupportedMedia for another content type or a compressed body, TooLarge past the limit,
    TooSlow past the deadline, Invalid where the caller hangs up.
    """
    require_sent_as(request)
    return await received(request, BODY_LIMIT)


async def form_of(request: Request) -> str:
    """Return the form sent with *request*, still percent-encoded. Raises as `body_of` does."""
    require_sent_as(request, FORM)
    body = await received(request, FORM_LIMIT)
    try:
        return body.decode("ascii")
    except UnicodeDecodeError:
        raise Invalid.of("The form is not percent-encoded ASCII.") from None


async def received(request: Request, limit: int) -> bytes:
    """Return the body of *request*, whatever it is, of *limit* bytes at most.

    Raises TooLarge past the limit, TooSlow past the deadline, Invalid where the caller hangs up.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced[:20]) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise TooSlow.of(f"The body was not here within {BODY_DEADLINE:.0f} seconds.") from None
    except ClientDisconnect:
        raise Invalid.of("The body ended before it was whole.") from None
    return bytes(body)


def _too_large(limit: int) -> TooLarge:
    return TooLarge.of(f"The body is larger than {limit} bytes.")
