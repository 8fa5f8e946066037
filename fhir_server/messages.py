"""The rules of messages between a patient and the teams that care for them.

One message is one Communication (https://hl7.org/fhir/R4/communication.html) with one payload of
plain text. The first of a conversation is its head; every other is `partOf` the head. A patient's
message is `in-progress` until the team answers; `received` says when the other side opened it; a
Practitioner among the recipients is the member of the team who has taken it on. Sender, time,
status and, where there is no choice, recipients are the server's.
"""

from typing import Any

from fhir_server import message_text
from fhir_server.clock import from_micros, instant_text
from fhir_server.correspondence import Correspondence, change, correspondence, message_id
from fhir_server.errors import Conflict, Forbidden, Unprocessable
from fhir_server.message_recipients import is_owner, recipients, sender
from fhir_server.model import json
from fhir_server.store import links
from fhir_server.store.read import Stored
from fhir_server.store.write import Writer

Tree = dict[str, Any]

WAITING, ANSWERED = "in-progress", "completed"
_KEPT = frozenset(
    {
        *(
            "resourceType",
            "id",
            "meta",
            "language",
            "identifier",
            "partOf",
            "inResponseTo",
            "status",
        ),
        *("category", "priority", "subject", "topic", "sent", "recipient", "sender", "payload"),
    }
)


def prepare(writer: Writer, tree: Tree, patient: str) -> Tree:
    """Return the message *tree*, judged before, as it is to be filed in the record of *patient*.

    A team's answer also marks the patient's waiting messages of that conversation as answered.
    Raises Forbidden for who is neither the patient nor caring for them, Conflict for a message
    sent twice (the same sender and identifier), Unprocessable with the FHIRPath of what is wrong.
    """
    sent_by = sender(writer, patient)
    _only_known_elements(tree)
    _check_sender(tree, sent_by)
    letters = correspondence(writer, patient)
    _not_sent_before(letters, tree, sent_by)
    head = _head(letters, tree)
    from_patient = sent_by == f"Patient/{patient}"
    content = tree | {
        "status": WAITING if from_patient else ANSWERED,
        "subject": {"reference": f"Patient/{patient}"},
        "sender": {"reference": sent_by},
        "sent": instant_text(from_micros(writer.now)),
        "recipient": recipients(writer, letters, tree, head, sent_by),
        "payload": [{"contentString": message_text.body(tree)}],
    }
    topic = message_text.subject(letters.messages[head] if head else tree)
    content.pop("topic", None)
    if topic:
        content |= {"topic": {"text": topic}}
    if head:
        content |= {"partOf": [{"reference": f"Communication/{head}"}]}
        if not from_patient:
            _answered(writer, letters, head)
    return content


def receipt(writer: Writer, before: Stored, tree: Tree) -> Tree:
    """Return the message *before* with the receipt that *tree* gives it: the only update there is.

    The time is the server's, and a receipt once given stays. Raises Unprocessable where anything
    else differs, or where the caller's own side wrote the message; Forbidden for strangers.
    """
    stands: Tree = json.decode(before.body)
    patient = f"Patient/{links.survivor(writer.select, before.patient)}"
    own_side = sender(writer, patient.removeprefix("Patient/")) == patient
    differing = [name for name in tree | stands if tree.get(name) != stands.get(name)]
    changed = [name for name in differing if name not in {"meta", "received"}]
    if changed:
        raise Unprocessable.of(
            "A message is not changed after it was sent.",
            expression=f"Communication.{changed[0]}",
            diagnostics="Send it as it is, with received: that you have read it.",
            code="business-rule",
        )
    written_by = stands.get("sender", {}).get("reference", "")
    if (written_by == patient) == own_side:
        raise Unprocessable.of(
            "Only who gets a message says that it was read.",
            expression="Communication.received",
            code="business-rule",
        )
    if "received" in stands or "received" not in tree:
        return stands
    # What stands, not what came: its meta, too, is not the reader's to write.
    return stands | {"received": instant_text(from_micros(writer.now))}


