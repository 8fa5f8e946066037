"""A later message beside what is stored: what it leaves out stays as it was.

An OBX that a later message omits is unchanged (`hl7v2` snapshot rules of the portal's mapping):
only D, W and X take a result away.
"""

from typing import Any

Tree = dict[str, Any]


def merged_report(report: Tree, before: Tree | None) -> Tree:
    """Return *report* with the results and specimens of *before* that it does not name."""
    if before is None:
        return report
    merged = dict(report)
    for name in ("result", "specimen"):
        known = {one.get("reference") for one in report.get(name, ())}
        kept = [one for one in before.get(name, ()) if one.get("reference") not in known]
        if kept:
            merged[name] = [*report.get(name, ()), *kept]
    return merged


def merged_observation(before: Tree) -> Tree:
    """Return the stored Observation as final, with the value that it has."""
    kept = {name: value for name, value in before.items() if name not in {"id", "meta"}}
    return {**kept, "status": "final"}
