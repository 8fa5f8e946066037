"""The addresses of the FHIR interface: plain Starlette routes, all else refused in FHIR's words.

https://hl7.org/fhir/R4/http.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from fhir_server.access import Access, Interaction
from fhir_server.errors import NotAllowed, NotFound
from fhir_server.rest.capability import NOTHING_BESIDE, Beside, capability
from fhir_server.rest.create import create
from fhir_server.rest.exchange import (
    Answer,
    Ask,
    Interact,
    Plan,
    Planned,
    Service,
    endpoint,
    reading_endpoint,
)
from fhir_server.rest.history import history
from fhir_server.rest.interactions import INTERACTIONS, parameters_of
from fhir_server.rest.read import read, vread
from fhir_server.rest.search import search, search_by_post, search_in_record
from fhir_server.rest.update import update


@dataclass(frozen=True, slots=True)
class Does:
    """What a method asks for, in the ledger's word, and what carries it out for a known caller."""

    interaction: Interaction
    interact: Interact


@dataclass(frozen=True, slots=True)
class Looks:
    """A method that asks for a short look, which its address tells all of."""

    interaction: Interaction
    plan: Planned


Methods = Mapping[str, Does | Looks]

_ONE = "/{type}/{id}"
ADDRESSES: Mapping[str, Methods] = MappingProxyType(
    {
        _ONE: {"GET": Looks(Interaction.READ, read), "PUT": Does(Interaction.UPDATE, update)},
        "/{type}/_search": {"POST": Does(Interaction.SEARCH, search_by_post)},
        "/{type}": {
            "GET": Does(Interaction.SEARCH, search),
            "POST": Does(Interaction.CREATE, create),
        },
        "/{type}/{id}/_history": {"GET": Does(Interaction.HISTORY, history)},
        "/{type}/{id}/_history/{version}": {"GET": Looks(Interaction.VREAD, vread)},
        "/Patient/{patient}/{type}": {"GET": Does(Interaction.SEARCH, search_in_record)},
    }
)
"""Address to method to what it asks for, in the ledger's word, and what carries it out."""


_OF_ONE = r"/(?P<type>(?!\.well-known/)[^/]+)/(?P<id>(?!_search$)[^/]+)$"


def routes(service: Service, prefix: str, beside: Beside = NOTHING_BESIDE) -> list[BaseRoute]:
    """Return the routes below *prefix* (`/fhir`), the refusal of everything else among them.

    The first, of single resources, takes no address of anything else: it may come first of all.
    *beside* is what others serve there, by routes that stand before the others of these.
    """
    refused = endpoint(service, "request", _nothing_here)
    one, *others = (
        _route(prefix + address, _answers(service, methods))
        for address, methods in ADDRESSES.items()
    )
    return [
        one,
        _route(f"{prefix}/metadata", _metadata(service, beside)),
        *others,
        _all_below(prefix, refused),
        _route(prefix, refused),
    ]


class _EveryMethod:
    """An endpoint that answers itself to methods that it does not know: an ASGI application."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)


def _route(path: str, answer: Answer) -> Route:
    route = Route(path, _EveryMethod(answer), name=path)
    if path.endswith(_ONE):
        one = re.escape(path.removesuffix(_ONE)) + _OF_ONE
        route.path_regex = re.compile(one)
    return route


def _all_below(prefix: str, answer: Answer) -> Route:
    route = _route(prefix + "/{rest:path}", answer)
    # Starlette's own pattern ends at a line break, and what lies behind would not be ours.
    route.path_regex = re.compile(f"^{re.escape(prefix)}/(?P<rest>.*)$", re.DOTALL)
    return route


def _metadata(service: Service, beside: Beside) -> Answer:
    return _by_method(
        {"GET": capability(service, beside)}, endpoint(service, "request", _refusing(["GET"]))
    )


def _answers(service: Service, methods: Methods) -> Answer:
    carried = {method: _answer_to(service, what, methods) for method, what in methods.items()}
    return _by_method(carried, endpoint(service, "request", _of_no_such_method(methods)))


def _answer_to(service: Service, what: Does | Looks, methods: Methods) -> Answer:
    """Return the endpoint of one method, for the types alone that have its interaction."""

    def check(request: Request) -> None:
        if what.interaction not in _served(request):
            raise _refusal(methods, request)

    if isinstance(what, Looks):
        plan = what.plan

        def checked_plan(request: Request) -> Plan:
            check(request)
            return plan(request)

        return reading_endpoint(service, what.interaction, checked_plan)
    interact = what.interact

    async def checked(service: Service, request: Request, access: Access) -> Ask:
        check(request)
        return await interact(service, request, access)

    return endpoint(service, what.interaction, checked)


def _by_method(carried: Mapping[str, Answer], otherwise: Answer) -> Answer:
    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await carried.get(method, otherwise)(request)

    return answer


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
    allowed = [method for method, what in methods.items() if what.interaction in served]
    return _not_allowed(allowed) if allowed else NotFound.of("There is nothing at this address.")


def _not_allowed(allowed: Iterable[str]) -> NotAllowed:
    names = [name for one in allowed for name in ((one, "HEAD") if one == "GET" else (one,))]
    return NotAllowed.of(
        "This address does not take that method.", diagnostics=f"Allow: {', '.join(names)}"
    )
