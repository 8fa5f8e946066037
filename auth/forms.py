"""Forms and query strings, read strictly: bounded, and with one meaning only."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from fhir_server.errors import Invalid, TooLarge
from fhir_server.rest.body import received

LIMIT = 16 * 1024
"""Bytes of a form or of a query string that are read."""
_FORM_TYPE = "application/x-www-form-urlencoded"
_FIELDS = 200

Pairs = list[tuple[str, str]]


async def read_form(request: Request) -> Pairs:
    """Return the fields of a form post in their order.

    Raises Invalid for another content type, for parameters in the address, and for a form that
    is not well encoded; TooLarge for one that is longer than `LIMIT`, TooSlow for one that does not
    come.
    """
    if request.url.query:
        raise Invalid.of("The parameters belong in the body, not in the address.")
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM_TYPE:
        raise Invalid.of(f"The content type must be {_FORM_TYPE}.")
    return read_pairs(await received(request, LIMIT))


def read_query(request: Request) -> Pairs:
    """Return the parameters of the address in their order. Raises as `read_form`."""
    return read_pairs(request.scope["query_string"])


def read_pairs(encoded: bytes) -> Pairs:
    """Return the fields of *encoded*, as `application/x-www-form-urlencoded`."""
    if len(encoded) > LIMIT:
        raise TooLarge.of(f"The parameters are longer than {LIMIT} bytes.")
    if not encoded:
        return []
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS,
        )
    except ValueError:
        raise Invalid.of("The parameters are not well encoded.") from None
    if any("\x00" in name or "\x00" in value for name, value in pairs):
        raise Invalid.of("The parameters are not well encoded.")
    return pairs


def once(pairs: Pairs) -> dict[str, str]:
    """Return *pairs* by name. Raises Invalid where a name comes twice (RFC 6749 section 3.1)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid.of("A parameter is repeated.")
    return found
