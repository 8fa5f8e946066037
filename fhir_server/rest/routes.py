"""The addresses of the FHIR interface: plain Starlette routes, all else refused in FHIR's words.

https://hl7.org/fhir/R4/http.html
"""

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from fhir_server.access import Access
from fhir_server.errors import NotAllowed, NotFound
from fhir_server.model.validate import SERVED_TYPES
from fhir_server.rest.capability import capability
from fhir_server.rest.create import create, update
from fhir_server.rest.exchange import Ask, Interact, Service, endpoint
from fhir_server.rest.history import history
from fhir_server.rest.read import read, vread
from fhir_server.rest.search import search, search_by_post

_TYPE = "/{type:str}"
_INSTANCE = _TYPE + "/{id:str}"

INTERACTIONS: tuple[tuple[str, str, str, Interact], ...] = (
    ("GET", _TYPE, "search-type", search),
    ("POST", _TYPE + "/_search", "search-type", search_by_post),
    ("POST", _TYPE, "create", create),
    ("GET", _INSTANCE, "read", read),
    ("PUT", _INSTANCE, "update", update),
    ("GET", _INSTANCE + "/_history", "history-instance", history),
    ("GET", _INSTANCE + "/_history/{version:str}", "vread", vread),
)
"""Method, address, the ledger's word for it, and what carries it out."""


def routes(service: Service, prefix: str) -> list[BaseRoute]:
    """Return the routes below *prefix* (`/fhir`), the refusal of everything else among them."""
    known = [
        Route(
            prefix + path,
            endpoint(service, subtype, _of_a_served_type(interact, method, path)),
            methods=[method],
        )
        for method, path, subtype, interact in INTERACTIONS
    ]
    return [
        Route(f"{prefix}/metadata", capability(service), methods=["GET"]),
        *known,
        Route(prefix + "/{rest:path}", endpoint(service, "request", _refused), methods=_METHODS),
        Route(prefix, endpoint(service, "request", _refused), methods=_METHODS),
    ]


_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_READ_ONLY = frozenset({"AuditEvent", "Provenance"})


def _of_a_served_type(interact: Interact, method: str, path: str) -> Interact:
    async def checked(service: Service, request: Request, access: Access) -> Ask:
        resource_type = request.path_params["type"]
        if resource_type not in SERVED_TYPES:
            raise NotFound.of("This server does not serve that resource type.")
        if resource_type in _READ_ONLY and method in {"POST", "PUT"} and "_search" not in path:
            raise _not_allowed("GET")
        return await interact(service, request, access)

    return checked


async def _refused(_service: Service, request: Request, _access: Access) -> Ask:
    parts = [part for part in request.path_params.get("rest", "").split("/") if part]
    if not parts or parts[0] in SERVED_TYPES:
        allowed = {0: "GET", 1: "GET, POST"}.get(len(parts), "GET, PUT")
        if request.method != "GET":
            raise _not_allowed(allowed)
    raise NotFound.of("There is nothing at this address.")


def _not_allowed(allow: str) -> NotAllowed:
    return NotAllowed.of("This address does not take that method.", diagnostics=f"Allow: {allow}")
