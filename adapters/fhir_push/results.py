"""The Observations of one report: found from it, told apart, emptied where they are taken back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.fhir_push.bundle import Entry
from adapters.fhir_push.numbers import identifier_text, test_of
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.conversion import Flag, Key
from adapters.hl7v2.order import Order
from adapters.hl7v2.refusal import Refused

Tree = dict[str, Any]

DEEPEST = 20
"""Groups of results inside one another."""


@dataclass(slots=True)
class Found:
    """The results of one report, each with its key, in the order in which it names them.

    *conflict*: one test has two values at one time, and nothing tells them apart.
    """

    entries: list[tuple[Entry, Key]] = field(default_factory=list)
    conflict: bool = False


def results_of(report: Entry, order: Order, setting: Setting, placed: dict[int, Key]) -> Found:
    """Return the results that *report* names, and the members of their groups.

    *placed* are those of the reports before it, by number; they are added to it. Raises Refused
    for a result that two reports name (AE 205, `result-shared`) and for a group that is a member
    of itself (AE 100, `reference-circle`).
    """
    search = _Search(order, setting, placed)
    search.take(report, "result", "", ())
    return search.found


@dataclass(slots=True)
class _Search:
    order: Order
    setting: Setting
    placed: dict[int, Key]
    found: Found = field(default_factory=Found)
    mine: set[int] = field(default_factory=set)
    twins: dict[Key, list[Entry]] = field(default_factory=dict)

    def take(self, inside: Entry, element: str, group: str, way: tuple[int, ...]) -> None:
        """Take the results that *element* of *inside* names; *way* are the groups around them."""
        for entry, where in self._targets(inside, element):
            if entry.number in way:
                text = "This group of results is a member of itself."
                raise Refused("AE", 100, "reference-circle", where, text)
            if entry.number in self.mine:
                continue
            if entry.number in self.placed:
                text = "A report before this one has the result already."
                raise Refused("AE", 205, "result-shared", where, text)
            if len(way) >= DEEPEST:
                text = f"Groups of results stand more than {DEEPEST} deep inside one another."
                raise Refused("AE", 103, "content-unsupported", where, text)
            self._keep(entry, group)
            inner = f"{group}/{test_of(entry.tree['code'])}"
            self.take(entry, "hasMember", inner, (*way, entry.number))

    def _targets(self, inside: Entry, element: str) -> Iterator[tuple[Entry, str]]:
        for number, one in enumerate(inside.tree.get(element, ())):
            reference = one.get("reference", "")
            where = f"{inside.path}.{element}[{number}].reference"
            target = self.setting.rewriting.index.target(reference, inside)
            if reference and (target is None or target.type != "Observation"):
                text = "This leads to no Observation that is in the Bundle."
                raise Refused("AE", 204, "reference-outside", where, text)
            if target is not None:
                yield target, where

    def _keep(self, entry: Entry, group: str) -> None:
        code = entry.tree["code"]
        systems = (coding["system"] for coding in code.get("coding", ()) if "system" in coding)
        own = identifier_text(entry.tree)
        key = self.order.key_of(
            "Observation", test_of(code), next(systems, ""), "" if own else group, own
        )
        twins = self.twins.setdefault(key, [])
        if twins and not own and not _is_another_time(entry, twins):
            self.found.conflict = True
            self.setting.rewriting.flags.append(Flag("obx-conflict", entry.path))
        twins.append(entry)
        key = (*key, str(len(twins)) if len(twins) > 1 else "")
        self.placed[entry.number] = key
        self.mine.add(entry.number)
        self.found.entries.append((entry, key))


def _is_another_time(entry: Entry, twins: list[Entry]) -> bool:
    taken = entry.tree.get("effectiveDateTime", "")
    before = [twin.tree.get("effectiveDateTime", "") for twin in twins]
    return bool(taken) and all(before) and taken not in before
