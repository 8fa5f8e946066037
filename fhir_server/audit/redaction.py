"""An entry of the ledger as its patient gets it: what they may not know of others is left out.

The text of a search is the searcher's, and may name other people; a member of staff stands by role
and organisation. What was left out is marked, as HL7 has it:
https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html (REDACTED).
"""

from base64 import b64decode, b64encode
from typing import Any

from fhir_server.model import json

Tree = dict[str, Any]

_REDACTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "REDACTED",
    "display": "redacted",
}


def for_patient(body: bytes) -> bytes:
    """Return the AuditEvent *body* without what others searched for, and without their names.

    A search keeps the type that it was for, so that it is still one by its profile.
    """
    tree: Tree = json.reread(body)
    agents = [_nameless(one) for one in tree["agent"]]
    entities = [_bare(one) for one in tree.get("entity", ())]
    if (agents, entities) == (tree["agent"], list(tree.get("entity", ()))):
        return body
    meta = tree["meta"] | {"security": [_REDACTED]}
    return json.encode(tree | {"meta": meta, "agent": agents, "entity": entities})


def _nameless(agent: Tree) -> Tree:
    return {name: value for name, value in agent.items() if name != "name"}


def _bare(entity: Tree) -> Tree:
    if "query" not in entity:
        return entity
    kind, mark, _ = b64decode(entity["query"]).partition(b"?")
    return entity | {"query": b64encode(kind + mark).decode()}
