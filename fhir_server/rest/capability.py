"""What this server does, said for machines: the CapabilityStatement.

https://hl7.org/fhir/R4/capabilitystatement.html, and for the OAuth addresses
https://hl7.org/fhir/smart-app-launch/conformance.html. Made from the tables that rule the
server, so that nothing is claimed that it does not do.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.model import json
from fhir_server.model.validate import SERVED_TYPES
from fhir_server.rest.exchange import Service, request_id_of
from fhir_server.rest.formats import FHIR_JSON
from fhir_server.search.audit_query import AUDIT_PARAMETERS
from fhir_server.search.parameters import PARAMETERS
from fhir_server.search.sorts import includes

Tree = dict[str, Any]

_INTERACTIONS = ("read", "vread", "history-instance", "search-type", "create", "update")
_INTERACTIONS_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"AuditEvent": ("read", "search-type"), "Provenance": _INTERACTIONS[:4]}
)


def capability(service: Service) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of `/metadata`: for anybody, without a token."""
    content = json.encode(statement(service.base))

    async def metadata(request: Request) -> Response:
        headers = {"Cache-Control": "public, max-age=3600", "X-Request-Id": request_id_of(request)}
        return Response(content, headers=headers, media_type=FHIR_JSON)

    return metadata


def statement(base: str) -> Tree:
    """Return the CapabilityStatement of the server at *base*."""
    origin = base.removesuffix("/fhir")
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-24",
        "kind": "instance",
        "software": {"name": "Portal FHIR"},
        "implementation": {"description": "Results and messages for patients", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(origin),
                "resource": [_resource(kind) for kind in sorted(SERVED_TYPES)],
            }
        ],
    }


def _security(origin: str) -> Tree:
    return {
        "extension": [
            {
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                "extension": [
                    {"url": name, "valueUri": f"{origin}/{name}"}
                    for name in ("authorize", "token", "revoke", "introspect")
                ],
            }
        ],
        "cors": True,
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "SMART-on-FHIR",
                    }
                ]
            }
        ],
    }


def _resource(kind: str) -> Tree:
    codes = _INTERACTIONS_OF.get(kind, _INTERACTIONS)
    parameters = AUDIT_PARAMETERS if kind == "AuditEvent" else PARAMETERS.get(kind, {})
    described: Tree = {
        "type": kind,
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned" if kind == "AuditEvent" else "versioned-update",
        "readHistory": kind != "AuditEvent",
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "not-match",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal"],
    }
    if includes(kind):
        described["searchInclude"] = list(includes(kind))
    described["searchParam"] = [
        {"name": name, "type": one.kind.value} for name, one in sorted(parameters.items())
    ]
    return described
