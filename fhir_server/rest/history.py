"""History of one resource.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.access import Access
from fhir_server.clock import from_micros, instant_text, micros
from fhir_server.errors import Invalid
from fhir_server.record import Stored
from fhir_server.rest.bundle import bundle, entry
from fhir_server.rest.exchange import Ask, Service
from fhir_server.rest.formats import FHIR_JSON, SAFE, parameters

MOST = 100
"""Versions in one answer."""


async def history(service: Service, request: Request, access: Access) -> Ask:
    """Ask for the versions of one resource that may be seen today, newest first.

    `_count` and `_before` (the version that the next page starts below) make pages.
    """
    given = parameters(request, "_count", "_before")
    count = max(1, min(_number("_count", given.get("_count", str(MOST))), MOST))
    before = _number("_before", given["_before"]) if "_before" in given else None
    resource_type, id_ = request.path_params["type"], request.path_params["id"]
    address = f"{service.base}/{resource_type}/{id_}/_history?_count={count}"

    def render(versions: Sequence[Stored]) -> Response:
        rest = [one for one in versions if before is None or one.version < before]
        page = rest[:count]
        links = [("self", address if before is None else f"{address}&_before={before}")]
        if len(rest) > count:
            links.append(("next", f"{address}&_before={page[-1].version}"))
        body = bundle(
            "history",
            [entry(service.base, one, _interaction(one)) for one in page],
            links=links,
            total=len(versions),
            as_of=micros(service.record.clock()),
        )
        return Response(body, headers=dict(SAFE), media_type=FHIR_JSON)

    return Ask(lambda: service.record.history(access, resource_type, id_), render)


def _number(name: str, text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    raise Invalid.of(f"{name} is a whole number.", expression=name, code="value")


def _interaction(stored: Stored) -> dict[str, object]:
    first = stored.version == 1
    return {
        "request": {
            "method": "POST" if first else "PUT",
            "url": stored.type if first else stored.reference,
        },
        "response": {
            "status": "201" if first else "200",
            "etag": f'W/"{stored.version}"',
            "lastModified": instant_text(from_micros(stored.last_updated)),
        },
    }
