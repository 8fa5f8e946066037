"""The time that a message takes to be read and mapped, against hl7apy's for reading it alone."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from hl7apy.parser import parse_message

from adapters.hl7v2.conversion import Key, resolve
from adapters.hl7v2.dialect import STANDARD
from adapters.hl7v2.er7 import read
from adapters.hl7v2.oru_to_resources import convert
from fhir_server.model.validate import judge
from portal_api.running import settle_memory
from tests.bench.messages import nhs_numbers, oru


@dataclass(frozen=True, slots=True)
class Parsing:
    """Milliseconds of the processor's time for one message."""

    read: float
    mapped: float
    judged: float
    hl7apy: float


def measure(results: int) -> Parsing:
    """Measure a message with so many results."""
    raw = oru(1, results, nhs_numbers(1)[0])
    ids = defaultdict[Key, str](lambda: "0a" * 16)
    settle_memory()  # as a portal does that runs
    return Parsing(
        read=_milliseconds(lambda: read(raw), 30),
        mapped=_milliseconds(lambda: convert(read(raw), STANDARD), 30),
        judged=_milliseconds(lambda: _judged(raw, ids), 30),
        hl7apy=_milliseconds(lambda: parse_message(raw.decode()), 5),
    )


def _judged(raw: bytes, ids: Mapping[Key, str]) -> None:
    content = convert(read(raw), STANDARD)
    for tree in (content.person.tree, *(one.tree for one in content.all_made())):
        judge(resolve(tree, ids))


def _milliseconds(act: Callable[[], object], times: int) -> float:
    act()
    spans = []
    for _ in range(times):
        begun = time.process_time()
        act()
        spans.append(time.process_time() - begun)
    return 1000 * median(spans)
