"""The Composition of a document: how it stands, whom it is about, which results its sections name.

It is kept with the message and not filed: what a patient reads are the report and its results. What
it says beyond them counts all the same, where it holds something back.
https://hl7.org/fhir/R4/documents.html, https://hl7.org/fhir/R4/composition.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.fhir_push.bundle import Entry
from adapters.fhir_push.references import Index, indexed, rewritten
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.code_tables import THO, UNRESTRICTED
from adapters.hl7v2.conversion import PATIENT
from adapters.hl7v2.refusal import Refused

Tree = dict[str, Any]

FINISHED = frozenset({"final", "corrected", "amended", "appended"})
"""Statuses of a report that is finished."""

_TAKEN_BACK = frozenset({"cancelled", "entered-in-error", "revoked"})
_OWN = frozenset({"DiagnosticReport", "Observation", "ServiceRequest", "Specimen"})
_CONFIDENTIALITY = f"{THO}/v3-Confidentiality"


def composition_of(entries: Sequence[Entry]) -> Entry | None:
    """Return the Composition of a document; None of any other Bundle."""
    return entries[0] if entries and entries[0].type == "Composition" else None


def as_composed(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return *entries* as the Composition of a document has them; any other Bundle's as they are.

    By its security, and its confidentiality, each resource of the Patient's is labelled. Results
    that only its sections name are the one report's; where there are several reports, nothing says
    whose such a result is, and it stays without one.
    """
    composition = composition_of(entries)
    if composition is None:
        return entries
    return _with_sections(_labelled(entries, composition.tree), composition)


def require_agreeing(setting: Setting) -> None:
    """Raise Refused where a Composition contradicts what it is the head of.

    AE 101, `subject-missing`, or AE 100, `patients-several`, for another subject than the Patient;
    AE 103, `status-differs`, where the document is taken back and what it holds is not, or where it
    is unfinished and its report is not: which is meant, nobody here can tell.
    """
    composition = composition_of(setting.entries)
    if composition is None:
        return
    tree, path = composition.tree, composition.path
    if "subject" in tree:
        about = rewritten({"subject": tree["subject"]}, composition, setting.rewriting)["subject"]
        if getattr(about.get("reference"), "key", None) != PATIENT:
            text = "The document has to be about the Bundle's Patient."
            raise Refused("AE", 101, "subject-missing", f"{path}.subject", text)
    held = setting.entries_of("DiagnosticReport") or setting.entries_of("ServiceRequest")
    statuses = {entry.tree["status"] for entry in held}
    if tree["status"] == "entered-in-error" and not statuses <= _TAKEN_BACK:
        text = "The document is taken back, and what it holds is not."
        raise Refused("AE", 103, "status-differs", f"{path}.status", text)
    if tree["status"] == "preliminary" and statuses & FINISHED:
        text = "The document is not finished, and its report is."
        raise Refused("AE", 103, "status-differs", f"{path}.status", text)


def answering_for(entries: Sequence[Entry]) -> Tree | None:
    """Return the reference to who answers for a document: its custodian, else its first author."""
    composition = composition_of(entries)
    if composition is None:
        return None
    custodian: Tree | None = composition.tree.get("custodian")
    first: Tree = composition.tree["author"][0]
    return custodian or first


def tells_more(tree: Tree) -> bool:
    """Tell whether a Composition has text that is in none of its entries."""
    if tree.get("text", {}).get("status") == "additional":
        return True
    stands_alone = "text" in tree and "resourceType" not in tree and "entry" not in tree
    inner = tree.get("section", ())
    return (stands_alone and not inner) or any(map(tells_more, inner))


def _labelled(entries: Sequence[Entry], composition: Tree) -> Sequence[Entry]:
    labels = [
        label
        for label in composition.get("meta", {}).get("security", ())
        if label.get("code", "") not in UNRESTRICTED
    ]
    level = composition.get("confidentiality", "")
    if level and level not in UNRESTRICTED:
        labels.append({"system": _CONFIDENTIALITY, "code": level})
    if not labels:
        return entries
    return [
        replace(entry, tree=_with_labels(entry.tree, labels)) if entry.type in _OWN else entry
        for entry in entries
    ]


def _with_labels(tree: Tree, labels: Sequence[Tree]) -> Tree:
    meta = tree.get("meta", {})
    own = meta.get("security", [])
    further = [label for label in labels if label not in own]
    return tree | {"meta": meta | {"security": [*own, *further]}}


def _with_sections(entries: Sequence[Entry], composition: Entry) -> Sequence[Entry]:
    reports = [entry for entry in entries if entry.type == "DiagnosticReport"]
    if len(reports) != 1:
        return entries
    index = indexed(entries)
    taken = _reached(reports, "result", index)
    named = {
        entry.number: entry
        for entry in _named(composition.tree, composition, index)
        if entry.number not in taken
    }
    members = _reached(named.values(), "hasMember", index)
    further = [_reference(entry) for number, entry in named.items() if number not in members]
    if not further:
        return entries
    report = reports[0]
    tree = report.tree | {"result": [*report.tree.get("result", ()), *further]}
    return [replace(one, tree=tree) if one is report else one for one in entries]


def _named(part: Tree, composition: Entry, index: Index) -> Iterator[Entry]:
    """Yield the Observations that the sections in *part* name, in their order."""
    for section in part.get("section", ()):
        for one in section.get("entry", ()):
            target = index.target(one.get("reference", ""), composition)
            if target is not None and target.type == "Observation":
                yield target
        yield from _named(section, composition, index)


def _reached(starts: Any, element: str, index: Index) -> Mapping[int, Entry]:
    """Return the results that *element* of *starts* leads to, with the members of their groups."""
    found: dict[int, Entry] = {}
    waiting = [(start, element) for start in starts]
    while waiting:
        inside, where = waiting.pop()
        for one in inside.tree.get(where, ()):
            target = index.target(one.get("reference", ""), inside)
            if target is not None and target.number not in found:
                found[target.number] = target
                waiting.append((target, "hasMember"))
    return found


def _reference(entry: Entry) -> Tree:
    return {"reference": entry.full_url or f"{entry.type}/{entry.tree.get('id', '')}"}
