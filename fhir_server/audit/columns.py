"""An entry's columns, made from its bytes: what the ledger can be searched by, and nothing more."""

from base64 import b64decode
from datetime import datetime
from typing import Any

from fhir_server.clock import micros
from fhir_server.model import json

_PATIENT, _QUERY, _RESOURCE = ("1", "1"), ("2", "24"), ("2", "4")
_TRANSACTION = ("XrequestId", "")
_WITH_PERSON = 3
"""Agents where a person acted: the person, the application, the server; else two."""


def columns(body: bytes) -> dict[str, Any]:
    """Return the columns of `audit_entry` for this AuditEvent, all but seq and body.

    An empty text where the entry does not say. The offline verifier derives the same columns by
    itself. Raises Invalid, KeyError or ValueError for bytes that `event.encode` can't have made.
    """
    tree = json.reread(body)
    entities = {_sort(entity): entity for entity in tree.get("entity", [])}
    patient = entities.get(_PATIENT, {}).get("what", {}).get("reference", "")
    entity_type, entity = _entity(entities)
    return {
        "id": tree["id"],
        "recorded": micros(datetime.fromisoformat(tree["recorded"])),
        "patient": patient.removeprefix("Patient/"),
        "agent": _agent(tree["agent"]),
        "client": _client(tree["agent"]),
        "subtype": tree["subtype"][0]["code"],
        "outcome": tree["outcome"],
        "entity_type": entity_type,
        "entity": entity,
        "request_id": _name(entities.get(_TRANSACTION, {}).get("what", {})),
    }


def _sort(entity: dict[str, Any]) -> tuple[str, str]:
    return entity["type"]["code"], entity.get("role", {}).get("code", "")


def _entity(entities: dict[tuple[str, str], dict[str, Any]]) -> tuple[str, str]:
    if resource := entities.get(_RESOURCE):
        what = resource["what"]
        name = _name(what)
        return (name.partition("/")[0] if "reference" in what else what.get("type", "")), name
    if query := entities.get(_QUERY):
        return b64decode(query["query"]).decode(errors="replace").partition("?")[0], ""
    return "", ""


def _agent(agents: list[dict[str, Any]]) -> str:
    first = agents[0]
    return _name(first["who"]) if len(agents) == _WITH_PERSON else ""


def _client(agents: list[dict[str, Any]]) -> str:
    return _name(agents[-2]["who"])


def _name(who: dict[str, Any]) -> str:
    return str(who.get("reference") or who.get("identifier", {}).get("value", ""))
