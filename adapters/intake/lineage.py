"""What a Provenance says of versions: what a message made anew, revised, or took back.

The earlier version is named exactly (`Observation/1/_history/2`), so that whoever may see it finds
the value that was corrected. Source: https://hl7.org/fhir/R4/provenance.html;
http://terminology.hl7.org/CodeSystem/v3-DataOperation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.hl7v2.conversion import Key, Made, resolve
from adapters.intake.merging import TAKEN_BACK, content_of
from adapters.intake.occasion import reference
from fhir_server.model.validate import judge
from fhir_server.record import Stored, Writer

Tree = dict[str, Any]
Change = tuple[Stored, Tree]
"""What stood, and what it becomes."""

_OPERATIONS = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


def changed(writer: Writer, before: Stored | None, tree: Tree) -> list[Change]:
    """Return the change of one resource; none where it is new, or stays as it was."""
    if before is None or not writer.differs(tree, before.id):
        return []
    return [(before, tree)]


def told(
    writer: Writer, made: Made, ids: Mapping[Key, str], changes: Sequence[Change], *, is_new: bool
) -> Tree:
    """Return the Provenance *made*, judged, with what its message did to what stood before.

    *is_new* says that nothing stood. A message that changes nothing did nothing to it; one that is
    filed once more did what it did the first time.
    """
    tree = resolve(made.tree, ids)
    stands = None if is_new else writer.current("Provenance", ids[made.key])
    if stands is not None:
        known = content_of(stands)
        return judge(tree | {name: known[name] for name in ("activity", "entity")})
    code = _operation(changes, is_new=is_new)
    if code:
        operation = {"system": _OPERATIONS, "code": code}
        activity = tree["activity"]
        tree["activity"] = activity | {"coding": [*activity["coding"], operation]}
    tree["entity"] = [*tree["entity"], *(_earlier(*change) for change in changes)]
    return judge(tree)


def _operation(changes: Sequence[Change], *, is_new: bool) -> str:
    if is_new:
        return "CREATE"
    if not changes:
        return ""
    is_gone = all(tree["status"] == TAKEN_BACK for _, tree in changes)
    return "NULLIFY" if is_gone else "UPDATE"


def _earlier(before: Stored, tree: Tree) -> Tree:
    role = "removal" if tree["status"] == TAKEN_BACK else "revision"
    return {"role": role, "what": {"reference": reference(before)}}
