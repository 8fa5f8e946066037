"""A report that is taken back as a whole takes every result with it, whether it is named or not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.hl7v2.conversion import Key, Made, ReportGroup
from adapters.intake.merging import TAKEN_BACK, content_of
from fhir_server.record import Stored, Writer

Tree = dict[str, Any]

_STAYS = frozenset(
    {"resourceType", "identifier", "basedOn", "status", "category", "code", "subject", "encounter"}
    | {"effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued", "performer"}
    | {"specimen", "hasMember"}
)
"""Elements of an Observation that stay when it is taken back: none that says what was found."""


def emptied(tree: Tree) -> Tree:
    """Return an Observation as it is once it was taken back."""
    kept = {name: part for name, part in tree.items() if name in _STAYS}
    return kept | {"status": TAKEN_BACK}


def whole(
    writer: Writer, group: ReportGroup, ids: Mapping[Key, str]
) -> tuple[ReportGroup, dict[Key, str]]:
    """Return *group* with the stored results that it takes back unnamed, and the ids of those."""
    before = writer.current("DiagnosticReport", ids[group.report.key])
    if not group.taken_back or before is None:
        return group, {}
    named = {ids[one.key] for one in group.observations}
    found = (_result(writer, one) for one in content_of(before).get("result", ()))
    unnamed = [one for one in found if one is not None and one.id not in named]
    made = tuple(Made(("Observation", one.id), emptied(content_of(one))) for one in unnamed)
    keys = tuple(one.key for one in made)
    taken = replace(
        group,
        observations=(*group.observations, *made),
        withdrawn=(*group.withdrawn, *keys),
    )
    return taken, dict(zip(keys, (one.id for one in unnamed), strict=True))


def _result(writer: Writer, reference: Tree) -> Stored | None:
    id_ = str(reference.get("reference", "")).removeprefix("Observation/")
    return writer.current("Observation", id_)
