"""What this server does, said for machines: the CapabilityStatement.

https://hl7.org/fhir/R4/capabilitystatement.html, and for the OAuth addresses
https://hl7.org/fhir/smart-app-launch/conformance.html. Made from the tables that rule the
server, so that nothing is claimed that it does not do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.access import Interaction
from fhir_server.errors import FhirError, NotSupported
from fhir_server.model import json
from fhir_server.rest.exchange import Answer, Service, request_id_of
from fhir_server.rest.formats import SAFE, answer_type, parameters
from fhir_server.rest.interactions import INTERACTIONS, parameters_of
from fhir_server.rest.outcome import refusal
from fhir_server.search.parameters import PARAMETERS
from fhir_server.search.sorts import includes

Tree = dict[str, Any]

_DOCUMENTATION = (
    "Every parameter that is not listed is refused. A record is one patient's: `patient` and "
    "`subject` find what is in it, and Patient/[id]/[type] does the same. A result that is held "
    "back for now answers as one that does not exist."
)

_CREATE = {"code": str(Interaction.CREATE)}


@dataclass(frozen=True, slots=True)
class Beside:
    """What others serve at the same address, for the CapabilityStatement to tell.

    *interactions* are with the whole system (`transaction`); *created* are further types that are
    taken and not kept as such; *operations* are by name, each with the URL of its definition.
    """

    interactions: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    operations: tuple[tuple[str, str], ...] = ()


NOTHING_BESIDE = Beside()


def capability(service: Service, beside: Beside = NOTHING_BESIDE) -> Answer:
    """Return the endpoint of `/metadata`: for anybody, without a token."""
    content = json.encode(statement(service.base, beside))

    async def metadata(request: Request) -> Response:
        try:
            content_type = answer_type(request)
            if parameters(request, "mode").get("mode", "full") != "full":
                raise NotSupported.of("The mode is full.", expression="mode")
            headers = {**SAFE, "Cache-Control": "public, max-age=3600", "Vary": "Accept"}
            response = Response(content, headers=headers, media_type=content_type)
        except FhirError as error:
            response = refusal(error)
        response.headers["X-Request-Id"] = request_id_of(request)
        return response

    return metadata


def statement(base: str, beside: Beside = NOTHING_BESIDE) -> Tree:
    """Return the CapabilityStatement of the server at *base*, and of what is served *beside* it."""
    origin = base.removesuffix("/fhir")
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-24",
        "kind": "instance",
        "software": {"name": "Portal FHIR"},
        "implementation": {"description": "Results and messages for patients", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": _DOCUMENTATION,
                "security": _security(origin),
                "resource": [
                    *(_resource(kind, done) for kind, done in INTERACTIONS.items()),
                    *({"type": kind, "interaction": [_CREATE]} for kind in beside.created),
                ],
                **_of_others(beside),
            }
        ],
    }


def _of_others(beside: Beside) -> Tree:
    described: Tree = {
        "interaction": [{"code": code} for code in beside.interactions],
        "operation": [{"name": name, "definition": url} for name, url in beside.operations],
    }
    return {name: value for name, value in described.items() if value}


def _security(origin: str) -> Tree:
    return {
        "extension": [
            {
                "extension": [
                    {"url": name, "valueUri": f"{origin}/{name}"}
                    for name in ("authorize", "token", "revoke", "introspect")
                ],
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
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


def _resource(kind: str, done: Iterable[Interaction]) -> Tree:
    described: Tree = {
        "type": kind,
        "interaction": [{"code": str(one)} for one in done],
        "versioning": "versioned-update" if Interaction.UPDATE in done else "versioned",
        "readHistory": Interaction.HISTORY in done,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "full-support",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal"],
    }
    if kind in PARAMETERS:
        described["searchInclude"] = list(includes(kind))
    described["searchParam"] = [
        {"name": name, "type": one.kind.value} for name, one in sorted(parameters_of(kind).items())
    ]
    return {name: value for name, value in described.items() if value != []}
