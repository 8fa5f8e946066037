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
from adapters.fhir_push.rules import HEADS
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.code_tables import THO, UNRESTRICTED
from adapters.hl7v2.conversion import PATIENT
from adapters.hl7v2.refusal import Refused

Tree = dict[str, Any]

_TAKEN_BACK = frozenset({"entered-in-error"})
_UNFINISHED = frozenset({"partial", "preliminary", "registered"})
_NOT_WALKED = frozenset({"id", "meta", "relatesTo", "resourceType", "text"})
"""What refers to nothing, or to other documents."""
_MOST_LABELS = 20
_OWN = frozenset({"DiagnosticReport", "Observation", "ServiceRequest", "Specimen"})
_CONFIDENTIALITY = f"{THO}/v3-Confidentiality"


def composition_of(entries: Sequence[Entry]) -> Entry | None:
    """Return the Composition of a document; None of any other Bundle."""
    return entries[0] if entries and entries[0].type == "Composition" else None


def as_composed(entries: Sequence[Entry], bundle: Tree) -> Sequence[Entry]:
    """Return *entries* as their *bundle* and its head, MessageHeader or Composition, have them.

    What labels the whole, or makes a document confidential, labels each resource of the Patient's.
    Results that only the sections of a document name are its one report's; where there are several
    reports, nothing says whose such a result is, and it stays without one. Raises Refused (AE 103,
    `content-unsupported`) for more labels than anybody means.
    """
    labels = _labels(bundle, entries[0])
    if labels:
        entries = [
            replace(entry, tree=_with_labels(entry.tree, labels)) if entry.type in _OWN else entry
            for entry in entries
        ]
    composition = composition_of(entries)
    return entries if composition is None else _with_sections(entries, composition)


def require_agreeing(setting: Setting) -> None:
    """Raise Refused where a Composition contradicts what it is the head of.

    AE 101, `subject-missing`, or AE 100, `patients-several`, for another subject than the Patient;
    AE 204, `reference-outside`, where it names what is not in the Bundle; AE 103,
    `document-differs`, where the document is taken back and what it holds is not, or where it is
    unfinished and its report is not: which is meant, nobody here can tell.
    """
    composition = composition_of(setting.entries)
    if composition is None:
        return
    tree, path = composition.tree, composition.path
    walked = {name: part for name, part in tree.items() if name not in _NOT_WALKED}
    about = rewritten(walked, composition, setting.rewriting).get("subject")
    if about is not None and getattr(about.get("reference"), "key", None) != PATIENT:
        text = "The document has to be about the Bundle's Patient."
        raise Refused("AE", 101, "subject-missing", f"{path}.subject", text)
    _require_entries(tree, path, composition, setting.rewriting.index)
    reports = {entry.tree["status"] for entry in setting.entries_of("DiagnosticReport")}
    requests = {entry.tree["status"] for entry in setting.entries_of("ServiceRequest")}
    is_gone = reports <= _TAKEN_BACK if reports else requests <= _TAKEN_BACK
    if tree["status"] == "entered-in-error" and not is_gone:
        text = "The document is taken back, and what it holds is not."
        raise Refused("AE", 103, "document-differs", f"{path}.status", text)
    if tree["status"] == "preliminary" and not reports <= _UNFINISHED | _TAKEN_BACK:
        text = "The document is not finished, and its report is."
        raise Refused("AE", 103, "document-differs", f"{path}.status", text)


def answering_for(entries: Sequence[Entry]) -> Tree | None:
    """Return the reference to who answers for a document: its custodian, else its first author."""
    composition = composition_of(entries)
    if composition is None:
        return None
    custodian: Tree | None = composition.tree.get("custodian")
    first: Tree = composition.tree["author"][0]
    return custodian or first


def tells_more(entry: Entry, index: Index) -> bool:
    """Tell whether *entry* is a Composition with text that nothing else is sure to say as well."""
    return entry.type == "Composition" and _tells_more(entry.tree, entry, index)


def _tells_more(part: Tree, composition: Entry, index: Index) -> bool:
    inner = part.get("section", ())
    named = [index.target(one.get("reference", ""), composition) for one in part.get("entry", ())]
    is_said = any(one is not None and one.type in _OWN for one in named)
    if "resourceType" in part:
        is_said = bool(inner)  # of the whole, the text is that of its sections
    adds = "text" in part and (part["text"].get("status") == "additional" or not is_said)
    return adds or any(_tells_more(one, composition, index) for one in inner)


def _labels(bundle: Tree, head: Entry) -> Sequence[Tree]:
    """Return the labels, other than for everybody, of a Bundle and of its head, each once."""
    sent = list(bundle.get("meta", {}).get("security", ()))
    if head.type in HEADS:
        sent += head.tree.get("meta", {}).get("security", ())
    if head.type == "Composition":
        # A level that is withheld (`_confidentiality`) may be any.
        unsaid = "R" if "_confidentiality" in head.tree else "N"
        level = head.tree.get("confidentiality", unsaid)
        sent.append({"system": _CONFIDENTIALITY, "code": level})
    found: list[Tree] = []
    for label in sent:
        if label.get("code", "") not in UNRESTRICTED and label not in found:
            found.append(label)
        if len(found) > _MOST_LABELS:
            where = f"{head.path}.meta.security"
            text = f"A Bundle has {_MOST_LABELS} security labels at the most."
            raise Refused("AE", 103, "content-unsupported", where, text)
    return found


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


def _require_entries(part: Tree, path: str, composition: Entry, index: Index) -> None:
    """Raise Refused where a section names as its entry what is not in the Bundle."""
    for at, section in enumerate(part.get("section", ())):
        where = f"{path}.section[{at}]"
        for number, one in enumerate(section.get("entry", ())):
            if "reference" in one and index.target(one["reference"], composition) is None:
                text = "This leads to nothing that is in the Bundle."
                place = f"{where}.entry[{number}].reference"
                raise Refused("AE", 204, "reference-outside", place, text)
        _require_entries(section, where, composition, index)


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
