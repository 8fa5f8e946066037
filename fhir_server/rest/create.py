"""Create.

https://hl7.org/fhir/R4/http.html#create
"""

from starlette.requests import Request
from starlette.responses import Response

from fhir_server import amend
from fhir_server.access import Access
from fhir_server.errors import NotSupported
from fhir_server.record import Stored
from fhir_server.rest.exchange import Ask, Service
from fhir_server.rest.formats import parameters
from fhir_server.rest.versions import version_address
from fhir_server.rest.writing import sent, written


async def create(service: Service, request: Request, access: Access) -> Ask:
    """Ask for a new resource; the server gives the id, whatever the body says. 201 with Location.

    Raises NotSupported for a conditional create.
    """
    parameters(request)
    if "if-none-exist" in request.headers:
        raise NotSupported.of(
            "Conditional create is not supported.", diagnostics="Leave out If-None-Exist."
        )
    tree = await sent(request, request.path_params["type"], service.base)

    def render(stored: Stored) -> Response:
        location = {"Location": version_address(service.base, stored)}
        return written(request, stored, 201, location, "The resource was created.")

    return Ask(lambda: amend.create(service.record, access, tree), render)
