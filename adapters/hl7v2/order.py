"""Which order a group of segments is about: its numbers, its test, its business key.

ORC comes before OBR, but an ORC that an earlier OBR has used already says nothing about the
number of the next one. Source: HL7 v2 chapter 4, 4.5.1 and 4.5.3; the guide's sheets
ORC[DiagnosticReport] and OBR[DiagnosticReport].
"""

from dataclasses import dataclass

from adapters.hl7v2.codeable_concepts import codeable_concept, words
from adapters.hl7v2.composite import Composite, first
from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.conversion import Key, Tree
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import Group
from adapters.hl7v2.identifiers import entity_identifier, pair_identifiers


@dataclass(frozen=True, slots=True)
class Order:
    """One order: its numbers as text and as identifiers, its code, and its business key.

    *key* is what the keys of all its resources have in common: the sender, the kind of number,
    the number, the test. The patient is not in it.
    """

    key: tuple[str, ...]
    filler_number: str
    placer_number: str
    identifiers: tuple[Tree, ...]
    group_identifiers: tuple[Tree, ...]
    code: Tree
    test: str

    def key_of(self, resource_type: str, *more: str) -> Key:
        """Return the key of one of the order's resources."""
        return (resource_type, *self.key, *more)


def order_of(group: Group, context: Context, *, orc_is_used: bool, taken: set[Key]) -> Order:
    """Return the order that *group* is about.

    *taken* holds the keys of the orders before it in the message; the same once more is told
    apart by its place. Refuses an order without a number (AE 101, `order-number-missing`) or
    without a test (AE 101, `test-missing`).
    """
    obr = group.obr
    code = codeable_concept(first(obr, 4), context)
    if not code:
        raise refusal(101, "test-missing", obr.address(4), "OBR-4 does not say what was ordered.")
    placer, filler = (_number(group, number, orc_is_used=orc_is_used) for number in (2, 3))
    if not placer[1] and not filler[1]:
        text = "Neither OBR-3 nor OBR-2 holds an order number: no later message could find this."
        raise refusal(101, "order-number-missing", obr.address(3), text)
    sent = first(obr, 4)
    test = sent[1] or sent[4] or words(code)
    number = ("FILL", filler[1]) if filler[1] else ("PLAC", placer[1])
    key: Key = (context.authority, *number, test)
    times = 1
    while key in taken:
        times += 1
        key = (context.authority, *number, test, str(times))
    taken.add(key)
    identifiers = (
        entity_identifier(placer, context, "PLAC"),
        entity_identifier(filler, context, "FILL"),
    )
    return Order(
        key,
        filler[1],
        placer[1],
        tuple(identifier for identifier in identifiers if identifier),
        tuple(_group_identifiers(group.orc, context)),
        code,
        test,
    )


def _number(group: Group, number: int, *, orc_is_used: bool) -> Composite:
    in_obr = first(group.obr, number)
    in_orc = first(group.orc, number) if group.orc is not None else in_obr
    preferred, other = (in_obr, in_orc) if orc_is_used else (in_orc, in_obr)
    return preferred if preferred[1] else other


def _group_identifiers(orc: Segment | None, context: Context) -> list[Tree]:
    if orc is None or not orc.field(4):
        return []
    sent = first(orc, 4)
    separator = orc.delimiters.subcomponent
    if separator and separator in orc.field(4):
        return pair_identifiers(sent, context, "PGN", "FGN")
    identifier = entity_identifier(sent, context, "PGN")
    return [identifier] if identifier else []
