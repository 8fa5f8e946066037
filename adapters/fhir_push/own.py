"""Resources of the patient's own: about the Bundle's Patient, and without what a server writes."""

from collections.abc import Iterable
from typing import Any

from adapters.fhir_push.bundle import Entry
from adapters.fhir_push.dates import require_believable
from adapters.fhir_push.references import Rewriting, rewritten
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.conversion import PATIENT
from adapters.hl7v2.refusal import Refused

Tree = dict[str, Any]


def own_tree(entry: Entry, setting: Setting, rewriting: Rewriting) -> Tree:
    """Return a resource as it is filed; of its meta the security labels stay.

    Raises Refused: AE 101, `subject-missing`, where it does not say that it is about the Patient;
    AE 102, `date-bad`, where a date can't be believed; and as `rewritten` does.
    """
    require_believable(entry.tree, entry.path, setting.latest)
    kept = {name: part for name, part in entry.tree.items() if name not in {"id", "meta"}}
    tree = rewritten(kept, entry, rewriting)
    link = tree.get("subject", {}).get("reference")
    if getattr(link, "key", None) != PATIENT:
        text = "The resource has to be about the Bundle's Patient."
        raise Refused("AE", 101, "subject-missing", f"{entry.path}.subject", text)
    labels = entry.tree.get("meta", {}).get("security")
    return tree | ({"meta": {"security": labels}} if labels else {})


def targets(
    entries: Iterable[Entry], element: str, resource_type: str, setting: Setting
) -> list[Entry]:
    """Return the entries of one type that *element* of *entries* leads to, each once."""
    found: dict[int, Entry] = {}
    for entry in entries:
        sent = entry.tree.get(element, ())
        for one in sent if isinstance(sent, list) else (sent,):
            reference = one.get("reference", "") if one else ""
            target = setting.rewriting.index.target(reference, entry) if reference else None
            if target is not None and target.type == resource_type:
                found[target.number] = target
    return list(found.values())
