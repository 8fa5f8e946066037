"""A Bundle to Provenance: which message a report came from, and who sent it.

As of an HL7 v2 message, with two agents: who sent it, and the portal that took it apart.
https://hl7.org/fhir/R4/provenance.html
"""

from datetime import datetime
from typing import Any

from adapters.fhir_push.compositions import answering_for
from adapters.fhir_push.references import name_of, rewritten
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.code_tables import THO
from adapters.hl7v2.conversion import Key, Link

Tree = dict[str, Any]

_PARTICIPANT = f"{THO}/provenance-participant-type"
_OPERATION = {
    "system": f"{THO}/v3-DataOperation",
    "code": "CREATE",
    "display": "create",
}


def provenance(target: Key, version_at: datetime, setting: Setting) -> Tree:
    """Return the Provenance of *target*, of which this version was made at *version_at*."""
    head = setting.head
    recorded = setting.received_at or setting.sent_at or version_at
    source = f" from {head.source}" if head.source else ""
    event = (head.event or {}).get("eventCoding", _OPERATION)
    return {
        "resourceType": "Provenance",
        "target": [{"reference": Link(target)}],
        "recorded": recorded.isoformat(),
        "activity": {"coding": [dict(event)]},
        "agent": [
            _agent("author", _sender(setting)),
            _agent("assembler", {"display": "Portal FHIR, which took the Bundle apart"}),
        ],
        "entity": [
            {
                "role": "source",
                "what": {
                    "identifier": {"value": head.control_id},
                    "display": f"FHIR {head.kind}{source}",
                },
            }
        ],
    }


def _agent(kind: str, who: Tree) -> Tree:
    return {"type": {"coding": [{"system": _PARTICIPANT, "code": kind}]}, "who": who}


def _sender(setting: Setting) -> Tree:
    """Return who sent it: whom MessageHeader.sender names, or who answers for the document.

    Else the feed's organisation.
    """
    first = setting.entries[0]
    is_message = first.type == "MessageHeader"
    sender = first.tree.get("sender") if is_message else answering_for(setting.entries)
    if sender is None:
        return {"display": setting.sender}
    who: Tree = rewritten({"who": sender}, first, setting.rewriting)["who"]
    target = setting.rewriting.index.target(sender.get("reference", ""), first)
    name = name_of(target.tree) if target is not None else ""
    return {"display": name, **who} if name else who
