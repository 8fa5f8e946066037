"""Read and vread.

https://hl7.org/fhir/R4/http.html#read, https://hl7.org/fhir/R4/http.html#vread
"""

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.access import Access
from fhir_server.errors import NotFound
from fhir_server.record import Stored
from fhir_server.rest.exchange import Ask, Service
from fhir_server.rest.formats import FHIR_JSON, require_json, version_headers


async def read(service: Service, request: Request, access: Access) -> Ask:
    """Ask for the current version of one resource; 304 where the caller holds it already."""
    require_json(request)
    resource_type, id_ = request.path_params["type"], request.path_params["id"]
    held = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}

    def render(stored: Stored) -> Response:
        headers = version_headers(stored)
        if headers["ETag"] in held or "*" in held:
            return Response(status_code=304, headers=headers)
        return Response(stored.body, headers=headers, media_type=FHIR_JSON)

    return Ask(lambda: service.record.read(access, resource_type, id_), render)


async def vread(service: Service, request: Request, access: Access) -> Ask:
    """Ask for one version of one resource."""
    require_json(request)
    resource_type, id_ = request.path_params["type"], request.path_params["id"]
    text = request.path_params["version"]
    # A version that can't exist is absent like any other, so that the two answers are one.
    version = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
    return Ask(lambda: service.record.vread(access, resource_type, id_, version), resource_response)


def resource_response(stored: Stored) -> Response:
    """Return the stored bytes with their version's headers."""
    return Response(stored.body, headers=version_headers(stored), media_type=FHIR_JSON)


def absent() -> NotFound:
    """Return the answer for a place where nothing is."""
    return NotFound.of("There is nothing at this address.")
