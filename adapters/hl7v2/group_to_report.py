"""One order group to a DiagnosticReport with all that hangs on it.

What the release policy will ask (preliminary, histology, imaging, codes that nobody knows, labels,
documents that could run) is answered here, from the message; when a patient may see the report is
decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.hl7v2.code_tables import UNRESTRICTED, UNVERIFIED
from adapters.hl7v2.codeable_concepts import words
from adapters.hl7v2.composite import first, value
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Link, Made, ReportGroup, Tree
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import Group, SpecimenLines
from adapters.hl7v2.message_to_provenance import provenance
from adapters.hl7v2.obr_to_report import (
    Issued,
    effective,
    is_histology,
    is_imaging,
    issued,
    observation_category,
    report,
    security,
    status_of,
)
from adapters.hl7v2.obr_to_service_request import service_request
from adapters.hl7v2.obx_to_observation import Setting
from adapters.hl7v2.order import Order
from adapters.hl7v2.report_results import (
    Gathered,
    is_free_text,
    laboratories,
    local_codes,
    take_documents,
    take_results,
)
from adapters.hl7v2.spm_to_specimen import rejection, specimen, specimen_of_order

_UNFINISHED = frozenset({"registered", "partial", "preliminary"})
_FINISHED = frozenset({"final", "corrected"})


@dataclass(frozen=True, slots=True)
class _Draft:
    """A report with its results, before it is said what the release policy has to know."""

    tree: Tree
    gathered: Gathered
    specimens: list[Made]
    when: Issued


def report_group(
    group: Group, order: Order, header: Segment, encounter: Tree, context: Context
) -> ReportGroup:
    """Return the report of *group*. *encounter* is a reference to the visit, or empty."""
    section = value(group.obr, 24).upper()
    sent, _ = status_of(group.obr, context)
    draft = _draft(group, order, section, encounter, context)
    tree, gathered = draft.tree, draft.gathered
    labels = tuple(security(group.orc))
    _hold_for_labels(draft, labels, header)
    request = service_request(group, order, sent, gathered.answers, context)
    if labels:
        request["meta"] = tree["meta"]
    return ReportGroup(
        report=Made(order.key_of("DiagnosticReport"), tree),
        observations=tuple(gathered.observations),
        specimens=tuple(draft.specimens),
        service_request=Made(order.key_of("ServiceRequest"), request),
        provenance=_provenance(group, order, header, draft.when, context),
        authority=context.authority,
        filler_number=order.filler_number,
        placer_number=order.placer_number,
        ordered_as=words(order.code),
        section=section,
        status=tree["status"],
        version_at=draft.when.at,
        is_preliminary=not _UNFINISHED.isdisjoint((tree["status"], *gathered.statuses)),
        is_unverified=sent in UNVERIFIED,
        is_histology=is_histology(section, order.test, context),
        is_imaging=is_imaging(section),
        is_free_text=is_free_text(gathered.observations),
        withdrawn=tuple(gathered.withdrawn),
        status_only=tuple(gathered.status_only),
        unreleasable=tuple(gathered.unreleasable),
        holds=tuple(dict.fromkeys(gathered.holds)),
        local_codes=local_codes(gathered.observations),
        security=labels,
        release_codes=tuple(dict.fromkeys(gathered.release_codes)),
        documents=tuple(attached.document for attached in gathered.attached),
    )


def _draft(group: Group, order: Order, section: str, encounter: Tree, context: Context) -> _Draft:
    obr = group.obr
    when = issued(obr, context)
    specimens = specimens_of(group, order, context)
    setting = Setting(
        category=observation_category(section, context),
        service_request=Link(order.key_of("ServiceRequest")),
        encounter=encounter,
        effective=_start(effective(obr, context)),
        specimen=Link(specimens[0].key) if len(specimens) == 1 else None,
        specimens=_by_number(specimens),
        rejected=next(filter(None, (rejection(s.spm, context) for s in group.specimens)), {}),
    )
    gathered = Gathered()
    take_results(group.results, gathered, order, setting, context)
    take_documents(group.results, gathered, when, context)
    tree = report(group, order, when, context)
    tree["result"] = [{"reference": Link(key)} for key in gathered.links]
    for made, described in zip(specimens, group.specimens, strict=False):
        before = len(gathered.observations)
        number = f"of {made.key[-1]}"
        take_results(described.results, gathered, order, setting, context, of_specimen=number)
        for about in gathered.observations[before:]:
            about.tree["focus"] = [{"reference": Link(made.key)}]
    _complete(tree, gathered, specimens, encounter)
    _judge_statuses(tree, gathered, obr, context)
    return _Draft(tree, gathered, specimens, when)


def _hold_for_labels(draft: _Draft, labels: Sequence[tuple[str, str]], header: Segment) -> None:
    """Write the report's labels on its results, and hold it where they ask for more care.

    A label of the whole message (MSH-26, MSH-27) asks for more care, whatever it says.
    """
    of_message = value(header, 26) or value(header, 27)
    if of_message or any(code not in UNRESTRICTED for _, code in labels):
        draft.gathered.holds.append("security-label")
    for made in draft.gathered.observations if labels else ():
        made.tree["meta"] = draft.tree["meta"]


def _provenance(
    group: Group, order: Order, header: Segment, when: Issued, context: Context
) -> Made:
    recorded = context.received_at or context.sent_at or when.at
    target = order.key_of("DiagnosticReport")
    version = value(header, 10) or when.text
    tree = provenance(header, group.orc, target, recorded, context)
    return Made(order.key_of("Provenance", version), tree)


def specimens_of(group: Group, order: Order, context: Context) -> list[Made]:
    """Return the Specimens of *group*: of each SPM, else of what OBR says of one."""
    made = [
        Made(
            order.key_of("Specimen", _specimen_name(described, number)),
            specimen(described, group.obr, context),
        )
        for number, described in enumerate(group.specimens, start=1)
    ]
    if not made:
        tree = specimen_of_order(group.obr, context)
        if tree:
            made.append(Made(order.key_of("Specimen", "1"), tree))
    return made


def _specimen_name(described: SpecimenLines, number: int) -> str:
    pair = first(described.spm, 2)
    return f"{pair.sub(2)[1] or pair.sub(1)[1]}#{number}"


def _by_number(specimens: Sequence[Made]) -> dict[str, Link]:
    return {
        identifier["value"]: Link(made.key)
        for made in specimens
        for identifier in made.tree.get("identifier", ())
    }


def _complete(tree: Tree, gathered: Gathered, specimens: Sequence[Made], encounter: Tree) -> None:
    if not tree["result"]:
        del tree["result"]
    if specimens:
        tree["specimen"] = [{"reference": Link(made.key)} for made in specimens]
    if encounter:
        tree["encounter"] = encounter
    if gathered.attached:
        tree["presentedForm"] = [attached.tree for attached in gathered.attached]
    found = [
        performer
        for performer in laboratories(gathered.observations)
        if performer not in tree.get("performer", ())
    ]
    if found:
        tree["performer"] = [*tree.get("performer", ()), *found]


def _judge_statuses(tree: Tree, gathered: Gathered, obr: Segment, context: Context) -> None:
    """Take back a report whose every result is; flag a final one with unfinished results."""
    statuses = set(gathered.statuses)
    if statuses == {"entered-in-error"}:
        tree["status"] = "entered-in-error"
    elif tree["status"] in _FINISHED and statuses & _UNFINISHED:
        context.flag("status-differs", obr.address(25))


def _start(when: Tree) -> str:
    if "effectivePeriod" in when:
        return str(when["effectivePeriod"]["start"])
    return str(when.get("effectiveDateTime", ""))
