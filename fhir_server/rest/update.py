"""Update.

https://hl7.org/fhir/R4/http.html#update
"""

from starlette.requests import Request
from starlette.responses import Response

from fhir_server import amend
from fhir_server.access import Access
from fhir_server.errors import Invalid
from fhir_server.record import Stored
from fhir_server.rest.exchange import Ask, Service
from fhir_server.rest.formats import parameters
from fhir_server.rest.versions import version_address, version_to_match
from fhir_server.rest.writing import sent, written


async def update(service: Service, request: Request, access: Access) -> Ask:
    """Ask for the next version of a resource that exists; If-Match guards against a lost update.

    Raises Invalid where the body names no id, or another than the address.
    """
    parameters(request)
    resource_type, id_ = request.path_params["type"], request.path_params["id"]
    version = version_to_match(request)
    tree = await sent(request, resource_type, service.base)
    if tree.get("id") != id_:
        raise Invalid.of(
            "The body has to have the id that is in the address.", expression=f"{resource_type}.id"
        )

    def render(stored: Stored) -> Response:
        place = {"Content-Location": version_address(service.base, stored)}
        return written(request, stored, 200, place, "The resource was updated.")

    return Ask(lambda: amend.update(service.record, access, id_, tree, version), render)
