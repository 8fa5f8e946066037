"""What create and update share: the resource in the body, and the answer that is preferred.

https://hl7.org/fhir/R4/http.html#return
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.model.references import relative
from fhir_server.model.validate import judge
from fhir_server.record import Stored
from fhir_server.rest.body import body_of
from fhir_server.rest.formats import FHIR_JSON
from fhir_server.rest.outcome import informed
from fhir_server.rest.versions import version_headers

Tree = dict[str, Any]


async def sent(request: Request, resource_type: str, base: str) -> Tree:
    """Return the resource in the body, judged, its references to this server made relative.

    Raises as `body_of` and `judge` do.
    """
    tree: Tree = _at_home(judge(await body_of(request), resource_type), base)
    return tree


def written(
    request: Request, stored: Stored, status: int, headers: Mapping[str, str], said: str
) -> Response:
    """Return the answer to a write: the resource, or nothing, or *said*, by the header Prefer."""
    every = version_headers(stored) | dict(headers)
    match _preferred(request):
        case "minimal":
            return Response(status_code=status, headers=every)
        case "operationoutcome":
            return Response(informed(said), status, every, media_type=FHIR_JSON)
        case _:
            return Response(stored.body, status, every, media_type=FHIR_JSON)


def _preferred(request: Request) -> str:
    """Return the first `return` of Prefer, in small letters; empty where there is none.

    RFC 7240 section 2: what is not understood is passed over.
    """
    preferences = ",".join(request.headers.getlist("prefer")).lower().replace(";", ",")
    for preference in preferences.split(","):
        name, _, value = preference.partition("=")
        if name.strip() == "return":
            return value.strip(' "')
    return ""


def _at_home(value: Any, base: str) -> Any:
    if isinstance(value, list):
        return [_at_home(one, base) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: relative(inner, base)
        if name == "reference" and isinstance(inner, str)
        else _at_home(inner, base)
        for name, inner in value.items()
    }
