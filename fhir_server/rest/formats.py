"""Formats, headers and limits of the FHIR interface: JSON only, never cached.

https://hl7.org/fhir/R4/http.html#mime-type
"""

from collections.abc import Mapping
from email.utils import format_datetime
from types import MappingProxyType

from starlette.requests import Request

from fhir_server.clock import from_micros
from fhir_server.errors import Invalid, NotSupported, TooLarge
from fhir_server.record import Stored

FHIR_JSON = "application/fhir+json; charset=utf-8"
BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of one request's body; a report with a scanned document fits."""

SAFE: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Vary": "Authorization, Origin",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
)
"""On every answer, refusals included."""

_JSON = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
_ANY = frozenset({"*/*", "application/*"})


def require_json(request: Request) -> None:
    """Raise NotSupported where the caller can read no JSON, by `_format` or else by Accept."""
    wanted = request.query_params.get("_format")
    if wanted is None:
        accepted = request.headers.get("accept", "*/*")
        kinds = {part.split(";")[0].strip().lower() for part in accepted.split(",")}
    else:
        kinds = {wanted.split(";")[0].strip().lower().replace("fhir json", "fhir+json")}
    # A browser's own Accept header ends in */*, so a person who opens an address sees the JSON.
    if not kinds & (_JSON | _ANY):
        raise NotSupported.of(
            "This server speaks FHIR as JSON only.", diagnostics="Accept: application/fhir+json"
        )


async def body_of(request: Request, *kinds: str) -> bytes:
    """Return the request's body, of a content type among *kinds* (default: JSON).

    Raises NotSupported for another type, Invalid for a compressed body, TooLarge past the limit.
    """
    sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if sent not in (kinds or _JSON):
        raise NotSupported.of(
            "The content type is not one that this server reads.",
            diagnostics="Content-Type: " + (kinds[0] if kinds else "application/fhir+json"),
        )
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Invalid.of("Please send the body as it is, not compressed.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise TooLarge.of(f"The body is larger than {BODY_LIMIT} bytes.")
    return bytes(body)


def version_headers(stored: Stored) -> dict[str, str]:
    """Return ETag and Last-Modified for a version.

    https://hl7.org/fhir/R4/http.html#versioning
    """
    modified = from_micros(stored.last_updated)
    return {
        **SAFE,
        "ETag": f'W/"{stored.version}"',
        "Last-Modified": format_datetime(modified, usegmt=True),
    }


def version_in(tag: str) -> int:
    """Return the version that an entity tag names. Raises Invalid for anything but W/"n"."""
    text = tag.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit():
        raise Invalid.of(
            "If-Match takes the ETag that the server gave.", diagnostics='If-Match: W/"1"'
        )
    return int(text)
