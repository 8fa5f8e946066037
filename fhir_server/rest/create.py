"""Create and update.

https://hl7.org/fhir/R4/http.html#create, https://hl7.org/fhir/R4/http.html#update
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fhir_server import amend
from fhir_server.access import Access
from fhir_server.errors import Invalid, NotSupported, Unprocessable
from fhir_server.model import json
from fhir_server.model.validate import judge
from fhir_server.record import Stored
from fhir_server.rest.exchange import Ask, Service
from fhir_server.rest.formats import FHIR_JSON, body_of, require_json, version_headers, version_in

Tree = dict[str, Any]


async def create(service: Service, request: Request, access: Access) -> Ask:
    """Ask for a new resource; the server gives the id. 201 with Location."""
    require_json(request)
    resource_type = request.path_params["type"]
    if "if-none-exist" in request.headers:
        raise NotSupported.of(
            "Conditional create is not supported.", diagnostics="Leave out If-None-Exist."
        )
    tree = judged(await body_of(request), resource_type)

    def render(stored: Stored) -> Response:
        location = f"{service.base}/{stored.reference}/_history/{stored.version}"
        headers = version_headers(stored) | {"Location": location}
        return Response(stored.body, 201, headers, media_type=FHIR_JSON)

    return Ask(lambda: amend.create(service.record, access, tree), render)


async def update(service: Service, request: Request, access: Access) -> Ask:
    """Ask for the next version of a resource that exists; If-Match guards against a lost update."""
    require_json(request)
    resource_type, id_ = request.path_params["type"], request.path_params["id"]
    if_match = request.headers.get("if-match")
    version = None if if_match is None else version_in(if_match)
    tree = judged(await body_of(request), resource_type)
    if tree.get("id") != id_:
        raise Invalid.of(
            "The id in the body is not the id in the address.", expression=f"{resource_type}.id"
        )

    def render(stored: Stored) -> Response:
        headers = version_headers(stored)
        headers["Content-Location"] = f"{service.base}/{stored.reference}/_history/{stored.version}"
        return Response(stored.body, headers=headers, media_type=FHIR_JSON)

    return Ask(lambda: amend.update(service.record, access, id_, tree, version), render)


def judged(body: bytes, resource_type: str) -> Tree:
    """Return the resource in *body*; Invalid for what is no JSON, Unprocessable for the rest."""
    content = json.decode(body)
    if not isinstance(content, dict):
        raise Invalid.of("The body has to be one FHIR resource.")
    try:
        return judge(content, resource_type)
    except Unprocessable:
        raise
    except Invalid as error:
        raise Unprocessable(*error.issues) from None
