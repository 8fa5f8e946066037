"""References of one Bundle: found in it, turned into Links, or left as words; never followed.

https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.fhir_push.bundle import Entry
from adapters.hl7v2.conversion import LINKLESS, Flag, Key, Link
from adapters.hl7v2.refusal import Refused
from fhir_server.model.references import is_contained, literal

Tree = dict[str, Any]

_BASE = re.compile(r"(https?://\S*/)[A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_VERSION = re.compile(r"/_history/[A-Za-z0-9\-.]{1,64}$")
_ESSENTIAL = frozenset(
    {"basedOn", "hasMember", "patient", "result", "specimen", "subject", "derivedFrom", "parent"}
)
"""Elements without which a result is not what it says: they have to lead somewhere."""


@dataclass(frozen=True, slots=True)
class Index:
    """The entries of one Bundle by fullUrl, and by `Type/id` where that is one alone."""

    by_url: Mapping[str, Entry]
    by_name: Mapping[str, Entry | None]

    def target(self, reference: str, inside: Entry) -> Entry | None:
        """Return the entry that *reference*, in a resource of *inside*, leads to."""
        wanted = _VERSION.sub("", reference)
        if wanted in self.by_url:
            return self.by_url[wanted]
        base = _BASE.fullmatch(inside.full_url)
        if base and literal(wanted) and (found := self.by_url.get(base[1] + wanted)):
            return found
        return self.by_name.get(wanted)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What references are rewritten by: where they lead, the keys of what is made, flags."""

    index: Index
    keys: Mapping[int, Key]
    """Number of an entry to the key of what it becomes; not in it: it is kept with the message."""
    flags: list[Flag] = field(default_factory=list)


def indexed(entries: Sequence[Entry]) -> Index:
    """Return the index of *entries*."""
    by_name: dict[str, Entry | None] = {}
    for entry in entries:
        if "id" in entry.tree:
            name = f"{entry.type}/{entry.tree['id']}"
            by_name[name] = None if name in by_name else entry
    return Index({entry.full_url: entry for entry in entries if entry.full_url}, by_name)


def rewritten(tree: Tree, entry: Entry, rewriting: Rewriting) -> Tree:
    """Return *tree*, a part of the resource of *entry*, with Links for its references.

    Raises Refused where a reference that matters leads out of the Bundle (AE 204,
    `reference-outside`), or any to a Patient who is not in it (AE 100, `patients-several`).
    """
    walk = _Walk(entry, rewriting)
    return {
        name: walk.visit(child, name, f"{entry.path}.{name}", is_linkless=name in LINKLESS)
        for name, child in tree.items()
    }


def name_of(tree: Tree) -> str:
    """Return what a person would call an organisation or somebody at work; may be empty."""
    name = tree.get("name", "")
    if isinstance(name, str):
        return name or str(tree.get("practitioner", {}).get("display", ""))
    first = name[0] if name else {}
    parts = (*first.get("prefix", ()), *first.get("given", ()), first.get("family", ""))
    return str(first.get("text", "")) or " ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class _Walk:
    entry: Entry
    rewriting: Rewriting

    def visit(self, value: Any, name: str, path: str, *, is_linkless: bool) -> Any:
        if isinstance(value, list):
            return [
                self.visit(child, name, f"{path}[{number}]", is_linkless=is_linkless)
                for number, child in enumerate(value)
            ]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("reference"), str):
            return self._reference(value, name, path, is_linkless=is_linkless)
        return {
            inner: self.visit(
                child, inner, f"{path}.{inner}", is_linkless=is_linkless or inner in LINKLESS
            )
            for inner, child in value.items()
        }

    def _reference(self, node: Tree, name: str, path: str, *, is_linkless: bool) -> Tree:
        reference = node["reference"]
        if is_contained(reference):
            return node
        target = self.rewriting.index.target(reference, self.entry)
        key = self.rewriting.keys.get(target.number) if target is not None else None
        if key is not None and not is_linkless:
            return {**node, "reference": Link(key)}
        if target is not None:
            return _in_words(node, target)
        where = f"{path}.reference"
        found = literal(_VERSION.sub("", "/".join(reference.split("/")[-2:])))
        if name in {"subject", "patient"} or (found is not None and found.type == "Patient"):
            text = "This leads to another Patient than the one in the Bundle."
            raise Refused("AE", 100, "patients-several", where, text)
        if name in _ESSENTIAL or not node.keys() & {"identifier", "display"}:
            text = "This leads to nothing that is in the Bundle."
            raise Refused("AE", 204, "reference-outside", where, text)
        self.rewriting.flags.append(Flag("reference-cut", where))
        return {element: part for element, part in node.items() if element != "reference"}


def _in_words(node: Tree, target: Entry) -> Tree:
    """Return a reference to what is not filed by itself: by its type, its identifier, its name."""
    made = {name: part for name, part in node.items() if name != "reference"}
    made.setdefault("type", target.type)
    identifiers = target.tree.get("identifier", ())
    if identifiers and "identifier" not in made and isinstance(identifiers, list):
        made["identifier"] = {
            name: part for name, part in identifiers[0].items() if name != "assigner"
        }
    name = name_of(target.tree)
    if name or "identifier" not in made:
        made.setdefault("display", name or f"{target.type}, which is not kept by itself")
    return made
