"""What this server does, said for machines: the CapabilityStatement.

https://hl7.org/fhir/R4/capabilitystatement.html, and for the OAuth addresses
https://hl7.org/fhir/smart-app-launch/conformance.html. Made from the tables that rule the
server, so that nothing is claimed that it does not do.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.model import json
from fhir_server.model.validate import SERVED_TYPES
from fhir_server.rest.exchange import Service, request_id_of
from fhir_server.rest.formats import FHIR_JSON
from fhir_server.search.parameters import PARAMETERS, Kind

Tree = dict[str, Any]

_INTERACTIONS = ("read", "vread", "history-instance", "search-type", "create", "update")
_READ_ONLY = frozenset({"AuditEvent", "Provenance"})
_LEDGER = ("read", "search-type")


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
    codes = _INTERACTIONS
    if kind in _READ_ONLY:
        codes = _LEDGER if kind == "AuditEvent" else _INTERACTIONS[:4]
    parameters = PARAMETERS.get(kind, {})
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
    includes = sorted(
        f"{kind}:{one.name}" for one in parameters.values() if one.kind is Kind.REFERENCE
    )
    if includes:
        described["searchInclude"] = includes
    described["searchParam"] = [
        {"name": name, "type": _kind(one.kind)} for name, one in sorted(parameters.items())
    ]
    return described


def _kind(kind: Kind) -> str:
    return "token" if kind.value == "special" else str(kind.value)
