"""The head of a Bundle: what can be read of it before it is judged, and of one that never will be.

Which feed it is of and how it is answered follow from this, whatever else is wrong with it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from adapters.fhir_push.bundle import KINDS, Entry, Head, Kind
from adapters.fhir_push.references import indexed
from fhir_server.model.identifiers import ODS_ORGANIZATION

Tree = dict[str, Any]

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_UUID = "urn:uuid:"
_CODING = ("system", "version", "code", "display")


def kind_said(tree: Any) -> Kind:
    """Return the kind of Bundle that *tree*, not judged yet, says it is; a message where none."""
    said = _text(_object(tree).get("type"))
    return next((kind for kind in KINDS if kind == said), "message")


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
    common = replace(common, senders=_senders(list(_looked_at(entries)), kind))
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


def _event(header: Tree) -> Tree | None:
    if uri := _text(header.get("eventUri")):
        return {"eventUri": uri}
    coding = _object(header.get("eventCoding"))
    kept = {name: coding[name] for name in _CODING if _text(coding.get(name))}
    return {"eventCoding": kept} if kept else None


def _processing_id(tag: Any) -> str:
    system = _text(_object(tag).get("system"))
    return _text(_object(tag).get("code")) if system.endswith("/v2-0103") else ""


def _looked_at(entries: list[Any]) -> Iterator[Entry]:
    """Yield those entries that have a resource of any type, from the first on.

    Of two with one fullUrl the first: such a Bundle is refused for it, once it has a feed.
    """
    seen: set[str] = set()
    for number, one in enumerate(map(_object, entries)):
        tree, full_url = _object(one.get("resource")), _text(one.get("fullUrl"))
        if _text(tree.get("resourceType")) and full_url not in seen:
            yield Entry(number, full_url, tree)
            seen |= {full_url} - {""}


def _senders(entries: Sequence[Entry], kind: Kind) -> tuple[str, ...]:
    """Return the identifiers of who sends, or of the organisation that answers for a document.

    That is its custodian, else its authors, as far as they are organisations.
    """
    if not entries or entries[0].number:
        return ()
    first = entries[0]
    custodian = first.tree.get("custodian")
    if kind == "message":
        sent_by = [first.tree.get("sender")]
    else:
        sent_by = [custodian] if custodian else _list(first.tree.get("author"))
    is_certain = kind == "message" or bool(custodian)
    index, named = indexed(entries), list[Tree]()
    for reference in map(_object, sent_by):
        target = index.target(_text(reference.get("reference")), first)
        own = _object(reference.get("identifier"))
        is_organization = (
            "Organization" in {_text(reference.get("type")), target.type if target else ""}
            or _text(own.get("system")) == ODS_ORGANIZATION
        )
        if is_certain or is_organization:
            named.append(own)
            named += map(_object, _list(target.tree.get("identifier")) if target else [])
    return tuple(dict.fromkeys(filter(None, (_text(one.get("value")) for one in named))))


def _object(value: Any) -> Tree:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
