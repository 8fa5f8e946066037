"""Versions as HTTP tells them: ETag and Last-Modified, and the conditions made of them.

https://hl7.org/fhir/R4/http.html#versioning, https://hl7.org/fhir/R4/http.html#cread,
https://hl7.org/fhir/R4/http.html#concurrency
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.clock import from_micros
from fhir_server.errors import Invalid
from fhir_server.record import Stored
from fhir_server.rest.formats import FHIR_JSON, SAFE
from fhir_server.rest.headers import header, headers

_ALWAYS = [
    (name.lower().encode("ascii"), value.encode("ascii"))
    for name, value in {**SAFE, "Content-Type": FHIR_JSON}.items()
]
_TAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')


def version_headers(stored: Stored) -> dict[str, str]:
    """Return the headers of an answer about one version: ETag, Last-Modified, and `SAFE`."""
    return {
        **SAFE,
        "ETag": f'W/"{stored.version}"',
        "Last-Modified": http_date(stored.last_updated // 1_000_000),
    }


class Version(Response):
    """The answer that is one version, as it is stored, with its `version_headers`."""

    def __init__(self, stored: Stored) -> None:  # the base class would make each header anew
        self.status_code, self.background, self.body = 200, None, stored.body
        self.raw_headers = [
            *_ALWAYS,
            (b"content-length", b"%d" % len(stored.body)),
            (b"etag", b'W/"%d"' % stored.version),
            (b"last-modified", http_date(stored.last_updated // 1_000_000).encode("ascii")),
        ]


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> str:
    """Return the second since 1970 as HTTP writes dates. RFC 9110 section 5.6.7."""
    return formatdate(seconds, usegmt=True)


def version_address(base: str, stored: Stored) -> str:
    """Return the absolute address of one version."""
    return f"{base}/{stored.reference}/_history/{stored.version}"


def version_to_match(request: Request) -> int | None:
    """Return the version that If-Match names; None where it names none, or `*`.

    Raises Invalid for anything but an ETag that this server may have given.
    """
    text = request.headers.get("if-match", "*").strip()
    if text == "*":
        return None
    tag = _TAG.fullmatch(text)
    if tag is None:
        raise Invalid.of(
            "If-Match takes the ETag that the server gave.", diagnostics='If-Match: W/"1"'
        )
    return int(tag[1])


def is_held(request: Request, stored: Stored) -> bool:
    """Tell whether the caller says that it has *stored* already: the answer is 304 then.

    If-Modified-Since counts only where there is no If-None-Match. RFC 9110 section 13.2.2
    """
    tags = headers(request.scope, b"if-none-match")
    if tags:
        held = {tag.strip().removeprefix("W/").strip('"') for tag in ",".join(tags).split(",")}
        return bool(held & {"*", str(stored.version)})
    named = header(request.scope, b"if-modified-since")
    since = _http_date(named) if named else None
    return since is not None and _is_not_newer(stored, since)


def _is_not_newer(stored: Stored, since: datetime) -> bool:
    changed = from_micros(max(stored.last_updated, stored.release_at or 0))
    # The date has whole seconds: a second version within the same one could be missed.
    if stored.version > 1:
        return changed < since
    return changed - timedelta(seconds=1) < since


def _http_date(text: str) -> datetime | None:
    """Return the instant; None for what is no date, which RFC 9110 section 13.1.3 passes over."""
    try:
        found = parsedate_to_datetime(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
