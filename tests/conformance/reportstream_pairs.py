"""The messages and Bundles that CDC's ReportStream publishes, and what we make of such a message.

Its catalogue holds a message and its Bundle for each datatype and segment of the HL7 guide. Many
of the messages hold one field and lack what any result must have (whose it is, an order's number,
a status): that is filled in first.
"""

import csv
import re
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

from adapters.hl7v2.conversion import PATIENT, Tree, resolve
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import read
from adapters.hl7v2.kinds import convert

CORPUS = Path(__file__).resolve().parents[2] / "../shared/corpus/hl7v2"
IN_PLACE = {"assigner": "Organization", "device": "Device", "organization": "Organization"}
"""Elements that may name somebody by number and name, where others refer to a resource."""

_FILLED = "ORACLE"
_TEST = f"{_FILLED}^{_FILLED}^L"
_ORDER = f"OBR|1||{_FILLED}|{_TEST}" + "|" * 21 + "F"
_STATUSES = frozenset("ACFIMNOPRSX")


def pairs() -> list[tuple[Path, Path]]:
    """Return the paths of the messages and of their Bundles; none where there is no corpus."""
    index = CORPUS / "INDEX.tsv"
    if not index.is_file():
        return []
    with index.open(encoding="utf8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_MINIMAL))
    return [
        (CORPUS / row["path"], CORPUS / row["expected"])
        for row in rows
        if row["direction"] == "v2>fhir" and not row["dup"] and "reportstream" in row["path"]
    ]


def filled_in(raw: bytes) -> bytes:
    """Return the message with what no result may lack."""
    made: list[str] = []
    for line in filter(None, re.split(r"[\r\n]+", raw.decode())):
        name, fields = line[:3], line.split("|")
        if name == "PID":
            _fill(fields, 3, f"{_FILLED}^^^{_FILLED}^MR")
            fields[3] = re.sub(r"^(\w+)\^{4}MR$", rf"\1^^^{_FILLED}^MR", fields[3])
        elif name == "OBR":
            _fill(fields, 3, _FILLED)
            _fill(fields, 4, _TEST)
            _fill(fields, 25, "F")
            fields[25] = fields[25] if fields[25] in _STATUSES else "F"
        elif name == "OBX":
            if not any(other.startswith("OBR") for other in made):
                made.append(_ORDER)
            _fill(fields, 3, _TEST)
            _fill(fields, 11, "F")
        made.append("|".join(fields))
    if not any(line.startswith("PID") for line in made):
        made.insert(1, f"PID|1||{_FILLED}^^^{_FILLED}^MR")
    if not any(line.startswith("OBR") for line in made):
        made.append(_ORDER)
    return "\r".join(made).encode()


def _fill(fields: list[str], number: int, text: str) -> None:
    fields += [""] * (number + 1 - len(fields))
    if not fields[number].strip("^~&"):
        fields[number] = text


def ours(raw: bytes) -> list[Tree]:
    """Return what we make of a message: resources, and whoever is named in place, as resources."""
    content = convert(read(raw), Dialect(zone=UTC, category=""))
    made = list(content.all_made())
    ids = {each.key: "x" for each in made} | {PATIENT: "x"}
    trees = [resolve(tree, ids) for tree in (content.person.tree, *(one.tree for one in made))]
    return [*trees, *(named for tree in trees for named in _named_in_place(tree))]


def _named_in_place(node: Any) -> Iterator[Tree]:
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from _named_in_place(child)
    for name, kind in IN_PLACE.items():
        told = node.get(name) if isinstance(node, dict) else None
        if told and "reference" not in told:
            known = {"identifier": [told["identifier"]]} if "identifier" in told else {}
            called = {"name": told["display"]} if "display" in told else {}
            yield {"resourceType": kind, **known, **called}
