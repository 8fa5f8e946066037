"""Tests that are under way: what was asked for and has no result yet, in a plain line each.

A line says what kind of sample it is and how far it has come: never which test, and never why. A
request with a report that its reader can see is under way no more; one of which nothing was heard
for a long time is not shown, as nobody could say how far it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from fhir_server.clock import from_micros
from portal_api import london
from portal_api.caller import Caller, Entry, find_all
from portal_api.london import Moment, moment

Tree = dict[str, Any]

_SHOWN = timedelta(days=60)
_CANCELLED_SHOWN = timedelta(days=14)
_MOST_ASKED = 50
"""Requests asked about at once in one search for their reports."""

_IN_LABORATORY = frozenset({"A", "IP"})
"""Tags of table 0038: in process, some results are there."""

BLOOD, URINE, STOOL, SCAN, TEST = "Blood test", "Urine test", "Stool test", "Scan", "Test"
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("BLD", "BLDA", "BLDC", "BLDCO", "BLDV", "PLAS", "PPP", "PRP", "SER", "WB"), BLOOD
        ),
        **dict.fromkeys(("119297000", "119361006", "119364003", "122555007"), BLOOD),
        **dict.fromkeys(("UR", "URC", "URINE", "URT", "122575003"), URINE),
        **dict.fromkeys(("STL", "119339001"), STOOL),
    }
)
"""Code of a specimen (table 0487, SNOMED CT) to what a patient calls the test."""
_PICTURES = frozenset(
    {"CT", "CUS", "IMG", "MRI", "NMR", "NMS", "OUS", "PET", "RAD", "RUS", "RX", "VUS", "XRC"}
)


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """Tests of one kind that stand alike. *count* tells how many.

    *step* is `asked`, `taken`, `laboratory`, `paused` or `cancelled`; *since* when it came there.
    """

    kind: str
    step: str
    since: Moment | None
    count: int = 1


async def open_orders(caller: Caller, patient: str) -> tuple[OpenOrder, ...]:
    """Return what is under way for *patient*, the latest first."""
    found = await find_all(
        caller,
        "ServiceRequest",
        ("patient", patient),
        ("status", "active,on-hold,revoked"),
        ("_include", "ServiceRequest:specimen"),
    )
    now = caller.record.clock()
    recent = [
        one
        for one in found.matches
        if now - from_micros(one.stored.last_updated) < _shown(one.tree["status"])
    ]
    answered = await _answered(caller, patient, recent)
    specimens = {one.stored.reference: one.tree for one in found.included}
    waiting = [one for one in recent if one.stored.reference not in answered]
    return _together(_order(one, specimens) for one in waiting)


def _shown(status: str) -> timedelta:
    return _CANCELLED_SHOWN if status == "revoked" else _SHOWN


async def _answered(caller: Caller, patient: str, asked: list[Entry]) -> set[str]:
    """Return the references of those requests that have a report which the caller can see."""
    found: set[str] = set()
    for start in range(0, len(asked), _MOST_ASKED):
        references = ",".join(one.stored.reference for one in asked[start : start + _MOST_ASKED])
        reports = await find_all(
            caller, "DiagnosticReport", ("patient", patient), ("based-on", references)
        )
        found |= {
            named.get("reference", "")
            for report in reports.matches
            for named in report.tree.get("basedOn", ())
        }
    return found


def _order(entry: Entry, specimens: Mapping[str, Tree]) -> OpenOrder:
    tree = entry.tree
    samples = [
        specimens[one["reference"]]
        for one in tree.get("specimen", ())
        if one.get("reference") in specimens
    ]
    step, since = _step(tree, samples)
    return OpenOrder(_kind(tree, samples), step, since)


def _step(tree: Tree, samples: list[Tree]) -> tuple[str, Moment | None]:
    """Return how far a request has come, and since when, as far as that is known."""
    if tree["status"] == "revoked":
        return "cancelled", None
    if tree["status"] == "on-hold":
        return "paused", None
    received = max((one.get("receivedTime", "") for one in samples), default="")
    tags = {one.get("code") for one in tree.get("meta", {}).get("tag", ())}
    if received or tags & _IN_LABORATORY:
        return "laboratory", moment(received)
    taken = max((_taken(one) for one in samples), default="")
    if taken:
        return "taken", moment(taken)
    return "asked", moment(tree.get("authoredOn", ""))


def _taken(specimen: Tree) -> str:
    collection = specimen.get("collection", {})
    start = collection.get("collectedPeriod", {}).get("start", "")
    return str(collection.get("collectedDateTime", start))


def _kind(tree: Tree, samples: list[Tree]) -> str:
    for sample in samples:
        for coding in sample.get("type", {}).get("coding", ()):
            if coding.get("code", "").upper() in _KINDS:
                return _KINDS[coding["code"].upper()]
    sections = {
        coding.get("code", "").upper()
        for category in tree.get("category", ())
        for coding in category.get("coding", ())
    }
    return SCAN if sections & _PICTURES else TEST


def _together(orders: Iterable[OpenOrder]) -> tuple[OpenOrder, ...]:
    """Return *orders* with those of one kind, step and day as one, the latest first."""
    found: dict[tuple[str, str, str], OpenOrder] = {}
    for one in orders:
        key = (one.kind, one.step, london.day(one.since) if one.since else "")
        known = found.get(key)
        if known is None:
            found[key] = one
        else:
            found[key] = OpenOrder(one.kind, one.step, known.since, known.count + 1)
    return tuple(sorted(found.values(), key=_latest, reverse=True))


def _latest(one: OpenOrder) -> float:
    return one.since.instant.timestamp() if one.since else 0.0
