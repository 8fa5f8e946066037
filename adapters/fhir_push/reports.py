"""One DiagnosticReport of a Bundle, with all that hangs on it, to what is filed of a report.

What the release policy will ask (preliminary, histology, imaging, labels, codes that nobody knows,
documents that could run) is answered here, from the Bundle; when a patient may see the report is
decided elsewhere. https://hl7.org/fhir/R4/diagnosticreport.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapters.fhir_push.bundle import Entry
from adapters.fhir_push.dates import start_of
from adapters.fhir_push.documents import document_of
from adapters.fhir_push.numbers import identifier_text, order_of, request_key, words_of
from adapters.fhir_push.own import own_tree, targets
from adapters.fhir_push.provenance import provenance
from adapters.fhir_push.references import Rewriting
from adapters.fhir_push.results import Found, results_of
from adapters.fhir_push.sections import section_of
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.code_tables import UNRESTRICTED
from adapters.hl7v2.conversion import Document, Flag, Key, Made, ReportGroup
from adapters.hl7v2.order import Order
from adapters.hl7v2.refusal import Refused
from adapters.hl7v2.report_results import is_free_text, local_codes
from adapters.intake.taking_back import emptied

Tree = dict[str, Any]

_TAKEN_BACK = "entered-in-error"
_UNFINISHED = frozenset({"registered", "partial", "preliminary"})
_FINISHED = frozenset({"final", "corrected", "amended", "appended"})
_FOUND = frozenset({"conclusion", "conclusionCode", "imagingStudy", "media", "presentedForm"})
"""Elements of a report that say what was found: gone with a report that is taken back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A report with the keys of all that is filed with it, before any reference is rewritten."""

    report: Entry
    order: Order
    authority: str
    results: Found
    specimens: tuple[tuple[Entry, Key], ...]
    requests: tuple[tuple[Entry, Key], ...]

    @property
    def taken_back(self) -> bool:
        """Whether the report is taken back as a whole."""
        return bool(self.report.tree["status"] == _TAKEN_BACK)

    def keys(self) -> dict[int, Key]:
        """Return the key of each entry that the report files, by its number."""
        own = (*self.results.entries, *self.specimens, *self.requests)
        return {entry.number: key for entry, key in own} | {
            self.report.number: self.order.key_of("DiagnosticReport")
        }


def planned(report: Entry, setting: Setting, taken: set[Key], placed: dict[int, Key]) -> Plan:
    """Return what is filed with *report*; *taken* and *placed* are those of the reports before it.

    Raises Refused as `order_of` and `results_of` do.
    """
    asked = targets((report,), "basedOn", "ServiceRequest", setting)
    order, authority = order_of(report, asked, setting, taken)
    results = results_of(report, order, setting, placed)
    around = (report, *(entry for entry, _ in results.entries))
    specimens = targets(around, "specimen", "Specimen", setting)
    numbered = ((one, f"{identifier_text(one.tree)}#{at}") for at, one in enumerate(specimens, 1))
    requests = targets(around, "basedOn", "ServiceRequest", setting)
    return Plan(
        report,
        order,
        authority,
        results,
        tuple((one, order.key_of("Specimen", name)) for one, name in numbered),
        tuple((one, request_key(one, setting, order)) for one in requests),
    )


def group_of(plan: Plan, setting: Setting, keys: dict[int, Key]) -> ReportGroup:
    """Return the report of *plan*; *keys* are those of all that the Bundle becomes.

    Raises Refused for what is missing, can't be believed or leads elsewhere.
    """
    rewriting = Rewriting(setting.rewriting.index, keys | plan.keys(), setting.rewriting.flags)
    status = _status(plan)
    issued, version_at = _issued(plan.report, setting)
    tree, documents = _report_tree(plan, setting, rewriting)
    results = [
        Made(key, _result_tree(entry, plan, setting, rewriting))
        for entry, key in plan.results.entries
    ]
    requests = [
        Made(key, _request_tree(entry, status, setting, rewriting)) for entry, key in plan.requests
    ]
    key = plan.order.key_of("DiagnosticReport")
    told = plan.order.key_of("Provenance", setting.head.control_id)
    group = ReportGroup(
        report=Made(key, tree | {"issued": issued}),
        observations=tuple(results),
        specimens=tuple(
            Made(key, own_tree(one, setting, rewriting)) for one, key in plan.specimens
        ),
        service_request=requests[0] if requests else None,
        provenance=Made(told, provenance(key, version_at, setting)),
        authority=plan.authority,
        filler_number=plan.order.filler_number,
        placer_number=plan.order.placer_number,
        ordered_as=_ordered_as(plan),
        section="",
        status=status,
        version_at=version_at,
        is_preliminary=False,
        is_unverified=False,
        is_histology=False,
        is_imaging=False,
        is_free_text=is_free_text(results),
        withdrawn=tuple(one.key for one in results if one.tree["status"] == _TAKEN_BACK),
        local_codes=local_codes(results),
        documents=documents,
        further_requests=tuple(requests[1:]),
        taken_back=plan.taken_back,
    )
    return _with_reasons(group, plan, setting)


def _with_reasons(group: ReportGroup, plan: Plan, setting: Setting) -> ReportGroup:
    """Return *group* with the reasons why it may have to wait."""
    section = section_of(plan.report.tree, setting.dialect)
    statuses = {one.tree["status"] for one in group.observations}
    if group.status in _FINISHED and statuses & _UNFINISHED:
        setting.rewriting.flags.append(Flag("status-differs", f"{plan.report.path}.status"))
    labels = tuple(dict.fromkeys(_labels(plan)))
    return replace(
        group,
        section=section.code,
        is_preliminary=not _UNFINISHED.isdisjoint((group.status, *statuses)),
        is_histology=section.is_histology,
        is_imaging=section.is_imaging,
        unreleasable=tuple(_unreleasable(plan)),
        holds=tuple(dict.fromkeys(_holds(plan, labels, group.documents))),
        security=labels,
    )


def _status(plan: Plan) -> str:
    status = str(plan.report.tree["status"])
    if status == "unknown":
        text = "A report has to say how it stands."
        raise Refused("AE", 103, "status-unknown", f"{plan.report.path}.status", text)
    return status


def _ordered_as(plan: Plan) -> str:
    """Return what was asked for, in words: of the requests, else of the report."""
    asked = (words_of(entry.tree.get("code", {})) for entry, _ in plan.requests)
    return ", ".join(filter(None, asked)) or words_of(plan.report.tree["code"])


def _report_tree(
    plan: Plan, setting: Setting, rewriting: Rewriting
) -> tuple[Tree, tuple[Document, ...]]:
    tree = own_tree(plan.report, setting, rewriting)
    if plan.taken_back:
        return {name: part for name, part in tree.items() if name not in {*_FOUND, "text"}}, ()
    forms, documents = [], []
    for number, sent in enumerate(tree.pop("presentedForm", ())):
        where = f"{plan.report.path}.presentedForm[{number}]"
        found = document_of(sent, where, setting.rewriting.flags)
        if found is not None:
            forms.append(found[0])
            documents.append(found[1])
    if forms:
        tree["presentedForm"] = forms
    return tree, tuple(documents)


def _result_tree(entry: Entry, plan: Plan, setting: Setting, rewriting: Rewriting) -> Tree:
    tree = own_tree(entry, setting, rewriting)
    taken_back = plan.taken_back or tree["status"] == _TAKEN_BACK
    return emptied(tree) if taken_back else tree


def _request_tree(entry: Entry, status: str, setting: Setting, rewriting: Rewriting) -> Tree:
    """Return a request as the report leaves it: completed by a report that is finished."""
    tree = own_tree(entry, setting, rewriting)
    is_done = status in _FINISHED and tree["status"] == "active"
    return tree | {"status": "completed"} if is_done else tree


def _issued(report: Entry, setting: Setting) -> tuple[str, datetime]:
    """Return when this version of the report was made: issued, else Bundle.timestamp, flagged."""
    issued = report.tree.get("issued", "")
    if issued:
        return issued, start_of(issued)
    where = f"{report.path}.issued"
    if setting.sent_at is None:
        text = "Neither issued nor Bundle.timestamp says when this was made."
        raise Refused("AE", 101, "date-missing", where, text)
    setting.rewriting.flags.append(Flag("issued-assumed", where))
    return setting.sent_text, setting.sent_at


def _labels(plan: Plan) -> Iterator[tuple[str, str]]:
    entries = (plan.report, *(entry for entry, _ in plan.results.entries))
    for entry in entries:
        for label in entry.tree.get("meta", {}).get("security", ()):
            if label.get("code", "") not in UNRESTRICTED:
                yield label.get("system", ""), label.get("code", "")


def _holds(
    plan: Plan, labels: tuple[tuple[str, str], ...], documents: Iterable[Document]
) -> Iterator[str]:
    if labels:
        yield "security-label"
    if plan.results.conflict:
        yield "obx-conflict"
    yield from (one.hold for one in documents if one.hold)


def _unreleasable(plan: Plan) -> Iterator[tuple[Key, str]]:
    for entry, key in plan.results.entries:
        if entry.tree["status"] == "unknown":
            yield key, "unverified"
