"""Search within a type, by GET and by POST.

https://hl7.org/fhir/R4/http.html#search
"""

from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from fhir_server import searching
from fhir_server.access import Access
from fhir_server.audit.subtypes import SUBTYPES
from fhir_server.errors import Invalid
from fhir_server.rest.bundle import bundle, entry
from fhir_server.rest.exchange import Ask, Service
from fhir_server.rest.formats import FHIR_JSON, SAFE, body_of, require_json
from fhir_server.search.audit_query import AuditQuery, parse_audit
from fhir_server.search.query import Query, parse
from fhir_server.searching import Page

_FORM = "application/x-www-form-urlencoded"


async def search(service: Service, request: Request, access: Access) -> Ask:
    """Ask for the resources of a type that match the parameters in the address."""
    require_json(request)
    return _ask(service, request, access, str(request.url.query))


async def search_by_post(service: Service, request: Request, access: Access) -> Ask:
    """Ask the same with parameters in a form; those in the address, if any, count as well."""
    require_json(request)
    body = await body_of(request, _FORM)
    try:
        form = body.decode("ascii")
    except UnicodeDecodeError:
        raise Invalid.of("The form is not percent-encoded ASCII.") from None
    return _ask(service, request, access, "&".join(filter(None, (str(request.url.query), form))))


def _ask(service: Service, request: Request, access: Access, raw: str) -> Ask:
    resource_type, pairs = request.path_params["type"], _pairs(raw)
    query: Query | AuditQuery
    if resource_type == "AuditEvent":
        query = parse_audit(pairs, service.base, SUBTYPES)
    else:
        query = parse(resource_type, pairs, service.base)

    def render(page: Page) -> Response:
        return Response(_bundle(service, query, page), headers=dict(SAFE), media_type=FHIR_JSON)

    return Ask(lambda: searching.search(service.record, access, query, raw), render)


def _pairs(raw: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError:
        raise Invalid.of("The parameters are not properly percent-encoded.") from None


def _bundle(service: Service, query: Query | AuditQuery, page: Page) -> bytes:
    address = f"{service.base}/{query.resource_type}"
    links = [("self", _joined(address, query.canonical()))]
    if page.next:
        following = urlencode({"_page": page.next})
        links.append(
            ("next", _joined(address, "&".join(filter(None, (query.canonical(), following)))))
        )
    found = [("match", one) for one in page.matches] + [("include", one) for one in page.included]
    return bundle(
        "searchset",
        [entry(service.base, one, {"search": {"mode": mode}}) for mode, one in found],
        links=links,
        total=page.total,
        as_of=page.as_of,
    )


def _joined(address: str, query: str) -> str:
    return f"{address}?{query}" if query else address
