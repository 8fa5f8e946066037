"""Conversations between a patient and a team: read, begun, answered, taken on.

The rules are `fhir_server.messages`, the same as for an app that creates a Communication.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auth.answers import committed
from fhir_server import amend, messages
from fhir_server.access import OwnRecord
from fhir_server.correspondence import Correspondence, correspondence, is_notification
from fhir_server.errors import Conflict, NotFound
from fhir_server.model.ids import bucket_of, is_id
from fhir_server.model.validate import judge
from fhir_server.record import Asked, Writer
from portal_api.caller import Caller, find_all
from portal_api.care_team import Person, person
from portal_api.london import Moment, moment

Tree = dict[str, Any]

DRAFT = "https://portal-fhir.example/Id/message-draft"
"""System of the identifier by which a form that is sent twice makes one message."""
_NAMED = (
    ("_include", "Communication:sender"),
    ("_include", "Communication:recipient"),
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message. *own*: the caller's side wrote it."""

    id: str
    from_patient: bool
    own: bool
    sender: str
    """The name of who wrote it; empty where the caller may not see it."""
    sent: Moment | None
    text: str
    received: Moment | None
    waiting: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation, its messages oldest first; there is at least one."""

    head: str
    patient: str
    subject: str
    """`Message` where none was given."""
    team: str
    owner: str
    """The name of the team's member who has taken it on; empty for nobody."""
    owner_reference: str
    messages: tuple[Message, ...]

    @property
    def latest(self) -> Message:
        """The newest message."""
        return self.messages[-1]

    @property
    def unread(self) -> bool:
        """Whether the other side wrote something that the caller's side has not opened."""
        return any(not one.own and one.received is None for one in self.messages)

    @property
    def waiting_since(self) -> datetime | None:
        """When the oldest message without an answer was sent; None where none waits."""
        times = [one.sent.instant for one in self.messages if one.waiting and one.sent]
        return min(times, default=None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One conversation in the inbox, with the patient whose it is."""

    thread: Thread
    person: Person


async def threads(caller: Caller, patient: str) -> tuple[Thread, ...]:
    """Return the conversations of *patient*, the one with the newest message first."""
    found = await find_all(
        caller, "Communication", ("patient", patient), ("_sort", "sent"), *_NAMED
    )
    folded = _folded(caller, (one.tree for one in found.matches), found.named())
    return tuple(sorted(folded, key=_newest, reverse=True))


async def thread(caller: Caller, patient: str, head: str) -> Thread:
    """Return one conversation of *patient*. Raises NotFound for one that is not theirs."""
    for one in await threads(caller, patient):
        if one.head == head:
            return one
    raise NotFound.of("There is no such conversation, or it is not yours to see.")


async def inbox(caller: Caller) -> tuple[Waiting, ...]:
    """Return the conversations of the caller's patients that wait for an answer, longest first."""
    found = await find_all(
        caller,
        "Communication",
        ("status", messages.WAITING),
        ("_sort", "sent"),
        ("_include", "Communication:patient"),
        *_NAMED,
    )
    people = {
        one.stored.id: person(one.tree)
        for one in found.included
        if one.tree["resourceType"] == "Patient"
    }
    folded = _folded(caller, (one.tree for one in found.matches), found.named())
    known = [Waiting(one, people[one.patient]) for one in folded if one.patient in people]
    return tuple(sorted(known, key=lambda each: _since(each.thread)))


async def begin(
    caller: Caller, patient: str, team: str, subject: str, text: str, draft: str
) -> str:
    """Send the first message of a conversation with *team* (an id); return its head.

    *draft* is a random name for the message: the same draft sent again makes nothing new, and
    the head is empty. Raises as `fhir_server.messages.prepare`.
    """
    return await _send(caller, _message(patient, text, draft, topic=subject, team=team))


async def answer(caller: Caller, patient: str, head: str, text: str, draft: str) -> str:
    """Send a message in the conversation *head*; return its id, empty for a draft sent before."""
    return await _send(caller, _message(patient, text, draft, head=head))


async def mark_read(caller: Caller, opened: Thread) -> None:
    """Note that the caller's side has opened what the other side wrote."""
    if opened.unread:
        await _change(caller, opened, messages.received)


async def take(caller: Caller, taken: Thread) -> None:
    """Make the caller the owner of a conversation."""
    await _change(caller, taken, messages.take)


async def settle(caller: Caller, settled: Thread) -> None:
    """Close a conversation that needs no answer."""
    await _change(caller, settled, messages.settle)


async def _change(
    caller: Caller, changed: Thread, act: Callable[[Writer, Correspondence, str], object]
) -> None:
    def piece(writer: Writer) -> None:
        act(writer, correspondence(writer, changed.patient), changed.head)

    asked = Asked("update", f"Communication/{changed.head}")
    future = caller.record.submit(
        caller.access, piece, buckets=[bucket_of(changed.patient)], asked=asked
    )
    await committed(future)


async def _send(caller: Caller, tree: Tree) -> str:
    try:
        stored = await committed(amend.create(caller.record, caller.access, judge(tree)))
    except Conflict:
        return ""
    return stored.id


def _message(
    patient: str, text: str, draft: str, *, topic: str = "", team: str = "", head: str = ""
) -> Tree:
    tree: Tree = {
        "resourceType": "Communication",
        "status": messages.WAITING,
        "subject": {"reference": f"Patient/{patient}"},
        "payload": [{"contentString": text}],
    }
    if is_id(draft):
        tree["identifier"] = [{"system": DRAFT, "value": draft}]
    if topic:
        tree["topic"] = {"text": topic}
    if team:
        tree["recipient"] = [{"reference": f"CareTeam/{team}"}]
    if head:
        tree["partOf"] = [{"reference": f"Communication/{head}"}]
    return tree


def _folded(caller: Caller, trees: Iterable[Tree], named: dict[str, str]) -> list[Thread]:
    conversations: dict[str, list[Tree]] = {}
    for tree in trees:
        if is_notification(tree):
            continue
        part_of = tree.get("partOf", ())
        head = part_of[0]["reference"].rpartition("/")[2] if part_of else tree["id"]
        conversations.setdefault(head, []).append(tree)
    return [_thread(caller, head, parts, named) for head, parts in conversations.items()]


def _thread(caller: Caller, head: str, parts: list[Tree], named: dict[str, str]) -> Thread:
    last = parts[-1]
    recipients = [one["reference"] for one in last.get("recipient", ())]
    owner = next((one for one in recipients if one.startswith("Practitioner/")), "")
    teams = [named.get(one, "") for one in recipients if one.startswith("CareTeam/")]
    patient = last["subject"]["reference"].removeprefix("Patient/")
    return Thread(
        head=head,
        patient=patient,
        subject=last.get("topic", {}).get("text") or "Message",
        team=next(iter(teams), ""),
        owner=named.get(owner, ""),
        owner_reference=owner,
        messages=tuple(_read(caller, tree, patient, named) for tree in parts),
    )


def _read(caller: Caller, tree: Tree, patient: str, named: dict[str, str]) -> Message:
    sender = tree.get("sender", {}).get("reference", "")
    from_patient = sender == f"Patient/{patient}"
    return Message(
        id=tree["id"],
        from_patient=from_patient,
        own=from_patient == isinstance(caller.access.reach, OwnRecord),
        sender=named.get(sender, ""),
        sent=moment(tree.get("sent", "")),
        text="\n".join(part.get("contentString", "") for part in tree.get("payload", ())),
        received=moment(tree.get("received", "")),
        waiting=tree["status"] == messages.WAITING,
    )


def _newest(one: Thread) -> float:
    return one.latest.sent.instant.timestamp() if one.latest.sent else 0.0


def _since(one: Thread) -> float:
    return one.waiting_since.timestamp() if one.waiting_since else 0.0
