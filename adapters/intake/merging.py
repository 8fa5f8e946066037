"""A later message beside what is stored: what it leaves out stays as it was.

Only D, W and X take a result away; a result does not go back from final to preliminary; U moves a
status and leaves the value that was sent before. HL7 v2.8 chapter 7, 7.4.2.11 (OBX-11).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.hl7v2.conversion import Key, ReportGroup, resolve
from adapters.intake import code_maps
from adapters.intake.code_maps import CodeMap
from adapters.intake.standing import SETTLED, UNSETTLED
from adapters.intake.unclear import Unclear
from fhir_server.model import json
from fhir_server.model.validate import judge
from fhir_server.record import Stored, Writer

Tree = dict[str, Any]

TAKEN_BACK = "entered-in-error"
"""Status of what the laboratory has taken back."""

_CORRECTIONS = frozenset({"corrected", "amended"})
_OWN = frozenset({"id", "meta"})


@dataclass(slots=True)
class Merged:
    """The report and results to file, judged, by key; and the stored results that stay as they are.

    *kept* are those that the message does not name, or would take back to preliminary.
    """

    trees: dict[Key, Tree] = field(default_factory=dict)
    kept: list[Stored] = field(default_factory=list)
    status: str = ""
    flags: list[str] = field(default_factory=list)
    all_withdrawn: bool = False
    document_withdrawn: bool = False
    goes_back: bool = False
    """Whether a result would be taken back to preliminary, and stays as it is."""

    @property
    def is_unsettled(self) -> bool:
        """Whether the report, or a result to file, is expected to be completed."""
        return any(tree["status"] in UNSETTLED for tree in self.trees.values())

    @property
    def results(self) -> tuple[Tree, ...]:
        """The Observations to file."""
        return tuple(one for one in self.trees.values() if one["resourceType"] == "Observation")


def content_of(stored: Stored) -> Tree:
    """Return the content of *stored*: all but what the server writes itself."""
    tree: Tree = json.decode(stored.body)
    labels = {name: value for name, value in tree.get("meta", {}).items() if name == "security"}
    content = {name: value for name, value in tree.items() if name not in _OWN}
    return content | ({"meta": labels} if labels else {})


def merged(
    writer: Writer,
    group: ReportGroup,
    ids: Mapping[Key, str],
    known: CodeMap,
    *,
    document_withdrawn: bool,
) -> Merged:
    """Return what *group* becomes beside what is stored.

    Raises Unclear where OBX-11 is U and no value is stored, and Invalid where a resource would not
    be valid.
    """
    named = (*(one.key for one in group.observations), *group.status_only)
    writer.look_up("Observation", (ids[key] for key in named))
    made = Merged(document_withdrawn=document_withdrawn)
    before = writer.current("DiagnosticReport", ids[group.report.key])
    known_report = content_of(before) if before is not None else {}
    unseen: set[str] = set()
    results: dict[Key, Tree] = {}
    for one in group.observations:
        tree = judge(code_maps.applied(resolve(one.tree, ids), known))
        stored = writer.current("Observation", ids[one.key])
        if _goes_back(tree, stored):
            made.goes_back = True
            made.flags.append("status-backwards OBX.11")
            made.kept.append(_sure(stored))
            continue
        if stored is None and one.key in group.withdrawn:
            made.flags.append("delete-unseen OBX.11")
            unseen.add(f"Observation/{ids[one.key]}")
        if stored is None and known_report and tree["status"] in _CORRECTIONS:
            made.flags.append("correction-first OBX.11")
        results[one.key] = tree
    for key in group.status_only:
        results[key] = _settled(writer.current("Observation", ids[key]))
    report = _with_what_was(resolve(group.report.tree, ids), known_report, made)
    if "result" in report:
        report["result"] = [one for one in report["result"] if one["reference"] not in unseen]
        report = {name: value for name, value in report.items() if value != []}
    _keep_unnamed(writer, report, {ids[key] for key in results}, made)
    _judge_status(report, known_report, results, made)
    if report["status"] == "final" and any(_stands(one) for one in _unnamed(made, group, ids)):
        made.flags.append("result-lost OBR.25")
    made.status = report["status"]
    made.trees = {group.report.key: judge(code_maps.applied(report, known)), **results}
    return made


def _goes_back(tree: Tree, stored: Stored | None) -> bool:
    """Tell whether a result that is settled would be taken back to one that is not."""
    return (
        stored is not None
        and tree["status"] in UNSETTLED
        and content_of(stored)["status"] in SETTLED
    )


def _settled(stored: Stored | None) -> Tree:
    """Return the stored Observation with the value that it has, as final (OBX-11 U)."""
    tree = content_of(stored) if stored is not None else {}
    has_value = any(name.startswith("value") or name == "component" for name in tree)
    if not has_value or tree["status"] == TAKEN_BACK:
        text = "Status U names a result of which no value was sent."
        raise Unclear("AE", 204, "value-missing", "OBX.11", text)
    return judge(tree if tree["status"] in SETTLED else tree | {"status": "final"})


def _with_what_was(report: Tree, before: Tree, made: Merged) -> Tree:
    """Return *report* with the results, specimens and documents of *before* that it leaves out."""
    report = dict(report)
    for name in ("result", "specimen"):
        known = {one.get("reference") for one in report.get(name, ())}
        kept = [one for one in before.get(name, ()) if one.get("reference") not in known]
        if kept:
            report[name] = [*report.get(name, ()), *kept]
    titles = {one.get("title") for one in report.get("presentedForm", ())}
    documents = [one for one in before.get("presentedForm", ()) if one.get("title") not in titles]
    if documents and not made.document_withdrawn:
        report["presentedForm"] = [*report.get("presentedForm", ()), *documents]
    return report


def _keep_unnamed(writer: Writer, report: Tree, named: set[str], made: Merged) -> None:
    have = named | {one.id for one in made.kept}
    for one in report.get("result", ()):
        id_ = one["reference"].removeprefix("Observation/")
        if id_ not in have and (stored := writer.current("Observation", id_)) is not None:
            made.kept.append(stored)


def _unnamed(made: Merged, group: ReportGroup, ids: Mapping[Key, str]) -> list[Stored]:
    named = {ids[one.key] for one in group.observations}
    return [stored for stored in made.kept if stored.id not in named]


def _judge_status(report: Tree, before: Tree, results: Mapping[Key, Tree], made: Merged) -> None:
    """Take a report back where every result of it is; where others stand, it was corrected."""
    others = any(_stands(stored) for stored in made.kept)
    standing = others or any(tree["status"] != TAKEN_BACK for tree in results.values())
    if report["status"] == TAKEN_BACK and standing:
        settled = before.get("status") in SETTLED or "status" not in before
        report["status"] = "corrected" if settled else before["status"]
    made.all_withdrawn = bool(results) and not standing


def _stands(stored: Stored) -> bool:
    return bool(content_of(stored)["status"] != TAKEN_BACK)


def _sure(stored: Stored | None) -> Stored:
    if stored is None:
        raise AssertionError("what goes back is stored")
    return stored
