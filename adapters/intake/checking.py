"""What there is to say of a message to the laboratory that means to send it, and summed over many.

Nothing is written, and nothing said repeats what a message says of a person: remarks have a stable
code, a field address and a fixed sentence. Only a test's own code and unit are named.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from adapters.hl7v2.ack import CONDITIONS
from adapters.hl7v2.conformance import judge
from adapters.hl7v2.conversion import Conversion, PersonNamed
from adapters.hl7v2.header import glimpse
from adapters.hl7v2.refusal import Refused
from adapters.intake import identity_rules, stable_codes
from adapters.intake.feeds import Feed
from adapters.intake.preview import preview

Kind = Literal["fault", "identity", "held", "code", "flag", "form"]
KINDS: Mapping[Kind, str] = MappingProxyType(
    {
        "fault": "These messages would not be filed.",
        "identity": "Something is missing that tells safely whose result it is.",
        "held": "These results would wait before a patient sees them.",
        "code": "These tests have no code that everybody knows; each needs a meaning.",
        "flag": "These messages would be filed; something in them deserves a look.",
        "form": "Here the message departs from its version of HL7 v2, as hl7apy judges.",
    }
)
"""The kinds of remark, the gravest first, each with what it means."""

_KNOWN_CODES: frozenset[tuple[str, str]] = frozenset()
_NUMBER = re.compile(r"\[\d+\]")
_EXAMPLES = 3
_CODE_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to say of a message: *address* is the field's (`OBX[3].5`)."""

    kind: Kind
    code: str
    address: str
    text: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A message that was looked at: the answer that it would get, and what there is to say."""

    answer: Literal["AA", "AE", "AR"]
    message_type: str
    version: str
    remarks: tuple[Remark, ...]


@dataclass(slots=True)
class Summed:
    """One remark over many messages: in how many, how often, and where to look first.

    *address* is that of the field in general (`OBX.5`); *examples* are file, message and place.
    """

    kind: Kind
    code: str
    address: str
    text: str
    messages: int = 0
    times: int = 0
    examples: list[str] = field(default_factory=list)


def check(raw: bytes, feed: Feed, known: frozenset[tuple[str, str]] = _KNOWN_CODES) -> Checked:
    """Return what there is to say of *raw*, were it to come by *feed*.

    *known* are the codes of the feed (system, code) that have a meaning. Never raises for what is
    in the message.
    """
    header = glimpse(raw)
    shown = preview(raw, feed.dialect, "")
    remarks = [Remark("fault", one.code, one.field, one.text) for one in shown.faults]
    answer = shown.ack
    if shown.content is not None:
        person = shown.content.person
        try:
            identity_rules.require(feed, person)
        except Refused as lacking:
            answer = lacking.ack
            remarks.append(Remark("fault", lacking.code, lacking.field, lacking.text))
        remarks += _of_person(person)
        remarks += _HELD.get(type(shown.content), _nothing)(shown.content, known)
    remarks += [_flag(one) for one in shown.flags]
    remarks += [Remark("form", one.severity, one.address, one.text) for one in judge(raw)]
    message_type = "^".join(filter(None, (header.message_type, header.trigger)))
    return Checked(answer, message_type, header.version, tuple(remarks))


def summed(checked: Iterable[tuple[str, Checked]]) -> list[Summed]:
    """Return the remarks on all messages, each once, the gravest and commonest first.

    Each message comes with its place (`file message 2`).
    """
    sums: dict[tuple[str, ...], Summed] = {}
    for place, message in checked:
        seen: set[tuple[str, ...]] = set()
        for one in message.remarks:
            key = (one.kind, one.code, _NUMBER.sub("", one.address), one.text)
            total = sums.setdefault(key, Summed(one.kind, one.code, key[2], one.text))
            total.times += 1
            total.messages += key not in seen
            seen.add(key)
            if len(total.examples) < _EXAMPLES:
                total.examples.append(f"{place} {one.address}".strip())
    order = list(KINDS)
    return sorted(
        sums.values(), key=lambda one: (order.index(one.kind), -one.messages, one.address, one.text)
    )


def condition(code: str) -> str:
    """Return the numbers of table 0357 that go with a fault, in words; empty for another code."""
    fault = stable_codes.FAULTS.get(code)
    if fault is None:
        return ""
    return ", ".join(f"{number} {CONDITIONS[number]}" for number in fault.numbers)


def _flag(text: str) -> Remark:
    code, _, address = text.partition(" ")
    return Remark("flag", code, address, stable_codes.meaning(code))


def _of_person(person: PersonNamed) -> Iterator[Remark]:
    for code, address, is_there in (
        ("nhs-number-absent", "PID.3", person.nhs_number is not None),
        ("birth-date-absent", "PID.7", bool(person.birth_date)),
        ("name-absent", "PID.5", bool(person.family)),
        ("sex-absent", "PID.8", bool(person.gender)),
    ):
        if not is_there:
            yield Remark("identity", code, address, stable_codes.ABSENT[code])


def _nothing(_content: Any, _known: frozenset[tuple[str, str]]) -> Iterator[Remark]:
    yield from ()


def _held_results(content: Conversion, known: frozenset[tuple[str, str]]) -> Iterator[Remark]:
    """Yield why results would wait, and the tests that need a meaning."""
    for group in content.groups:
        holds = [(code, "OBX") for _, code in group.unreleasable]
        holds += [(code, "OBR") for code in group.holds]
        holds += [
            (code, address)
            for code, address, applies in (
                ("preliminary", "OBR.25", group.is_preliminary),
                ("unverified", "OBR.25", group.is_unverified),
                ("histology", "OBR.24", group.is_histology),
                ("imaging", "OBR.24", group.is_imaging),
                ("security-label", "ORC.28", bool(group.security)),
                ("identity-unknown", "PID.31", content.person.identity_unknown),
                ("identity-unknown", "PID.30", content.person.deceased is True),
            )
            if applies
        ]
        for code, address in dict.fromkeys(holds):
            yield Remark("held", code, address, stable_codes.HOLDS[code])
        for local in group.local_codes:
            if (local.system, local.code) not in known:
                unit = f" in {local.unit[:_CODE_LENGTH]}" if local.unit else ""
                text = f"{local.code[:_CODE_LENGTH] or 'A test without a code'}{unit}"
                yield Remark("code", "code-unmapped", "OBX.3", text)


_HELD: Mapping[type[Any], Callable[[Any, frozenset[tuple[str, str]]], Iterator[Remark]]] = (
    MappingProxyType({Conversion: _held_results})
)
