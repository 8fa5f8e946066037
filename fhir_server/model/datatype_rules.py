"""The invariants of R4's data types. https://hl7.org/fhir/R4/datatypes.html."""

from collections.abc import Mapping
from types import MappingProxyType

from fhir_server.model.moments import is_before
from fhir_server.model.rules import Rule, has, has_choice, simple_quantities
from fhir_server.model.shapes import Tree

UCUM = "http://unitsofmeasure.org"


def _period_runs_forward(node: Tree) -> bool:
    return not ("start" in node and "end" in node and is_before(node["end"], node["start"]))


def _range_runs_upward(node: Tree) -> bool:
    low, high = node.get("low", {}), node.get("high", {})
    same_unit = all(low.get(name) == high.get(name) for name in ("system", "code", "unit"))
    if not same_unit or "value" not in low or "value" not in high:
        return True
    return bool(low["value"] <= high["value"])


def _ratio_is_whole(node: Tree) -> bool:
    both = ("numerator" in node) == ("denominator" in node)
    return both and ("numerator" in node or "extension" in node)


def _in_ucum(node: Tree) -> bool:
    return ("code" in node or "value" not in node) and node.get("system", UCUM) == UCUM


_QUANTITY_CODE = Rule(
    "qty-3",
    "has a code for its unit, so it must name the system too",
    lambda node: "code" not in node or has(node, "system"),
    "system",
)
_OFFSET_EVENTS = frozenset({"C", "CM", "CD", "CV"})


def _needs(key: str, name: str, other: str) -> Rule:
    return Rule(
        key,
        f"has a {name}, so it must have a {other}",
        lambda node: not has(node, name) or has(node, other),
        other,
    )


def _offset_has_event(node: Tree) -> bool:
    when = node.get("when", ())
    return not has(node, "offset") or (bool(when) and _OFFSET_EVENTS.isdisjoint(when))


DATATYPE_RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "Age": (
            _QUANTITY_CODE,
            Rule(
                "age-1",
                "must be a positive age in UCUM units",
                lambda node: _in_ucum(node) and node.get("value", 1) > 0,
            ),
        ),
        "Attachment": (
            Rule(
                "att-1",
                "has data, so it must say their contentType",
                lambda node: not has(node, "data") or has(node, "contentType"),
                "contentType",
            ),
        ),
        "ContactPoint": (
            Rule(
                "cpt-2",
                "has a value, so it must say its system (phone, email, …)",
                lambda node: not has(node, "value") or has(node, "system"),
                "system",
            ),
        ),
        "Count": (
            _QUANTITY_CODE,
            Rule(
                "cnt-3",
                "must be a whole number with the UCUM code 1",
                lambda node: (
                    _in_ucum(node)
                    and node.get("code", "1") == "1"
                    and node.get("value", 0) % 1 == 0
                ),
            ),
        ),
        "DataRequirementCodeFilter": (
            Rule(
                "drq-1",
                "must have either a path or a searchParam",
                lambda node: has(node, "path") != has(node, "searchParam"),
            ),
        ),
        "DataRequirementDateFilter": (
            Rule(
                "drq-2",
                "must have either a path or a searchParam",
                lambda node: has(node, "path") != has(node, "searchParam"),
            ),
        ),
        "Distance": (_QUANTITY_CODE, Rule("dis-1", "must have a UCUM unit of length", _in_ucum)),
        "Duration": (
            _QUANTITY_CODE,
            Rule(
                "drt-1",
                "has a code, so it must have a value and UCUM as its system",
                lambda node: "code" not in node or ("value" in node and node.get("system") == UCUM),
            ),
        ),
        "Expression": (
            Rule(
                "exp-1",
                "must have an expression or a reference",
                lambda node: has(node, "expression") or has(node, "reference"),
            ),
        ),
        "Extension": (
            Rule(
                "ext-1",
                "must have either a value or extensions of its own",
                lambda node: ("extension" in node) != has_choice(node, "value"),
            ),
        ),
        "Period": (Rule("per-1", "must not end before it starts", _period_runs_forward, "end"),),
        "Quantity": (_QUANTITY_CODE,),
        "Range": (
            Rule("rng-2", "must have its low below its high", _range_runs_upward),
            simple_quantities("low", "high"),
        ),
        "Ratio": (Rule("rat-1", "must have a numerator and a denominator", _ratio_is_whole),),
        "SampledData": (simple_quantities("origin"),),
        "TimingRepeat": (
            _needs("tim-1", "duration", "durationUnit"),
            _needs("tim-2", "period", "periodUnit"),
            Rule(
                "tim-4",
                "can't have a negative duration",
                lambda node: node.get("duration", 0) >= 0,
                "duration",
            ),
            Rule(
                "tim-5",
                "can't have a negative period",
                lambda node: node.get("period", 0) >= 0,
                "period",
            ),
            _needs("tim-6", "periodMax", "period"),
            _needs("tim-7", "durationMax", "duration"),
            _needs("tim-8", "countMax", "count"),
            Rule(
                "tim-9",
                "has an offset, so it must say when, and not with a meal alone",
                _offset_has_event,
                "when",
            ),
            Rule(
                "tim-10",
                "can't have both timeOfDay and when",
                lambda node: not (has(node, "timeOfDay") and has(node, "when")),
                "when",
            ),
        ),
        "TriggerDefinition": (
            Rule(
                "trd-1",
                "can't have both data and timing",
                lambda node: not ("data" in node and has_choice(node, "timing")),
            ),
            _needs("trd-2", "condition", "data"),
        ),
    }
)
"""Shape to its rules."""
