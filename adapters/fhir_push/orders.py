"""A Bundle without a report, to the tests that it asks for: what a patient may see on the way.

As of an order in HL7 v2, a request is filed without what says, or could say, what somebody
suspects; the message keeps that. https://hl7.org/fhir/R4/servicerequest.html
"""

from datetime import datetime
from typing import Any

from adapters.fhir_push.bundle import Entry
from adapters.fhir_push.numbers import identifier_text, number_in, request_key
from adapters.fhir_push.own import own_tree, targets
from adapters.fhir_push.provenance import provenance
from adapters.fhir_push.references import Rewriting
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.code_tables import UNRESTRICTED
from adapters.hl7v2.conversion import Key, Link, Made
from adapters.hl7v2.orders import OrderGroup
from adapters.hl7v2.orders_to_requests import HELD_BACK
from adapters.hl7v2.refusal import Refused

Tree = dict[str, Any]

_HELD_BACK = frozenset(
    {*HELD_BACK, "contained", "insurance", "orderDetail", "patientInstruction"}
    | {"reasonReference", "relevantHistory", "text"}
)
_OF_SPECIMEN = frozenset({"condition", "contained", "extension", "note", "text"})


def order_keys(setting: Setting) -> dict[int, Key]:
    """Return the keys of the requests and their specimens, by number.

    Raises Refused (AE 101, `order-number-missing`) for a request without a number, and AE 205,
    `result-shared`, for a number that two requests have.
    """
    keys: dict[int, Key] = {}
    for request in setting.entries_of("ServiceRequest"):
        key = request_key(request, setting)
        if key in keys.values():
            text = "A request before this one has the same number."
            raise Refused("AE", 205, "result-shared", f"{request.path}.identifier", text)
        keys[request.number] = key
        for at, specimen in enumerate(_specimens(request, setting), 1):
            name = f"{identifier_text(specimen.tree)}#{at}"
            keys.setdefault(specimen.number, ("Specimen", *key[1:], name))
    return keys


def orders_of(setting: Setting, keys: dict[int, Key]) -> tuple[OrderGroup, ...]:
    """Return the requests of the Bundle; *keys* are those of all that it becomes.

    Raises Refused for what is missing, can't be believed or leads elsewhere.
    """
    rewriting = Rewriting(setting.rewriting.index, keys, setting.rewriting.flags)
    taken: set[int] = set()
    return tuple(
        _order(request, setting, rewriting, taken)
        for request in setting.entries_of("ServiceRequest")
    )


def _order(request: Entry, setting: Setting, rewriting: Rewriting, taken: set[int]) -> OrderGroup:
    key = rewriting.keys[request.number]
    identifiers = request.tree.get("identifier", ())
    placer = number_in(identifiers, "PLAC", setting)
    filler = number_in(identifiers, "FILL", setting)
    tree = own_tree(request, setting, rewriting)
    named = _specimens(request, setting)
    specimens = [one for one in named if one.number not in taken]
    taken.update(one.number for one in specimens)
    at = _version_at(setting)
    if named:
        tree["specimen"] = [{"reference": Link(rewriting.keys[one.number])} for one in named]
    labels = tree.get("meta", {}).get("security", ())
    restricted = any(label.get("code", "") not in UNRESTRICTED for label in labels)
    return OrderGroup(
        service_request=Made(key, _without(tree, _HELD_BACK)),
        specimens=tuple(
            Made(
                rewriting.keys[one.number],
                _without(own_tree(one, setting, rewriting), _OF_SPECIMEN),
            )
            for one in specimens
        ),
        provenance=Made(
            ("Provenance", *key[1:], "order", setting.head.control_id),
            provenance(key, at, setting),
        ),
        authority=key[1],
        filler_number=filler.value if filler and filler.kind and filler.authority == key[1] else "",
        placer_number=placer.value if placer and placer.authority == key[1] else "",
        status="" if tree["status"] == "unknown" else tree["status"],
        version_at=at,
        holds=("security-label",) if restricted else (),
    )


def _specimens(request: Entry, setting: Setting) -> list[Entry]:
    """Return the specimens that a request names, and those that name the request."""
    naming = [
        one
        for one in setting.entries_of("Specimen")
        if request in targets((one,), "request", "ServiceRequest", setting)
    ]
    named = targets((request,), "specimen", "Specimen", setting)
    return list({one.number: one for one in (*named, *naming)}.values())


def _version_at(setting: Setting) -> datetime:
    if setting.sent_at is None:
        text = "Bundle.timestamp has to say when the order was sent."
        raise Refused("AE", 101, "date-missing", "Bundle.timestamp", text)
    return setting.sent_at


def _without(tree: Tree, left_out: frozenset[str]) -> Tree:
    return {name: part for name, part in tree.items() if name not in left_out}
