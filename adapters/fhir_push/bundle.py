"""A Bundle as a hospital posts it: read, held against what may come, judged; its entries by number.

A message (`$process-message`) begins with a MessageHeader, a document with a Composition; a
transaction says of each entry what is to be done with it. Pure.
https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/messaging.html,
https://hl7.org/fhir/R4/documents.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal, get_args

from adapters.fhir_push import rules
from adapters.hl7v2.refusal import Refused
from fhir_server.errors import Invalid, Issue
from fhir_server.model import json
from fhir_server.model.identifiers import ODS_ORGANIZATION
from fhir_server.model.validate import judge

Tree = dict[str, Any]
Kind = Literal["message", "transaction", "document"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MOST_ENTRIES = 2000
"""Entries of one Bundle."""
MOST_PARTS = 500_000
"""Objects and arrays of one Bundle: each takes memory, however short it is."""

_VERSION = re.compile(r"/_history/[^/]*\Z")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_UUID = "urn:uuid:"
_CODING = ("system", "version", "code", "display")


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


def kind_said(tree: Any) -> Kind:
    """Return the kind of Bundle that *tree*, not judged yet, says it is; a message where none."""
    said = _text(_object(tree).get("type"))
    return next((kind for kind in KINDS if kind == said), "message")


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


def head_of(tree: Any, raw: bytes, kind: Kind) -> Head:
    """Return what can be read of the head of *tree*, not judged yet; never raises."""
    bundle = _object(tree)
    entries = _list(bundle.get("entry"))
    first = _object(entries[0]) if entries else {}
    named = _text(_object(bundle.get("identifier")).get("value")) or _text(bundle.get("id"))
    tags = _list(_object(bundle.get("meta")).get("tag"))
    common = Head(
        kind,
        control_id=named or f"sha256-{sha256(raw).hexdigest()[:32]}",
        processing_ids=tuple(filter(None, map(_processing_id, tags))),
        entries=len(entries),
    )
    header = _object(first.get("resource"))
    if tree is None and kind != "message":
        return replace(common, control_id="")
    if kind == "transaction":
        return common
    common = replace(common, senders=_senders(header, entries, kind))
    if kind == "document":
        return common
    full_url = _text(first.get("fullUrl"))
    id_ = _text(header.get("id"))
    if not id_ and full_url.startswith(_UUID):
        id_ = full_url.removeprefix(_UUID)
    id_ = id_ if _ID.fullmatch(id_) else ""
    source = _object(header.get("source"))
    return replace(
        common,
        control_id=_text(_object(bundle.get("identifier")).get("value")) or id_,
        message_id=id_,
        event=_event(header),
        source=_text(source.get("name")),
        endpoint=_text(source.get("endpoint")),
    )


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


def _event(header: Tree) -> Tree | None:
    if uri := _text(header.get("eventUri")):
        return {"eventUri": uri}
    coding = _object(header.get("eventCoding"))
    kept = {name: coding[name] for name in _CODING if _text(coding.get(name))}
    return {"eventCoding": kept} if kept else None


def _processing_id(tag: Any) -> str:
    system = _text(_object(tag).get("system"))
    return _text(_object(tag).get("code")) if system.endswith("/v2-0103") else ""


def _senders(first: Tree, entries: list[Any], kind: Kind) -> tuple[str, ...]:
    """Return the identifiers of who sends, or of the organisation that answers for a document.

    That is its custodian, else its authors, as far as they are organisations.
    """
    custodian = first.get("custodian")
    if kind == "message":
        sent_by = [first.get("sender")]
    else:
        sent_by = [custodian] if custodian else _list(first.get("author"))
    is_certain = kind == "message" or bool(custodian)
    places = _places(entries)
    named: list[Tree] = []
    for reference in map(_object, sent_by):
        targets = places.get(_VERSION.sub("", _text(reference.get("reference"))), [])
        types = {_text(one.get("resourceType")) for one in targets} | {_text(reference.get("type"))}
        own = _object(reference.get("identifier"))
        is_organization = "Organization" in types or _text(own.get("system")) == ODS_ORGANIZATION
        if is_certain or is_organization:
            named.append(own)
            named += (_object(one) for tree in targets for one in _list(tree.get("identifier")))
    return tuple(dict.fromkeys(filter(None, (_text(one.get("value")) for one in named))))


def _places(entries: list[Any]) -> Mapping[str, list[Tree]]:
    """Return the resources by what a reference may call them: fullUrl, its end, type and id."""
    found: dict[str, list[Tree]] = {}
    for one in map(_object, entries):
        resource, full_url = _object(one.get("resource")), _text(one.get("fullUrl"))
        relative = f"{_text(resource.get('resourceType'))}/{_text(resource.get('id'))}"
        for name in {full_url, "/".join(full_url.rsplit("/", 2)[1:]), relative} - {""}:
            found.setdefault(name, []).append(resource)
    return found


def _object(value: Any) -> Tree:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
