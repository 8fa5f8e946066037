"""OBX-2 and OBX-5 to value[x]: the value as the laboratory meant it, or its words.

A number is made only of what is a number. Everything else stays text exactly as it was sent,
flagged `value-as-text`; nothing is ever guessed. Source: HL7 v2 chapter 7, 7.4.2.5; the guide's
sheet OBX[Observation]; https://hl7.org/fhir/R4/observation.html
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from adapters.hl7v2.codeable_concepts import codeable_concept
from adapters.hl7v2.composite import DELETED, Composite, composite
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.dates import period, read_moment, time
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.quantities import COMPARATORS, compared, decimal, quantity

TEXT_TYPES = frozenset({"ST", "FT", "TX"})
DOCUMENT_TYPES = frozenset({"ED", "RP"})
UNIT_AS_SENT = "urn:portal-fhir:unit-as-sent"
"""Extension of an Observation whose value is text: the unit that the sender wrote beside it."""

_ORIGINAL_TEXT = "http://hl7.org/fhir/StructureDefinition/originalText"


def value_type(obx: Segment) -> str:
    """Return OBX-2 in capitals."""
    return obx.field(2).strip().upper()


def value_of(obx: Segment, unit: Tree, code: Tree, context: Context) -> Tree:
    """Return the elements of an Observation that hold its value; none where OBX-5 is empty.

    One of `value[x]`, or `component` where a value that is no text is repeated: then *code* is
    the code of each. With `""` the value is deleted: none, flagged `value-deleted`.
    """
    sent = obx.field(5)
    if not sent:
        return {}
    if sent == DELETED:
        context.flag("value-deleted", obx.address(5))
        return {}
    kind = value_type(obx)
    if kind in TEXT_TYPES:
        return _text_or_number(obx, kind, unit, context)
    reader = _READERS.get(kind)
    made = (
        []
        if reader is None
        else [
            reader(composite(text, obx.delimiters), unit, context, obx)
            for text in obx.repetitions(5)
            if text and text != DELETED
        ]
    )
    if reader is None or None in made:
        return _words(obx, unit, context)
    values = [value for value in made if value]
    if len(values) > 1:
        return {"component": [{"code": code, **value} for value in values]}
    return values[0] if values else {}


def unit_as_sent(tree: Tree) -> str:
    """Return the unit that the sender wrote beside an Observation's value; may be empty."""
    if "valueQuantity" in tree:
        return str(tree["valueQuantity"].get("unit", ""))
    for extension in tree.get("extension", ()):
        if extension["url"] == UNIT_AS_SENT:
            return str(extension["valueString"])
    return ""


def text_lines(obx: Segment, context: Context) -> str:
    """Return OBX-5 as text: its repetitions are lines, or a `~` that nobody escaped."""
    count = len(obx.repetitions(5))
    if count == 1:
        return obx.whole(5)
    joint = obx.delimiters.repetition if context.dialect.literal_tilde else "\n"
    return joint.join(obx.whole(5, number) for number in range(1, count + 1))


def _text_or_number(obx: Segment, kind: str, unit: Tree, context: Context) -> Tree:
    text = text_lines(obx, context)
    if not text.strip():
        return {}
    if kind == "ST" and unit and context.dialect.numbers_in_text:
        number = compared(text.strip())
        if number:
            return {"valueQuantity": quantity(number[1], unit, number[0])}
    made: Tree = {"valueString": text}
    return _with_unit(made, unit)


def _words(obx: Segment, unit: Tree, context: Context) -> Tree:
    context.flag("value-as-text", obx.address(5))
    text = text_lines(obx, context)
    return _with_unit({"valueString": text}, unit) if text.strip() else {}


def _with_unit(made: Tree, unit: Tree) -> Tree:
    if unit:
        made["extension"] = [{"url": UNIT_AS_SENT, "valueString": unit["unit"]}]
    return made


# A reader returns a value, an empty tree for a value that says nothing, and None for one that is
# not of its type.
_Reader = Callable[[Composite, Tree, Context, Segment], Tree | None]


def _number(sent: Composite, unit: Tree, _context: Context, _obx: Segment) -> Tree | None:
    number = compared(sent[1]) if len(sent.parts) == 1 else None
    return {"valueQuantity": quantity(number[1], unit, number[0])} if number else None


def _structured_number(
    sent: Composite, unit: Tree, _context: Context, _obx: Segment
) -> Tree | None:
    comparator = "" if sent[1] == "=" else sent[1]
    first = decimal(sent[2])
    if first is None:
        return None
    if not sent[3] and not sent[4]:
        if comparator and comparator not in COMPARATORS:
            return None
        return {"valueQuantity": quantity(first, unit, comparator)}
    return _two_numbers(sent, comparator, first, unit)


def _two_numbers(sent: Composite, comparator: str, first: Decimal, unit: Tree) -> Tree | None:
    separator, second = sent[3], decimal(sent[4])
    if second is None:
        return None
    if separator in {":", "/"} and not comparator:
        ratio = {"numerator": quantity(first, unit), "denominator": quantity(second, unit)}
        return {"valueRatio": ratio}
    if separator == "-" and first <= second:
        made: Tree = {"low": quantity(first, unit), "high": quantity(second, unit)}
        if comparator:
            made = {"extension": [{"url": _ORIGINAL_TEXT, "valueString": comparator}], **made}
        return {"valueRange": made}
    return None


def _coded(sent: Composite, _unit: Tree, context: Context, _obx: Segment) -> Tree | None:
    concept = codeable_concept(sent, context)
    codings = concept.get("coding", ())
    if len(codings) == 1 and not sent[3] and not sent[2] and " " in codings[0]["code"]:
        # Words in the place of a code: a sender without codes, not a code with blanks.
        concept = {"text": sent[1]}
    return {"valueCodeableConcept": concept} if concept else {}


def _moment(sent: Composite, _unit: Tree, context: Context, obx: Segment) -> Tree | None:
    moment = read_moment(sent[1], context.dialect.zone, day_first=context.dialect.day_first)
    if moment is None:
        return None
    if moment.flag:
        context.flag(moment.flag, obx.address(5))
    return {"valueDateTime": moment.text}


def _time(sent: Composite, _unit: Tree, _context: Context, _obx: Segment) -> Tree | None:
    made = time(sent[1])
    return {"valueTime": made} if made else None


def _period(sent: Composite, _unit: Tree, context: Context, obx: Segment) -> Tree | None:
    made = period(sent[1], sent[2], context, obx.address(5))
    return {"valuePeriod": made} if made else None


def _range(sent: Composite, unit: Tree, _context: Context, _obx: Segment) -> Tree | None:
    ends = {"low": sent[1], "high": sent[2]}
    made = {name: decimal(text) for name, text in ends.items() if text}
    low, high = made.get("low"), made.get("high")
    if not made or None in made.values() or (low is not None and high is not None and low > high):
        return None
    return {
        "valueRange": {
            name: quantity(number, unit) for name, number in made.items() if number is not None
        }
    }


_READERS: Mapping[str, _Reader] = {
    "NM": _number,
    "SN": _structured_number,
    **dict.fromkeys(("CE", "CWE", "CNE", "CF", "IS", "ID"), _coded),
    **dict.fromkeys(("DT", "DTM", "TS"), _moment),
    "TM": _time,
    "DR": _period,
    "NR": _range,
}
