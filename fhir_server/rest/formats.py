"""Formats and headers of the FHIR interface: JSON only, never cached.

https://hl7.org/fhir/R4/http.html#mime-type
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from starlette.requests import Request

from fhir_server.errors import Invalid, NotAcceptable, UnsupportedMedia
from fhir_server.rest.headers import headers

FHIR_JSON = "application/fhir+json; charset=utf-8"
FORM = "application/x-www-form-urlencoded"

SAFE: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Vary": "Accept, Authorization",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
)
"""On every answer, refusals included; who lets pages of other origins in varies by Origin too."""

_FHIR = frozenset({"application/fhir+json", "json"})
_GENERIC = frozenset({"application/json", "text/json"})
_ANY = frozenset({"*/*", "application/*"})
_VERSIONS = frozenset({"4.0", "4.0.1"})
_NONE = re.compile(r"0(\.0*)?")
"""The quality of what is not wanted. RFC 9110 section 12.4.2."""
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}")


def answer_type(request: Request) -> str:
    """Return the content type to answer with, by `_format` or else by Accept.

    FHIR's own, unless the caller named a generic one alone. A browser's Accept ends in `*/*`, so a
    person who opens an address sees the JSON. Raises NotAcceptable where the caller reads no JSON
    of FHIR R4, Invalid for a `_format` given twice.
    """
    formats = request.query_params.getlist("_format") if request.scope["query_string"] else []
    if len(formats) > 1:
        raise Invalid.of("_format is given twice.", expression="_format")
    if formats:
        require_format(formats[0])
        return FHIR_JSON
    return _accepted(",".join(headers(request.scope, b"accept")) or "*/*")


@lru_cache(maxsize=256)
def _accepted(accepted: str) -> str:
    kinds = [kind for kind in map(_readable, accepted.split(",")) if kind]
    if not kinds:
        raise NotAcceptable.of(
            "This server speaks FHIR R4 as JSON only.",
            diagnostics="Accept: application/fhir+json",
        )
    generic = _GENERIC.issuperset(kinds)
    return f"{kinds[0]}; charset=utf-8" if generic else FHIR_JSON


def require_format(wanted: str) -> None:
    """Raise NotAcceptable where *wanted*, the value of `_format`, is no JSON of FHIR R4."""
    # A plus sign that is not encoded arrives as a space.
    kind = _readable(wanted.strip().replace(" ", "+"))
    if not kind or kind in _ANY:
        raise NotAcceptable.of(
            "This server speaks FHIR R4 as JSON only.",
            expression="_format",
            diagnostics="_format=json",
        )


def require_sent_as(request: Request, *kinds: str) -> None:
    """Raise UnsupportedMedia where the body is of none of *kinds* (default: JSON), or compressed.

    RFC 9110 section 15.5.16
    """
    kind, parameters = _media(request.headers.get("content-type", ""))
    known = frozenset(kinds) or _FHIR | _GENERIC
    if kind not in known or parameters.get("charset", "utf-8") not in {"utf-8", "us-ascii"}:
        raise UnsupportedMedia.of(
            "The content type is not one that this server reads.",
            diagnostics=f"Content-Type: {kinds[0] if kinds else FHIR_JSON}",
        )
    if parameters.get("fhirversion", "4.0") not in _VERSIONS:
        raise UnsupportedMedia.of("This server reads FHIR R4.", diagnostics="fhirVersion=4.0")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMedia.of("Please send the body as it is, not compressed.")


def parameters(request: Request, *known: str) -> dict[str, str]:
    """Return the parameters of an address that is no search, but for `_format`.

    Raises Invalid for one that is not *known*, which would be passed over, or is given twice.
    """
    found: dict[str, str] = {}
    if not request.scope["query_string"]:
        return found
    for name, value in request.query_params.multi_items():
        expression = name if _WORD.fullmatch(name) else ""
        if name not in {*known, "_format"}:
            raise Invalid.of("This address does not take that parameter.", expression)
        if name in found:
            raise Invalid.of(f"{name} is given twice.", expression)
        found[name] = value
    found.pop("_format", None)
    return found


def _readable(text: str) -> str:
    """Return the media type of *text*, a part of Accept, if it means our JSON; else nothing."""
    kind, parameters = _media(text)
    wanted = not _NONE.fullmatch(parameters.get("q", "1"))
    ours = parameters.get("fhirversion", "4.0") in _VERSIONS
    return kind if wanted and ours and kind in _FHIR | _GENERIC | _ANY else ""


def _media(text: str) -> tuple[str, dict[str, str]]:
    """Return a media type and its parameters, in small letters. RFC 9110 section 8.3.1."""
    kind, *rest = (part.strip().lower() for part in text.split(";"))
    named = (part.partition("=") for part in rest)
    return kind, {name.strip(): value.strip(' "') for name, _, value in named}
