"""The numbers by which a laboratory and a ward call an order, and the keys that follow from them.

A number of type FILL or PLAC (HL7 v2 table 0203) is kept under the sending organisation, as in HL7
v2, so that one order is the same by either way; any other is kept under its own system.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from adapters.fhir_push.bundle import Entry
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.codeable_concepts import words
from adapters.hl7v2.conversion import Key
from adapters.hl7v2.order import Order
from adapters.hl7v2.refusal import Refused

Tree = dict[str, Any]

_KINDS = frozenset({"FILL", "PLAC"})


@dataclass(frozen=True, slots=True)
class Number:
    """A number: whose it is (`FILL`, `PLAC`, "" where nobody says), who gave it, and itself."""

    kind: str
    authority: str
    value: str


def number_in(identifiers: Iterable[Tree], wanted: str, setting: Setting) -> Number | None:
    """Return the number of kind *wanted* among *identifiers*, else the first of no kind."""
    found = list(_numbers(identifiers, setting))
    for kind in (wanted, ""):
        for number in found:
            if number.kind == kind:
                return number
    return None


def identifier_text(tree: Tree) -> str:
    """Return the first identifier of a resource as one text; "" where it has none."""
    for one in tree.get("identifier", ()):
        if one.get("value"):
            return f"{one.get('system', '')}|{one['value']}"
    return ""


def order_of(
    report: Entry, requests: Iterable[Entry], setting: Setting, taken: set[Key]
) -> tuple[Order, str]:
    """Return the order that *report* is about, and who gave its number.

    The report's own number, else that of what was asked for. *taken* holds the keys of the orders
    before it in the Bundle. Raises Refused (AE 101, `order-number-missing`) where there is none.
    """
    filler = number_in(report.tree.get("identifier", ()), "FILL", setting)
    asked = (one.tree.get("identifier", ()) for one in requests)
    placer = next(filter(None, (number_in(one, "PLAC", setting) for one in asked)), None)
    number = filler or placer
    if number is None:
        text = "Nothing numbers the report: no later message could find it."
        raise Refused("AE", 101, "order-number-missing", f"{report.path}.identifier", text)
    kind = "FILL" if filler else "PLAC"
    test = test_of(report.tree["code"])
    key: Key = (number.authority, kind, number.value, test)
    times = 1
    while key in taken:
        times += 1
        key = (number.authority, kind, number.value, test, str(times))
    taken.add(key)
    placer_number = placer.value if placer else ""
    order = Order(
        key, number.value if filler else "", placer_number, (), (), report.tree["code"], test
    )
    return order, number.authority


def request_key(request: Entry, setting: Setting, order: Order | None = None) -> Key:
    """Return the key of a ServiceRequest: its own number's, else that of the *order* it is of.

    Raises Refused (AE 101, `order-number-missing`) where it has neither.
    """
    identifiers = request.tree.get("identifier", ())
    test = test_of(request.tree.get("code", {}))
    number = number_in(identifiers, "PLAC", setting)
    kind = "PLAC"
    if number is None:
        number, kind = number_in(identifiers, "FILL", setting), "FILL"
    if number is not None:
        return ("ServiceRequest", number.authority, kind, number.value, test)
    if order is None:
        text = "The request has no number: no later message could find it."
        raise Refused("AE", 101, "order-number-missing", f"{request.path}.identifier", text)
    return order.key_of("ServiceRequest", test)


def test_of(code: Tree) -> str:
    """Return what a test is called in keys: its first code, else its words."""
    codes = (coding["code"] for coding in code.get("coding", ()) if coding.get("code"))
    return next(codes, "") or words_of(code)


def words_of(code: Tree) -> str:
    """Return what a person would call a test; "" for a code that says nothing."""
    coded = [coding for coding in code.get("coding", ()) if coding.get("code")]
    return words({**code, "coding": coded}) if coded or "text" in code else ""


def _numbers(identifiers: Iterable[Tree], setting: Setting) -> Iterator[Number]:
    for one in identifiers:
        value, system = one.get("value", ""), one.get("system", "")
        types = {coding.get("code") for coding in one.get("type", {}).get("coding", ())}
        kind = next(iter(sorted(types & _KINDS)), "")
        if value and (kind or not types):
            yield Number(kind, setting.authority if kind or not system else system, value)