def received(writer: Writer, letters: Correspondence, head: str) -> int:
    """Mark what the other side wrote in a conversation as opened now; return how many were new.

    "Other" is seen from the caller: a patient opens what the team wrote, the team what the
    patient wrote. A receipt, once given, is never moved.
    """
    own_side = sender(writer, letters.patient) == f"Patient/{letters.patient}"
    opened = 0
    for id_ in letters.conversation(head):
        message = letters.messages[id_]
        from_patient = message["sender"]["reference"] == f"Patient/{letters.patient}"
        if from_patient != own_side and "received" not in message:
            change(writer, letters, id_, {"received": instant_text(from_micros(writer.now))})
            opened += 1
    return opened


def take(writer: Writer, letters: Correspondence, head: str) -> None:
    """Make the caller, of the team, the owner of a conversation, in place of an earlier owner.

    Raises Forbidden for a caller who is not of the team.
    """
    owner = sender(writer, letters.patient)
    if not owner.startswith("Practitioner/"):
        raise Forbidden.of("Only a member of the team can take on a message.")
    for id_ in letters.conversation(head):
        others = [one for one in letters.messages[id_]["recipient"] if not is_owner(one)]
        change(writer, letters, id_, {"recipient": [*others, {"reference": owner}]})


def settle(writer: Writer, letters: Correspondence, head: str) -> None:
    """Mark a conversation as needing no answer; raises Forbidden for a caller not of the team."""
    if not sender(writer, letters.patient).startswith("Practitioner/"):
        raise Forbidden.of("Only a member of the team can close a conversation.")
    _answered(writer, letters, head)


def _only_known_elements(tree: Tree) -> None:
    for name in tree:
        if name not in _KEPT:
            raise Unprocessable.of(
                f"A message can't have {name} here.",
                expression=f"Communication.{name}",
                diagnostics="Leave it out. A message is plain text with a topic.",
                code="business-rule",
            )


def _check_sender(tree: Tree, sent_by: str) -> None:
    named = tree.get("sender", {}).get("reference", sent_by)
    if named != sent_by:
        raise Unprocessable.of(
            "A message is sent in one's own name.",
            expression="Communication.sender",
            diagnostics="Leave it out: the server sets it.",
            code="business-rule",
        )


def _not_sent_before(letters: Correspondence, tree: Tree, sent_by: str) -> None:
    given = {_identifier(one) for one in tree.get("identifier", ())}
    for message in letters.messages.values():
        known = {_identifier(one) for one in message.get("identifier", ())}
        if given & known and message["sender"]["reference"] == sent_by:
            raise Conflict.of(
                "This message was sent before.",
                expression="Communication.identifier",
                code="duplicate",
            )


def _identifier(identifier: Tree) -> tuple[str, str]:
    return identifier.get("system", ""), identifier.get("value", "")


def _head(letters: Correspondence, tree: Tree) -> str:
    """Return the head of the conversation that *tree* continues, or the empty text."""
    heads = set[str]()
    for name in ("partOf", "inResponseTo"):
        for place, reference in enumerate(tree.get(name, ())):
            id_ = message_id(reference)
            if id_ not in letters.messages:
                raise Unprocessable.of(
                    "It answers a message that is not in this record.",
                    expression=f"Communication.{name}[{place}]",
                    code="not-found",
                )
            heads.add(letters.head_of(id_))
    if len(heads) > 1:
        raise Unprocessable.of(
            "It answers two conversations at once.",
            expression="Communication.partOf",
            code="business-rule",
        )
    return heads.pop() if heads else ""


def _answered(writer: Writer, letters: Correspondence, head: str) -> None:
    for id_ in letters.conversation(head):
        if letters.messages[id_]["status"] == WAITING:
            change(writer, letters, id_, {"status": ANSWERED})
