"""One order group to a DiagnosticReport with all that hangs on it.

What the release policy will ask (preliminary, histology, imaging, codes that nobody knows, labels,
documents that could run) is answered here, from the message; when a patient may see the report is
decided elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.hl7v2.attachments import Attached, encapsulated, pointed
from adapters.hl7v2.code_tables import (
    RELEASE_WITHHELD,
    STATUS_ONLY,
    UNRESTRICTED,
    UNVERIFIED,
    WITHDRAWN,
)
from adapters.hl7v2.codeable_concepts import codeable_concept, words
from adapters.hl7v2.coding_systems import STANDARD
from adapters.hl7v2.composite import each, first, value
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Key, Link, LocalCode, Made, ReportGroup, Tree
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import Group, Result, SpecimenLines
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
from adapters.hl7v2.obx_to_observation import Setting, observation
from adapters.hl7v2.obx_to_observation import status_of as result_status_of
from adapters.hl7v2.obx_value import unit_as_sent
from adapters.hl7v2.order import Order
from adapters.hl7v2.results import Line, documents, lines
from adapters.hl7v2.spm_to_specimen import rejection, specimen, specimen_of_order

_UNFINISHED = frozenset({"registered", "partial", "preliminary"})
_FINISHED = frozenset({"final", "corrected"})
_NOT_ASKED = frozenset({"N"})


@dataclass(slots=True)
class _Gathered:
    """The results of one report as they are made, with what is to be said of them."""

    observations: list[Made] = field(default_factory=list)
    links: list[Key] = field(default_factory=list)
    withdrawn: list[Key] = field(default_factory=list)
    status_only: list[Key] = field(default_factory=list)
    unreleasable: list[tuple[Key, str]] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    release_codes: list[str] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)


def report_group(
    group: Group, order: Order, header: Segment, encounter: Tree, context: Context
) -> ReportGroup:
    """Return the report of *group*. *encounter* is a reference to the visit, or empty."""
    obr = group.obr
    section = value(obr, 24).upper()
    sent, _ = status_of(obr, context)
    when = issued(obr, context)
    specimens = _specimens(group, order, context)
    setting = Setting(
        category=observation_category(section, context),
        service_request=Link(order.key_of("ServiceRequest")),
        encounter=encounter,
        effective=_start(effective(obr, context)),
        specimen=Link(specimens[0].key) if len(specimens) == 1 else None,
        rejected=next(filter(None, (rejection(s.spm, context) for s in group.specimens)), {}),
    )
    gathered = _Gathered()
    _take_results(group.results, gathered, order, setting, context)
    _take_documents(group.results, gathered, when, context)
    tree = report(group, order, when, context)
    tree["result"] = [{"reference": Link(key)} for key in gathered.links]
    for made, described in zip(specimens, group.specimens, strict=False):
        before = len(gathered.observations)
        _take_results(described.results, gathered, order, setting, context)
        for about in gathered.observations[before:]:
            about.tree["focus"] = [{"reference": Link(made.key)}]
    _complete(tree, gathered, specimens, encounter)
    _judge_statuses(tree, gathered, obr, context)
    labels = tuple(security(group.orc))
    if any(code not in UNRESTRICTED for _, code in labels):
        gathered.holds.append("security-label")
    for made in gathered.observations if labels else ():
        made.tree["meta"] = tree["meta"]
    report_key = order.key_of("DiagnosticReport")
    version = value(header, 10) or when.text
    recorded = context.received_at or context.sent_at or when.at
    return ReportGroup(
        report=Made(report_key, tree),
        observations=tuple(gathered.observations),
        specimens=tuple(specimens),
        service_request=Made(
            order.key_of("ServiceRequest"), service_request(group, order, sent, context)
        ),
        provenance=Made(
            order.key_of("Provenance", version),
            provenance(header, group, report_key, recorded, context),
        ),
        authority=context.authority,
        filler_number=order.filler_number,
        placer_number=order.placer_number,
        ordered_as=words(order.code),
        section=section,
        status=tree["status"],
        version_at=when.at,
        is_preliminary=not _UNFINISHED.isdisjoint((tree["status"], *gathered.statuses)),
        is_unverified=sent in UNVERIFIED,
        is_histology=is_histology(section, order.test, context),
        is_imaging=is_imaging(section),
        is_free_text=_is_free_text(gathered.observations),
        withdrawn=tuple(gathered.withdrawn),
        status_only=tuple(gathered.status_only),
        unreleasable=tuple(gathered.unreleasable),
        holds=tuple(dict.fromkeys(gathered.holds)),
        local_codes=_local_codes(gathered.observations),
        security=labels,
        release_codes=tuple(dict.fromkeys(gathered.release_codes)),
        documents=tuple(attached.document for attached in gathered.attached),
    )


def _specimens(group: Group, order: Order, context: Context) -> list[Made]:
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


def _take_results(
    results: Sequence[Result],
    gathered: _Gathered,
    order: Order,
    setting: Setting,
    context: Context,
) -> None:
    found, _, conflict = lines(results, order, context)
    if conflict:
        gathered.holds.append("obx-conflict")
    for line in found:
        key = order.key_of("Observation", *line.key)
        gathered.links.append(key)
        sent, status = result_status_of(line.obx, context)
        gathered.statuses.append(status)
        _note_release(line, key, sent, gathered)
        if sent in STATUS_ONLY and not line.obx.field(5):
            gathered.status_only.append(key)
            continue
        if sent in WITHDRAWN:
            gathered.withdrawn.append(key)
        gathered.observations.append(Made(key, observation(line, setting, context)))


def _note_release(line: Line, key: Key, sent: str, gathered: _Gathered) -> None:
    """Note what of one result no patient may be shown without a clinician, and why."""
    obx = line.obx
    if sent in UNVERIFIED:
        gathered.unreleasable.append((key, "unverified"))
    if sent in _NOT_ASKED:
        gathered.unreleasable.append((key, "not-asked"))
    if len(obx.fields) <= 13:
        return
    if value(obx, 13):
        gathered.unreleasable.append((key, "access-checks"))
    for asked in each(obx, 26):
        gathered.release_codes.append(asked[1])
        if asked[1] in RELEASE_WITHHELD:
            gathered.unreleasable.append((key, "laboratory-withholds"))


def _take_documents(
    results: Sequence[Result], gathered: _Gathered, when: Issued, context: Context
) -> None:
    for result in documents(results):
        obx = result.obx
        sent, status = result_status_of(obx, context)
        gathered.statuses.append(status)
        if sent in WITHDRAWN:
            context.flag("document-withdrawn", obx.address())
            continue
        if not obx.field(5):
            context.flag("document-empty", obx.address(5))
            continue
        title = words(codeable_concept(first(obx, 3), context))
        read = pointed if result.kind == "RP" else encapsulated
        attached = read(obx, context, title, when.text)
        if attached is None:
            continue
        gathered.attached.append(attached)
        if attached.document.hold:
            gathered.holds.append(attached.document.hold)


def _complete(tree: Tree, gathered: _Gathered, specimens: Sequence[Made], encounter: Tree) -> None:
    if not tree["result"]:
        del tree["result"]
    if specimens:
        tree["specimen"] = [{"reference": Link(made.key)} for made in specimens]
    if encounter:
        tree["encounter"] = encounter
    if gathered.attached:
        tree["presentedForm"] = [attached.tree for attached in gathered.attached]
    laboratories = [
        performer
        for performer in _performers(gathered.observations)
        if performer not in tree.get("performer", ())
    ]
    if laboratories:
        tree["performer"] = [*tree.get("performer", ()), *laboratories]


def _performers(observations: Iterable[Made]) -> list[Tree]:
    found: list[Tree] = []
    for made in observations:
        for performer in made.tree.get("performer", ()):
            link = performer.get("reference")
            is_laboratory = link is None or link.key[0] == "Organization"
            if is_laboratory and performer not in found:
                found.append(performer)
    return found


def _judge_statuses(tree: Tree, gathered: _Gathered, obr: Segment, context: Context) -> None:
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


def _is_free_text(observations: Sequence[Made]) -> bool:
    valued = [made.tree for made in observations if "dataAbsentReason" not in made.tree]
    return bool(valued) and all("valueString" in tree for tree in valued)


def _local_codes(observations: Sequence[Made]) -> tuple[LocalCode, ...]:
    found: dict[LocalCode, None] = {}
    for made in observations:
        code = made.tree["code"]
        codings = code.get("coding", ())
        is_known = any(coding.get("system") in STANDARD for coding in codings)
        if is_known or made.tree["status"] == "entered-in-error":
            continue
        coding = codings[0] if codings else {}
        local = LocalCode(
            coding.get("system", ""), coding.get("code", ""), words(code), unit_as_sent(made.tree)
        )
        found[local] = None
    return tuple(found)
