"""Read and vread.

https://hl7.org/fhir/R4/http.html#read, https://hl7.org/fhir/R4/http.html#vread
"""

from starlette.requests import Request
from starlette.responses import Response

from fhir_server import looks
from fhir_server.record import Stored
from fhir_server.rest.exchange import Plan
from fhir_server.rest.formats import parameters
from fhir_server.rest.versions import Version, is_held, version_headers


def read(request: Request) -> Plan:
    """Ask for the current version of one resource; 304 where the caller holds it already."""
    parameters(request)

    def render(stored: Stored) -> Response:
        # Only who may see it comes here: what is not theirs is 404, whatever they say they hold.
        if is_held(request, stored):
            return Response(status_code=304, headers=version_headers(stored))
        return Version(stored)

    return Plan(looks.at(request.path_params["type"], request.path_params["id"]), render)


def vread(request: Request) -> Plan:
    """Ask for one version of one resource."""
    parameters(request)
    text = request.path_params["version"]
    # A version that can't exist is absent like any other, so that the two answers are one.
    version = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
    look = looks.at_version(request.path_params["type"], request.path_params["id"], version)
    return Plan(look, Version)
