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

_TAKEN_BACK = "entered-in-error"
_CONFIDENTIALITY = f"{THO}/v3-Confidentiality"


def composition_of(entries: Sequence[Entry]) -> Entry | None:
    """Return the Composition of a document; None of any other Bundle."""
    return entries[0] if entries and entries[0].type == "Composition" else None


def with_sections(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return *entries* with the results that only the sections name among those of the one report.

    Where there are several reports, nothing says whose such a result is: it stays without one.
    """
    composition = composition_of(entries)
    reports = [entry for entry in entries if entry.type == "DiagnosticReport"]
    if composition is None or len(reports) != 1:
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


def require_agreeing(setting: Setting) -> None:
    """Raise Refused where a Composition contradicts what it is the head of.

    AE 101, `subject-missing`, or AE 100, `patients-several`, for another subject than the Patient;
    AE 103, `status-differs`, where the document is taken back and what it holds is not.
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
    stands = any(entry.tree["status"] != _TAKEN_BACK for entry in held)
    if tree["status"] == _TAKEN_BACK and stands:
        text = "The document is taken back, and what it holds is not: which is meant?"
        raise Refused("AE", 103, "status-differs", f"{path}.status", text)


def is_unfinished(entries: Sequence[Entry]) -> bool:
    """Tell whether a document says of itself that it is not finished."""
    composition = composition_of(entries)
    return composition is not None and composition.tree["status"] == "preliminary"


def labels_of(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """Yield system and code of each label by which a document is not for everybody."""
    composition = composition_of(entries)
    if composition is None:
        return
    for label in composition.tree.get("meta", {}).get("security", ()):
        if label.get("code", "") not in UNRESTRICTED:
            yield label.get("system", ""), label.get("code", "")
    level = composition.tree.get("confidentiality", "N")
    if level not in UNRESTRICTED:
        yield _CONFIDENTIALITY, level


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
