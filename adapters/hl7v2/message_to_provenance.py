"""MSH to Provenance: which message a report came from, who sent it, and that it was converted.

The guide makes one Provenance for the source and one for the transformation; here both are agents
of one, whose target is what the message was about. Source: the guide's sheets
MSH[Provenance-Source] and MSH[Provenance-Transformation]; https://hl7.org/fhir/R4/provenance.html
"""

from datetime import datetime

from adapters.hl7v2.code_tables import THO
from adapters.hl7v2.composite import first, value
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Key, Link, Tree
from adapters.hl7v2.dates import loose_date_time
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.to_organization import reference_to_sender, reference_to_xon
from adapters.hl7v2.xcn_to_practitioner import reference_to_person

_ACTIVITY = "http://hl7.org/fhir/uv/v2mappings/CodeSystem/provenance-activity-type-v2-to-fhir"
_PARTICIPANT = f"{THO}/provenance-participant-type"
# ORC-10, -11, -12 and -19: who entered, verified, authored and performed the order.
_ORDER_AGENTS = ((10, "enterer"), (11, "verifier"), (12, "author"), (19, "performer"))


def provenance(
    header: Segment, orc: Segment | None, target: Key, recorded: datetime, context: Context
) -> Tree:
    """Return the Provenance of *target*, what a message was about; *recorded* is when it came."""
    sender = reference_to_xon(first(header, 22), context) or reference_to_sender(header, context)
    agents = [
        _agent("author", sender),
        _agent("assembler", {"display": "Portal FHIR, which converted the message"}),
        *_order_agents(orc, context),
    ]
    event = first(header, 9)
    activity = "^".join(part for part in (event[1], event[2], event[3]) if part)
    message: Tree = {"value": value(header, 10)}
    name = first(header, 3)[1]
    source: Tree = {"identifier": message} if message["value"] else {}
    source["display"] = f"HL7 v2 message from {name}" if name else "HL7 v2 message"
    tree: Tree = {
        "resourceType": "Provenance",
        "target": [{"reference": Link(target)}],
        "recorded": recorded.isoformat(),
        "activity": {
            "coding": [{"system": _ACTIVITY, "code": "v2-fhir-transformation"}],
            **({"text": activity} if activity else {}),
        },
        "agent": agents,
        "entity": [{"role": "source", "what": source}],
    }
    policies = [sent[1] for sent in (first(header, 21),) if sent[1].startswith(("http:", "urn:"))]
    if policies:
        tree["policy"] = policies
    ordered = value(orc, 9) if orc is not None else ""
    occurred = loose_date_time(ordered, context, orc.address(9)) if ordered and orc else ""
    if occurred:
        tree["occurredDateTime"] = occurred
    return tree


def _agent(kind: str, who: Tree) -> Tree:
    return {"type": {"coding": [{"system": _PARTICIPANT, "code": kind}]}, "who": who}


def _order_agents(orc: Segment | None, context: Context) -> list[Tree]:
    if orc is None:
        return []
    behalf = reference_to_xon(first(orc, 17), context) if orc.field(17) else {}
    made = []
    for number, kind in _ORDER_AGENTS:
        who = reference_to_person(first(orc, number), context, orc.address(number))
        if not who:
            continue
        agent = _agent(kind, who)
        if behalf:
            agent["onBehalfOf"] = behalf
        made.append(agent)
    return made
