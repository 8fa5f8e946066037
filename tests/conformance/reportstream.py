"""Element by element beside the Bundles that CDC's ReportStream publishes.

Compared is every element that a Bundle holds of a patient, report, result, request or specimen,
and of whomever these name: its path and its text, in whichever order.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.er7 import Refused
from fhir_server.model import json
from tests.conformance.reportstream_pairs import IN_PLACE, filled_in, ours, pairs
from tests.conformance.reportstream_theirs import (
    AGAINST_THE_GUIDE,
    GUIDE,
    HL7,
    SHELL,
    is_shell,
    own,
)

CLINICAL = ("Patient", "DiagnosticReport", "Observation", "ServiceRequest", "Specimen")
NAMED = ("Practitioner", "PractitionerRole", "Organization", "Device")
"""Kinds that are compared where a clinical resource names them, and not where others do."""
_KIN = "contact.organization.reference"

Leaf = tuple[str, str]


@dataclass(slots=True)
class Tally:
    """Counts of their elements: by kind of resource, by why they are theirs, and by path."""

    messages: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    extensions: int = 0
    elsewhere: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    alike: Counter[str] = field(default_factory=Counter)
    otherwise: Counter[str] = field(default_factory=Counter)


def agreement() -> Tally:
    """Return how far we agree with all that is published, and has come here."""
    tally = Tally()
    for message, bundle in pairs():
        tally.messages += 1
        try:
            made = ours(filled_in(message.read_bytes()))
        except Refused as refused:
            tally.refused[f"{refused.code} {refused.field}"] += 1
            continue
        compare(made, json.decode(bundle.read_bytes()), tally)
    return tally


def compare(made: Sequence[Tree], bundle: Tree, tally: Tally) -> None:
    """Count into *tally* what *bundle* holds, and what of it is in *made*."""
    resources = {
        f"{one['resourceType']}/{one['id']}": one
        for one in (entry["resource"] for entry in bundle["entry"])
    }
    compared = _compared(resources)
    shells = {name for name, one in resources.items() if is_shell(one)}
    pools = {kind: [tree for tree in made if tree["resourceType"] == kind] for kind in CLINICAL}
    for name, resource in resources.items():
        kind = resource["resourceType"]
        wanted: Counter[Leaf] = Counter()
        for path, text in _leaves(resource, kind, tally):
            if name not in compared:
                tally.elsewhere[kind] += 1
            elif path.endswith(".reference") and text not in compared:
                tally.elsewhere[text.partition("/")[0]] += 1
            elif reason := SHELL if {name, text} & shells else own(path, text, resource):
                tally.own[reason] += 1
            else:
                wanted[path, _comparable(path, text)] += 1
        pool = pools.get(kind)
        _match(wanted, made if pool is None else pool, kind, tally)


def _match(wanted: Counter[Leaf], pool: Sequence[Tree], kind: str, tally: Tally) -> None:
    """Count *wanted* against the likest of *pool*; what is clinical is matched with one only."""
    best: Counter[Leaf] = Counter()
    likest = None
    for tree in pool:
        if not wanted or tree["resourceType"] != kind:
            continue
        candidate = Counter((path, _comparable(path, text)) for path, text in _leaves(tree, kind))
        if likest is None or (wanted & candidate).total() > (wanted & best).total():
            best, likest = candidate, tree
    if isinstance(pool, list) and likest is not None and kind in CLINICAL:
        pool.remove(likest)
    for (path, _), count in (wanted & best).items():
        tally.alike[path] += count
    for (path, text), count in (wanted - best).items():
        if (path, text) in AGAINST_THE_GUIDE:
            tally.own[GUIDE] += count
        else:
            tally.otherwise[path] += count


def _compared(resources: Mapping[str, Tree]) -> set[str]:
    """Return the names of the clinical resources, and of whomever these name.

    Who stands behind a patient's next of kin is of the next of kin, who has no resource here.
    """
    waiting = [name for name, one in resources.items() if one["resourceType"] in CLINICAL]
    found = set(waiting)
    while waiting:
        for path, text in _leaves(resources[waiting.pop()], "", Tally()):
            is_named = path.endswith(".reference") and text.startswith(NAMED)
            if is_named and not path.endswith(_KIN) and text not in found:
                found.add(text)
                waiting.append(text)
    return found


def _leaves(node: Any, path: str, tally: Tally | None = None) -> Iterator[Leaf]:
    """Yield every primitive below *node* with its path; lists add no step.

    What stands in extensions that only CDC knows is counted in *tally* and not yielded.
    """
    if isinstance(node, list):
        for child in node:
            yield from _leaves(child, path, tally)
        return
    if not isinstance(node, dict):
        yield path, str(node)
        return
    for name, child in node.items():
        below = f"{path}.{name}"
        if name == "extension":
            yield from _extended(child, path, tally)
        elif name in IN_PLACE and "reference" not in child:
            yield f"{below}.reference", IN_PLACE[name]
        else:
            yield from _leaves(child, below, tally)


def _extended(extensions: Sequence[Tree], path: str, tally: Tally | None) -> Iterator[Leaf]:
    for one in extensions:
        told = {name: part for name, part in one.items() if name != "url"}
        if tally is None or one["url"].startswith(HL7):
            name = one["url"].rpartition("/")[2]
            yield from _leaves(told, f"{path}.extension({name})", tally)
        else:
            tally.extensions += sum(1 for _ in _leaves(one, ""))


def _comparable(path: str, text: str) -> str:
    """Return a text as it is compared: a reference by its kind, a time without idle zeros."""
    if path.endswith(".reference"):
        return text.partition("/")[0]
    if re.match(r"\d{4}-\d\d-\d\dT", text):
        text = text.replace("Z", "+00:00")
        return re.sub(r"\.(\d*?)0*(?=[+-]\d\d:)", r".\1", text).replace(".+", "+")
    return text
