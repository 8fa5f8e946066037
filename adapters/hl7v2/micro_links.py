"""Which results belong under which: isolates and their susceptibilities.

A group that names its parent (OBR-29 the order, OBR-26 the result) is hung below that result;
within one microbiology report, results that share OBX-4 hang below the first of them, the
isolate. A parent that is not in the message leaves the child at the level of its report, flagged.
Source: HL7 v2 chapter 7, 7.4.1.26 and 7.4.1.29; HL7 UK A.3 (OBX-4).
"""

from collections.abc import Sequence

from adapters.hl7v2.composite import first
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Link, Made, ReportGroup
from adapters.hl7v2.groups import Group

_MICROBIOLOGY = frozenset({"MB", "MCB", "MYC", "BC", "MIC"})


def link_results(groups: Sequence[Group], reports: Sequence[ReportGroup], context: Context) -> None:
    """Write `hasMember` into the Observations of *reports*, which *groups* became, in order."""
    for group, report in zip(groups, reports, strict=True):
        if group.obr.field(26) or group.obr.field(29):
            _link_to_parent(group, report, reports, context)
        elif report.section in _MICROBIOLOGY:
            _link_isolates(report)


def _link_to_parent(
    group: Group, report: ReportGroup, reports: Sequence[ReportGroup], context: Context
) -> None:
    obr = group.obr
    wanted, order = first(obr, 26), first(obr, 29)
    code, sub_id = wanted.sub(1)[1], wanted[2]
    numbers = {order.sub(2)[1], order.sub(1)[1]} - {""}
    for other in reports:
        named = {other.filler_number, other.placer_number}
        if other is report or (numbers and not numbers & named):
            continue
        parents = [made for made in other.observations if _answers(made, code, sub_id)]
        if parents:
            _add_members(parents[0], report.observations)
            return
    context.flag("parent-unseen", obr.address(26 if obr.field(26) else 29))


def _answers(made: Made, code: str, sub_id: str) -> bool:
    # The key of an Observation ends with code, system, OBX-4, OBX-21 and place.
    return bool(code) and made.key[-5] == code and (not sub_id or made.key[-3] == sub_id)


def _link_isolates(report: ReportGroup) -> None:
    isolates: dict[str, list[Made]] = {}
    for made in report.observations:
        if made.key[-3]:
            isolates.setdefault(made.key[-3], []).append(made)
    for isolate, *tests in isolates.values():
        if tests and "valueQuantity" not in isolate.tree:
            _add_members(isolate, tests)


def _add_members(parent: Made, members: Sequence[Made]) -> None:
    if not members:
        return
    links = [{"reference": Link(made.key)} for made in members]
    parent.tree["hasMember"] = [*parent.tree.get("hasMember", ()), *links]
