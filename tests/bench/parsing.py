"""The time that a message takes to be read and mapped, against hl7apy's for reading it alone."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from hl7apy.parser import parse_message

from adapters.hl7v2.dialect import STANDARD
from adapters.hl7v2.er7 import read
from adapters.hl7v2.oru_to_resources import convert
from adapters.intake.preview import preview
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
    return Parsing(
        read=_milliseconds(lambda: read(raw), 30),
        mapped=_milliseconds(lambda: convert(read(raw), STANDARD), 30),
        judged=_milliseconds(lambda: preview(raw, STANDARD, "http://127.0.0.1/fhir"), 30),
        hl7apy=_milliseconds(lambda: parse_message(raw.decode()), 5),
    )


def _milliseconds(act: Callable[[], object], times: int) -> float:
    act()
    spans = []
    for _ in range(times):
        begun = time.process_time()
        act()
        spans.append(time.process_time() - begun)
    return 1000 * median(spans)
