"""A request's headers and its peer, taken straight from the ASGI scope.

Starlette's own mapping reads every name anew at each look-up; a read by id looks up seven.
"""

from starlette.requests import Request
from starlette.types import Scope


def header(scope: Scope, name: bytes) -> str | None:
    """Return the first header of this *name*, in small letters; None where it was not sent."""
    for sent, value in scope["headers"]:
        if sent == name:
            return str(value, "latin-1")
    return None


def headers(scope: Scope, name: bytes) -> list[str]:
    """Return every header of this *name*, in small letters, in the order in which they came."""
    return [str(value, "latin-1") for sent, value in scope["headers"] if sent == name]


def network(request: Request) -> str:
    """Return the address from which *request* came, empty where it is not known."""
    client = request.scope.get("client")
    return client[0] if client else ""
