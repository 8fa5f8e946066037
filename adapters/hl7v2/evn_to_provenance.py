"""MSH and EVN to the Provenance of what an ADT changes, and to the time of what it says.

Source: HL7 v2.8 chapter 3, 3.4.1 (EVN); the guide's sheet EVN[Provenance].
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from adapters.hl7v2.code_tables import THO
from adapters.hl7v2.composite import each, first, value
from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.conversion import Key, Tree
from adapters.hl7v2.dates import loose_date_time, read_moment
from adapters.hl7v2.er7 import Message
from adapters.hl7v2.identifiers import authority_name
from adapters.hl7v2.message_to_provenance import provenance
from adapters.hl7v2.xcn_to_practitioner import reference_to_person

_PARTICIPANT = f"{THO}/provenance-participant-type"
_REASON: Mapping[str, str] = MappingProxyType({"01": "PATRQT", "02": "TREAT", "03": "HOPERAT"})


def said_at(message: Message, context: Context) -> datetime:
    """Return when the sender recorded the event: EVN-2, else MSH-7, else when the message came.

    A date without a time counts from its midnight. Refuses a message that says nothing of it
    where it is not known when it came (AE 101).
    """
    evn = message.first("EVN")
    for sent in (value(evn, 2) if evn else "", value(message.segments[0], 7)):
        moment = read_moment(sent, context.dialect.zone, day_first=context.dialect.day_first)
        if moment is None:
            continue
        when = moment.when
        if when is None:
            year, month, day = (int(part) for part in (moment.text + "-01-01")[:10].split("-"))
            when = datetime(year, month, day, tzinfo=context.dialect.zone)
        if context.latest is None or when <= context.latest:
            return when
    if context.received_at is None:
        raise refusal(101, "date-missing", "MSH.7", "Neither EVN-2 nor MSH-7 says when it was.")
    return context.received_at


def event_provenance(message: Message, target: Key, at: datetime, context: Context) -> Tree:
    """Return the Provenance of *target*, which an event changed; *at* is when it was recorded."""
    header, evn, pid = message.segments[0], message.first("EVN"), message.first("PID")
    tree = provenance(header, None, target, at, context)
    tree["activity"]["text"] = "event - " + tree["activity"].get("text", "ADT")
    facility = authority_name(first(pid, 34)) if pid else ""
    if facility:
        tree["agent"].append(_agent("performer", {"display": facility}))
    occurred = value(evn, 6) if evn else ""
    place = evn.address(6) if evn else ""
    if not occurred and pid:
        occurred, place = value(pid, 33), pid.address(33)
    moment = loose_date_time(occurred, context, place) if occurred else ""
    if moment:
        tree["occurredDateTime"] = moment
    if evn is None:
        return tree
    reason = value(evn, 4)
    if reason:
        known = _REASON.get(reason)
        codings = [{"system": f"{THO}/v3-ActReason", "code": known}] if known else []
        tree["reason"] = [{"coding": [*codings, {"system": f"{THO}/v2-0062", "code": reason}]}]
    for operator in each(evn, 5):
        who = reference_to_person(operator, context, evn.address(5))
        if who:
            tree["agent"].append(_agent("enterer", who))
    where = authority_name(first(evn, 7))
    if where:
        tree["location"] = {"display": where}
    return tree


def _agent(kind: str, who: Tree) -> Tree:
    return {"type": {"coding": [{"system": _PARTICIPANT, "code": kind}]}, "who": who}
