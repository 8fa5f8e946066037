"""What a field changes: the elements that differ once it is taken out of a full message.

A field that says the same as another is seen only where the other is silent.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from adapters.hl7v2.conversion import PATIENT, Link, Made
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.guide_rows import segment_of, target_of
from adapters.hl7v2.kinds import Content, convert
from tests.adapters.hl7v2.full_message import KINDS, message

SILENCED: Mapping[str, tuple[str, ...]] = {
    "MSH-4": ("MSH-22",),
    "MSH-17": ("MSH-22",),
    "MSH-7": ("OBR-22",),
    "MSH-26": ("ORC-28", "MSH-27"),
    "MSH-27": ("ORC-28", "MSH-26"),
    "PID-24": ("PID-25",),
    "PID-30": ("PID-29",),
    "PID-33": ("EVN-6",),
    "ORC-2": ("OBR-2",),
    "ORC-3": ("OBR-3",),
    "ORC-7": ("OBR-27",),
    "OBR-2": ("ORC-2",),
    "OBR-3": ("ORC-3",),
    "OBR-7": ("SPM",),
    "OBR-8": ("SPM",),
    "OBR-9": ("SPM",),
    "OBR-10": ("SPM",),
    "OBR-14": ("SPM",),
    "OBR-15": ("SPM",),
    "OBR-16": ("ORC-12",),
    "OBR-17": ("ORC-14",),
    "OBR-27": ("ORC-7",),
    "OBR-39": ("SPM",),
    "SPM-20": ("SPM-21",),
    "TQ1-7": ("OBR-6",),
    "AIS-4": ("SCH-11",),
    "AIS-7": ("SCH-9",),
    "AIL-6": ("SCH-11", "AIS-4"),
    "AIP-6": ("SCH-11", "AIS-4", "AIL-6"),
}
GIVEN: Mapping[str, Mapping[str, str]] = {
    # Fields that stay empty in the full message, because they silence another.
    "OBR-5": {"OBR-5": "A"},
    "OBR-6": {"OBR-6": "20260805"},
    "TQ1-9": {"TQ1-9": "A"},
    "ORC-5": {"ORC-5": "HD"},
    "PID-35": {"PID-35": "DOG"},
    "TXA-19": {"TXA-19": "OB"},
    # Two specimens, so that OBX-33 has something to tell apart.
    "OBX-33": {"SPM again": "S2"},
}
_NONE: Mapping[str, str] = {}


def _read(change: Mapping[str, str], kind: str) -> Content | str:
    try:
        return convert(read(message(dict(change), kind)), Dialect())
    except Refused as refused:
        return refused.code


@cache
def effects(field: str, kind: str = "result") -> tuple[str, ...]:
    """Return the elements that *field* (`OBR-7`) makes or changes; empty where it changes nothing.

    *kind* is that of the message: `result`, `person`, `letter` or `appointment`.

    `refused: code` stands for a message that is set aside with or without it.
    """
    if field[:3] not in KINDS[kind]:
        return ()
    around = dict.fromkeys(SILENCED.get(field, ()), "") | dict(GIVEN.get(field, _NONE))
    with_it, without = _read(around, kind), _read({**around, field: ""}, kind)
    for one in (with_it, without):
        if isinstance(one, str):
            return (f"refused: {one}",)
    assert not isinstance(with_it, str)
    assert not isinstance(without, str)
    before, after = Counter(_elements(with_it)), Counter(_elements(without))
    found = {place for place, _ in (before - after) + (after - before)}
    if not found and with_it != without:
        return ("what is filed under which id",)
    return tuple(sorted(found))


_OF_APPOINTMENT = frozenset({"SCH", "AIS", "AIG", "AIL", "AIP"})
_OF_PERSON = frozenset({"EVN[Provenance]", "PID[Provenance-Patient]"})


def kind_of(sheet: str) -> str:
    """Return the kind of message in which a row of the guide's *sheet* is looked for."""
    if sheet in _OF_PERSON or segment_of(sheet) == "ROL":
        return "person"
    if "Appointment" in sheet or segment_of(sheet) in _OF_APPOINTMENT:
        return "appointment"
    return "letter" if "TXA" in sheet or "DocumentReference" in sheet else "result"


def goes_to(sheet: str, field: int) -> tuple[str, ...]:
    """Return the elements of the sheet's own resource that a row makes; empty where it makes none.

    A field without which a message is set aside makes what the message is.
    """
    target = target_of(sheet).partition("-")[0]
    found = effects(f"{segment_of(sheet)}-{field}", kind_of(sheet))
    return tuple(one for one in found if one.startswith((f"{target}.", "refused")))


def is_carried(sheet: str, field: int) -> bool:
    """Tell whether a row makes something, in the sheet's own resource or elsewhere."""
    return bool(effects(f"{segment_of(sheet)}-{field}", kind_of(sheet)))


def _elements(content: Content) -> Iterator[tuple[str, str]]:
    """Yield every primitive of every resource, with the element it belongs to."""
    made = (Made(PATIENT, content.person.tree), *content.all_made())
    for one in made:
        kind = str(one.tree["resourceType"])
        for name, child in one.tree.items():
            yield from _leaves(child, f"{kind}.{name}")


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Link):
        yield place, value.key[0]
    elif isinstance(value, list):
        for child in value:
            yield from _leaves(child, place)
    elif isinstance(value, dict):
        url = str(value.get("url", ""))
        if place.endswith("extension") and url:
            place = f"{place}({url.rpartition('/')[2]})"
        for child in value.values():
            yield from _leaves(child, place)
    else:
        yield place, str(value)
