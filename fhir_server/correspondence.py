"""All messages of one patient, as one transaction sees them: conversations and their heads."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from fhir_server.model import json
from fhir_server.model.ids import is_id
from fhir_server.model.validate import judge
from fhir_server.search.conditions import among
from fhir_server.store import links, read
from fhir_server.store.read import Stored
from fhir_server.store.tables import resource
from fhir_server.store.write import Writer

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Correspondence:
    """The messages in one patient's record, by id; *patient* is whose record it is today."""

    patient: str
    messages: dict[str, Tree]
    stored: dict[str, Stored]

    def head_of(self, id_: str) -> str:
        """Return the id of the head of the conversation in which message *id_* stands."""
        for reference in self.messages[id_].get("partOf", ()):
            return message_id(reference)
        return id_

    def conversation(self, head: str) -> list[str]:
        """Return the ids of the messages of a conversation, its head included."""
        return [id_ for id_ in self.messages if self.head_of(id_) == head]


def correspondence(writer: Writer, patient: str) -> Correspondence:
    """Return all messages of *patient*: unguarded, for the rules of messages alone."""
    table = resource.c
    record = links.together(writer.select, patient)
    rows = writer.select(
        select(*read.columns(resource)).where(
            among(table.bucket, table.patient, record), table.type == "Communication"
        )
    )
    found = {one.id: one for one in map(read.stored, rows)}
    trees = {id_: json.decode(one.body) for id_, one in found.items()}
    written = {id_: tree for id_, tree in trees.items() if not is_notification(tree)}
    return Correspondence(links.survivor(writer.select, patient), written, found)


def is_notification(tree: Tree) -> bool:
    """Tell whether a Communication tells of something that came: no person wrote it.

    Who writes is named by the server, so that nobody can pass a message off as a notification.
    """
    written_by = tree.get("sender", {}).get("reference", "")
    return not written_by.startswith(("Patient/", "Practitioner/"))


def change(writer: Writer, letters: Correspondence, id_: str, changes: Tree) -> None:
    """File message *id_* again with *changes*, and leave an entry where it is a new version."""
    before = letters.stored[id_]
    letters.messages[id_] = judge(letters.messages[id_] | changes)
    filed = writer.file(
        letters.messages[id_], id_=id_, patient=before.patient, release_at=before.release_at
    )
    letters.stored[id_] = filed.stored
    if filed.change != "unchanged":
        entity = f"{filed.stored.reference}/_history/{filed.stored.version}"
        writer.audit("update", entity=entity, patient=before.patient)


def message_id(reference: Tree) -> str:
    """Return the id in a relative reference to a Communication, or the empty text."""
    kind, _, id_ = reference.get("reference", "").partition("/")
    return id_ if kind == "Communication" and is_id(id_) else ""
