"""Search within a type, or within a type in one patient's record; by GET and by POST.

https://hl7.org/fhir/R4/http.html#search
"""

import re
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from fhir_server import searching
from fhir_server.access import Access
from fhir_server.audit.subtypes import SUBTYPES
from fhir_server.errors import Invalid, NotFound
from fhir_server.rest.body import form_of
from fhir_server.rest.bundle import bundle, entry
from fhir_server.rest.exchange import Ask, Service, keep_form, query_of
from fhir_server.rest.formats import FHIR_JSON, SAFE, require_format
from fhir_server.search.audit_query import AuditQuery, parse_audit
from fhir_server.search.query import Query, parse
from fhir_server.searching import Page

_MOST = 200
"""Parameters that are looked at at all."""
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


async def search(service: Service, request: Request, access: Access) -> Ask:
    """Ask for the resources of a type that match the parameters in the address."""
    return _ask(service, request, access, query_of(request))


async def search_by_post(service: Service, request: Request, access: Access) -> Ask:
    """Ask the same with parameters in a form; those in the address, if any, count as well."""
    keep_form(request, await form_of(request))
    return _ask(service, request, access, query_of(request))


async def search_in_record(service: Service, request: Request, access: Access) -> Ask:
    """Ask for the resources of a type in the record of one patient: `Patient/[id]/[type]?…`.

    The same search as with `patient=[id]`, and so as empty for somebody else as for nobody.
    """
    patient = request.path_params["patient"]
    if not _ID.fullmatch(patient):
        raise NotFound.of("There is nothing at this address.")
    raw = "&".join(filter(None, (f"patient={patient}", query_of(request))))
    return _ask(service, request, access, raw)


def _ask(service: Service, request: Request, access: Access, raw: str) -> Ask:
    resource_type, pairs = request.path_params["type"], _pairs(raw)
    for name, value in pairs:
        if name == "_format":
            require_format(value)
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
        return parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except ValueError:
        raise Invalid.of(
            f"The parameters are not properly percent-encoded UTF-8, or more than {_MOST}."
        ) from None


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
