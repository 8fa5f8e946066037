"""One AuditEvent of this server as a value.

https://hl7.org/fhir/R4/auditevent.html in the shape that `fhir_server.audit.event` gives it: the
person first, if there is one, then the application, then the server.
"""

from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from fhir_server.audit.participants import ORGANIZATION
from portal_api.london import Moment, moment

Tree = dict[str, Any]

DONE, REFUSED, FAILED = "0", "4", "8"
_WITHOUT_PERSON = 2
"""Agents of an entry that names no person: the application and the server."""


@dataclass(frozen=True, slots=True)
class Access:
    """One entry of the ledger; what it does not say is empty."""

    when: Moment
    subtype: str
    display: str
    """What was done, in the ledger's words."""
    outcome: str
    reason: str
    user: str
    name: str
    role: str
    organization: str
    client: str
    purpose: str
    entity: str
    patient: str
    relationship: str
    request_id: str
    times: int = 1
    """How many entries alike this one stands for."""


def access(tree: Tree) -> Access:
    """Return an AuditEvent of this server as a value."""
    requestor = next((one for one in tree["agent"] if one.get("requestor")), tree["agent"][0])
    subtype = tree.get("subtype", [tree["type"]])[0]
    when = moment(tree["recorded"])
    if when is None:
        raise ValueError("an entry of the ledger has a time")
    patient, relationship = _patient(tree)
    return Access(
        when=when,
        subtype=subtype["code"],
        display=subtype.get("display", subtype["code"]),
        outcome=tree.get("outcome", ""),
        reason=tree.get("outcomeDesc", ""),
        user=_who(requestor),
        name=requestor.get("name", ""),
        role=_role(requestor),
        organization=_organization(requestor),
        client=_who(tree["agent"][1]) if len(tree["agent"]) > _WITHOUT_PERSON else "",
        purpose=_purpose(requestor),
        entity=_entity(tree),
        patient=patient,
        relationship=relationship,
        request_id=_request_id(tree),
    )


def _who(agent: Tree) -> str:
    who = agent.get("who", {})
    return str(who.get("reference") or who.get("identifier", {}).get("value", ""))


def _role(agent: Tree) -> str:
    for concept in agent.get("role", ()):
        for coding in concept.get("coding", ()):
            return str(coding.get("code", ""))
    return ""


def _organization(agent: Tree) -> str:
    for extension in agent.get("extension", ()):
        if extension.get("url") == ORGANIZATION:
            return str(extension.get("valueString", ""))
    return ""


def _purpose(agent: Tree) -> str:
    for concept in agent.get("purposeOfUse", ()):
        for coding in concept.get("coding", ()):
            return str(coding.get("code", ""))
    return ""


def _kind(entity: Tree) -> tuple[str, str]:
    return entity.get("type", {}).get("code", ""), entity.get("role", {}).get("code", "")


def _entity(tree: Tree) -> str:
    for entity in tree.get("entity", ()):
        what = entity.get("what", {})
        if _kind(entity) == ("2", "4"):
            named = what.get("reference") or what.get("type")
            return str(named or what.get("identifier", {}).get("value", ""))
        if _kind(entity) == ("2", "24"):
            return _searched(entity)
    return ""


def _searched(entity: Tree) -> str:
    """Return the type that a search was for: what was searched for in it is not shown."""
    asked = b64decode(entity.get("query", "")).decode(errors="replace")
    return asked.partition("?")[0]


def _patient(tree: Tree) -> tuple[str, str]:
    for entity in tree.get("entity", ()):
        if _kind(entity) == ("1", "1"):
            details = {one["type"]: one.get("valueString", "") for one in entity.get("detail", ())}
            reference = entity.get("what", {}).get("reference", "")
            return reference.removeprefix("Patient/"), details.get("relationship", "")
    return "", ""


def _request_id(tree: Tree) -> str:
    for entity in tree.get("entity", ()):
        if entity.get("type", {}).get("code") == "XrequestId":
            return str(entity.get("what", {}).get("identifier", {}).get("value", ""))
    return ""
