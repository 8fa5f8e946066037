"""A Bundle as a hospital posts it: read, held against what may come, judged; its entries by number.

A message (`$process-message`) begins with a MessageHeader, a document with a Composition; a
transaction says of each entry what is to be done with it. Pure.
https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/messaging.html,
https://hl7.org/fhir/R4/documents.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from adapters.fhir_push import rules
from adapters.hl7v2.refusal import Refused
from fhir_server.errors import Invalid, Issue
from fhir_server.model import json
from fhir_server.model.validate import judge

Tree = dict[str, Any]
Kind = Literal["message", "transaction", "document"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MOST_ENTRIES = 2000
"""Entries of one Bundle."""
MOST_PARTS = 500_000
"""Objects and arrays of one Bundle: each takes memory, however short it is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its place, its fullUrl ("" for none), and its resource."""

    number: int
    full_url: str
    tree: Tree

    @property
    def path(self) -> str:
        """The FHIRPath of the resource."""
        return f"Bundle.entry[{self.number}].resource"

    @property
    def type(self) -> str:
        """The type of the resource."""
        return str(self.tree["resourceType"])


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer says of the Bundle that it answers, as far as that can be read.

    *control_id* is what the Bundle is called: its identifier, else the id of its MessageHeader;
    of one that is no message and has neither, a hash of its bytes. *senders* are the identifiers of
    the organisations that MessageHeader.sender names, or that answer for the Composition;
    *processing_ids* its tags of table 0103.
    """

    kind: Kind
    control_id: str = ""
    message_id: str = ""
    event: Mapping[str, Any] | None = None
    source: str = ""
    endpoint: str = ""
    senders: tuple[str, ...] = ()
    processing_ids: tuple[str, ...] = ()
    entries: int = 0


class Faulty(Refused):
    """A Bundle that is no valid FHIR; *issues* are all that is wrong with it."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = tuple(issues)
        first = self.issues[0]
        super().__init__("AE", 102, "resource-invalid", first.expression or "Bundle", first.text)


def is_bundle(raw: bytes) -> bool:
    """Tell whether *raw*, a message that was kept, is JSON and so no HL7 v2."""
    return raw[:64].lstrip()[:1] == b"{"


def opened(raw: bytes) -> Any:
    """Return what *raw* says as JSON.

    Raises Refused: AR 102, `json-bad`; AE 102, `message-too-large`, before it is read.
    """
    if raw.count(b"{") + raw.count(b"[") > MOST_PARTS:
        text = "The Bundle has more objects and arrays than can be read."
        raise Refused("AE", 102, "message-too-large", "Bundle", text)
    try:
        return json.decode(raw)
    except Invalid as invalid:
        issue = invalid.issues[0]
        where = issue.expression or "Bundle"
        raise Refused("AR", 102, "json-bad", where, issue.text) from None


def entries_of(tree: Any, head: Head) -> tuple[Entry, ...]:
    """Return the entries of *tree*, judged, with the Bundle's own elements left to the caller.

    Raises Refused: AR for what is no Bundle of its kind, or asks for what can't be asked for; AE
    for what is to be corrected, with the FHIRPath of the culprit.
    """
    if not isinstance(tree, dict) or tree.get("resourceType") != "Bundle":
        raise Refused("AR", 200, "type-unsupported", "Bundle", "This address takes a Bundle.")
    if tree.get("type") != head.kind:
        text = f"This address takes a Bundle of type {head.kind}."
        raise Refused("AR", 200, "type-unsupported", "Bundle.type", text)
    if head.entries > MOST_ENTRIES:
        text = f"A Bundle has {MOST_ENTRIES} entries at the most."
        raise Refused("AE", 102, "message-too-large", "Bundle.entry", text)
    rules.require_entries(tree.get("entry"), head.kind)
    if not head.control_id:
        text = "Bundle.identifier, or MessageHeader.id, has to say which message it is."
        raise Refused("AE", 101, "control-id-missing", "Bundle.identifier", text)
    if head.kind == "message" and not head.message_id:
        text = "An answer names the id of the MessageHeader: there has to be one."
        raise Refused("AE", 101, "control-id-missing", "Bundle.entry[0].resource.id", text)
    try:
        judged = judge(tree, "Bundle")
    except Invalid as invalid:
        raise Faulty(invalid.issues) from None
    entries = tuple(
        Entry(number, entry.get("fullUrl", ""), entry["resource"])
        for number, entry in enumerate(judged["entry"])
    )
    for entry in entries:
        rules.require_understood(entry.tree, entry.path)
        rules.require_status(entry.tree, entry.path)
    return entries
