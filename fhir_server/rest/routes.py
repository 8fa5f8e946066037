"""The addresses of the FHIR interface: plain Starlette routes, all else refused in FHIR's words.

https://hl7.org/fhir/R4/http.html
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, request_response
from starlette.types import Receive, Scope, Send

from fhir_server.access import Access, Interaction
from fhir_server.errors import NotAllowed, NotFound
from fhir_server.rest.capability import capability
from fhir_server.rest.create import create
from fhir_server.rest.exchange import Answer, Ask, Interact, Service, endpoint
from fhir_server.rest.history import history
from fhir_server.rest.interactions import INTERACTIONS, parameters_of
from fhir_server.rest.read import read, vread
from fhir_server.rest.search import search, search_by_post, search_in_record
from fhir_server.rest.update import update

Methods = Mapping[str, tuple[Interaction, Interact]]

ADDRESSES: Mapping[str, Methods] = MappingProxyType(
    {
        "/{type}": {
            "GET": (Interaction.SEARCH, search),
            "POST": (Interaction.CREATE, create),
        },
        "/{type}/_search": {"POST": (Interaction.SEARCH, search_by_post)},
        "/{type}/{id}": {
            "GET": (Interaction.READ, read),
            "PUT": (Interaction.UPDATE, update),
        },
        "/{type}/{id}/_history": {"GET": (Interaction.HISTORY, history)},
        "/{type}/{id}/_history/{version}": {"GET": (Interaction.VREAD, vread)},
        "/Patient/{patient}/{type}": {"GET": (Interaction.SEARCH, search_in_record)},
    }
)
"""Address to method to what it asks for, in the ledger's word, and what carries it out."""


def routes(service: Service, prefix: str) -> list[BaseRoute]:
    """Return the routes below *prefix* (`/fhir`), the refusal of everything else among them."""
    refused = endpoint(service, "request", _nothing_here)
    return [
        _route(f"{prefix}/metadata", _metadata(service)),
        *(
            _route(prefix + address, _answers(service, methods))
            for address, methods in ADDRESSES.items()
        ),
        _all_below(prefix, refused),
        _route(prefix, refused),
    ]


class _EveryMethod:
    """An endpoint that answers itself to methods that it does not know: an ASGI application."""

    def __init__(self, answer: Answer) -> None:
        self._app = request_response(answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _route(path: str, answer: Answer) -> Route:
    return Route(path, _EveryMethod(answer), name=path)


def _all_below(prefix: str, answer: Answer) -> Route:
    route = _route(prefix + "/{rest:path}", answer)
    # Starlette's own pattern ends at a line break, and what lies behind would not be ours.
    route.path_regex = re.compile(f"^{re.escape(prefix)}/(?P<rest>.*)$", re.DOTALL)
    return route


def _metadata(service: Service) -> Answer:
    return _by_method(
        {"GET": capability(service)}, endpoint(service, "request", _refusing(["GET"]))
    )


def _answers(service: Service, methods: Methods) -> Answer:
    carried = {
        method: endpoint(service, interaction, _of_a_served_type(interact, interaction, methods))
        for method, (interaction, interact) in methods.items()
    }
    return _by_method(carried, endpoint(service, "request", _of_no_such_method(methods)))


def _by_method(carried: Mapping[str, Answer], otherwise: Answer) -> Answer:
    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await carried.get(method, otherwise)(request)

    return answer


def _of_a_served_type(interact: Interact, interaction: Interaction, methods: Methods) -> Interact:
    async def checked(service: Service, request: Request, access: Access) -> Ask:
        if interaction not in _served(request):
            raise _refusal(methods, request)
        return await interact(service, request, access)

    return checked


def _of_no_such_method(methods: Methods) -> Interact:
    async def refused(_service: Service, request: Request, _access: Access) -> Ask:
        raise _refusal(methods, request)

    return refused


def _refusing(allowed: Iterable[str]) -> Interact:
    async def refused(_service: Service, _request: Request, _access: Access) -> Ask:
        raise _not_allowed(allowed)

    return refused


async def _nothing_here(_service: Service, _request: Request, _access: Access) -> Ask:
    raise NotFound.of(
        "There is nothing at this address.", diagnostics="What there is: metadata, below the base."
    )


def _served(request: Request) -> tuple[Interaction, ...]:
    """Return what can be done with the type in the address; raise NotFound for one that is none."""
    resource_type = request.path_params["type"]
    if resource_type not in INTERACTIONS:
        raise NotFound.of("This server does not serve that resource type.", code="not-supported")
    if "patient" in request.path_params and "patient" not in parameters_of(resource_type):
        raise NotFound.of("That type is in no patient's record.", code="not-supported")
    return INTERACTIONS[resource_type]


def _refusal(methods: Methods, request: Request) -> NotAllowed | NotFound:
    served = _served(request)
    allowed = [method for method, (interaction, _) in methods.items() if interaction in served]
    return _not_allowed(allowed) if allowed else NotFound.of("There is nothing at this address.")


def _not_allowed(allowed: Iterable[str]) -> NotAllowed:
    names = [name for one in allowed for name in ((one, "HEAD") if one == "GET" else (one,))]
    return NotAllowed.of(
        "This address does not take that method.", diagnostics=f"Allow: {', '.join(names)}"
    )
