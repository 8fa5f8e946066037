"""Reads the value of one search parameter: `name:modifier=value` → a criterion.

https://hl7.org/fhir/R4/search.html#modifiers and https://hl7.org/fhir/R4/search.html#escaping
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from fhir_server.errors import Invalid, NotSupported
from fhir_server.model.ids import is_id
from fhir_server.search.criteria import (
    Criterion,
    DateCriterion,
    IdCriterion,
    Prefix,
    Range,
    RecordCriterion,
    StringCriterion,
    TokenCriterion,
    UpdatedCriterion,
)
from fhir_server.search.dates import span
from fhir_server.search.index import EXACT, LONGEST_STRING, token_hash
from fhir_server.search.parameters import Kind, Parameter, Place
from fhir_server.search.text import escaped, folded, split, unescaped

MAX_VALUES = 100
"""Alternatives of one parameter."""
MAX_LENGTH = 500
"""Characters of one alternative."""

_RANGE = re.compile(r"([a-z]{2})?(.*)", re.DOTALL)
# Controls and halves of surrogate pairs, which no value of a resource has in it either.
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_LOST_PLUS = re.compile(r"(T[\d:.]+) (\d{2}:\d{2})$")


def criterion(
    resource_type: str, parameter: Parameter, modifier: str, value: str, base_url: str
) -> Criterion:
    """Return what `name:modifier=value` asks for, *value* as decoded from the URL.

    Raises Invalid where modifier or value do not fit the parameter, NotSupported for a modifier
    that is FHIR's but not this server's.
    """
    values = alternatives(parameter, value, modifier)
    match parameter.place:
        case Place.ID:
            return IdCriterion(tuple(one for one in map(unescaped, values) if is_id(one)))
        case Place.UPDATED:
            return UpdatedCriterion(_ranges(parameter, values))
        case Place.RECORD:
            return _record(parameter, modifier, values, base_url)
        case Place.INDEX:
            return _indexed(resource_type, parameter, modifier, values, base_url)


def _indexed(
    resource_type: str, parameter: Parameter, modifier: str, values: Sequence[str], base_url: str
) -> Criterion:
    hash_of = _hashing(resource_type, parameter)
    match parameter.kind:
        case Kind.DATE:
            return DateCriterion(hash_of("")[0], _ranges(parameter, values))
        case Kind.STRING:
            return _string(resource_type, parameter, modifier, values)
        case Kind.REFERENCE:
            variants = [
                variant
                for one in values
                for variant in references(parameter, modifier, one, base_url)
            ]
        case Kind.TOKEN:
            variants = [_token(parameter, one) for one in values]
    hashes = sorted({hash_ for variant in variants for hash_ in hash_of(variant)})
    population = parameter.selective and not any(one.endswith("|") for one in variants)
    return TokenCriterion(tuple(hashes), modifier == "not", population)


def _hashing(resource_type: str, parameter: Parameter) -> Callable[[str], list[int]]:
    names = parameter.union or (parameter.name,)
    return lambda variant: [token_hash(resource_type, name, variant) for name in names]


_MODIFIERS: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        Kind.TOKEN: frozenset({"not"}),
        Kind.STRING: frozenset({"exact", "contains"}),
        Kind.DATE: frozenset(),
        Kind.REFERENCE: frozenset(),
    }
)
_UNSUPPORTED = frozenset(
    {"missing", "text", "in", "not-in", "above", "below", "of-type", "identifier"}
)


def _check_modifier(parameter: Parameter, modifier: str) -> None:
    allowed = _MODIFIERS[parameter.kind] | set(parameter.targets)
    if parameter.place is Place.ID:
        allowed = frozenset()
    if not modifier or modifier in allowed:
        return
    kind = NotSupported if modifier in _UNSUPPORTED else Invalid
    known = ", ".join(f":{one}" for one in sorted(allowed)) or "none"
    raise kind.of(
        f"The search parameter {parameter.name} can't take this modifier here.",
        expression=parameter.name,
        diagnostics=f"Modifiers: {known}.",
    )


def alternatives(parameter: Parameter, value: str, modifier: str = "") -> list[str]:
    """Return the values between the commas, their escapes kept.

    Raises Invalid where there are too many of them, or one that is empty, too long or unreadable;
    NotSupported or Invalid for a modifier that the parameter can't take.
    """
    _check_modifier(parameter, modifier)
    values = split(value, ",")
    if len(values) > MAX_VALUES:
        raise _invalid(parameter, f"has more than {MAX_VALUES} values")
    for one in values:
        if not one:
            raise _invalid(parameter, "has no value, or an empty one between commas")
        if len(one) > MAX_LENGTH:
            raise _invalid(parameter, f"has a value of more than {MAX_LENGTH} characters")
        if _UNREADABLE.search(one):
            raise _invalid(parameter, "has a character that can't be searched for")
    return values


def _ranges(parameter: Parameter, values: Sequence[str]) -> tuple[Range, ...]:
    return tuple(_range(parameter, unescaped(one)) for one in values)


def _range(parameter: Parameter, text: str) -> Range:
    found = _RANGE.fullmatch(text)
    prefix, day = found.groups() if found else (None, text)
    try:
        # In a URL, a plus sign that is not encoded arrives as a space.
        low, high = span(_LOST_PLUS.sub(r"\1+\2", day))
        return Range(Prefix(prefix or "eq"), low, high)
    except ValueError:
        raise _invalid(
            parameter,
            "has a value that is no date",
            f"A date such as ge2026-03-29 or 2026-03-29T10:00:00Z; prefixes: {', '.join(Prefix)}.",
        ) from None


def _string(
    resource_type: str, parameter: Parameter, modifier: str, values: Sequence[str]
) -> StringCriterion:
    exact = modifier == "exact"
    name = parameter.name + EXACT if exact else parameter.name
    texts = tuple(
        (one if exact else folded(one))[:LONGEST_STRING] for one in map(unescaped, values)
    )
    if not all(texts):
        # Nothing but marks and spaces would be the start of every name.
        raise _invalid(parameter, "has a value without a letter in it")
    return StringCriterion(token_hash(resource_type, name, ""), texts, modifier or "starts")


def _token(parameter: Parameter, text: str) -> str:
    parts = [unescaped(one) for one in split(text, "|")]
    match parts:
        case [code]:
            return escaped(code)
        case [system, ""] if system and not parameter.system:
            return f"{escaped(system)}|"
        case [system, code] if code:
            if parameter.system and system == parameter.system:
                return escaped(code)
            return f"{escaped(system)}|{escaped(code)}"
    raise _invalid(
        parameter,
        "has a value that is no token",
        "A token is code, system|code, |code or system|; a bar inside one is written \\|.",
    )


def references(parameter: Parameter, modifier: str, text: str, base_url: str) -> tuple[str, ...]:
    """Return the references that *text* may stand for: one, or one for each target of a bare id."""
    reference = unescaped(text).removeprefix(base_url.rstrip("/") + "/")
    if "/_history/" in reference:
        raise _invalid(parameter, "names a version; a reference is searched for without one")
    if "/" in reference or ":" in reference:
        fits = not modifier or reference.startswith(f"{modifier}/")
        return (reference,) if fits else ()
    targets = (modifier,) if modifier else parameter.targets
    return tuple(f"{target}/{reference}" for target in targets)


def _record(
    parameter: Parameter, modifier: str, values: Sequence[str], base_url: str
) -> RecordCriterion:
    patients = []
    for one in values:
        for reference in references(parameter, modifier, one, base_url):
            kind, _, id_ = reference.partition("/")
            if kind == "Patient" and is_id(id_):
                patients.append(id_)
    return RecordCriterion(tuple(dict.fromkeys(patients)))


def _invalid(parameter: Parameter, fault: str, hint: str = "") -> Invalid:
    return Invalid.of(
        f"The search parameter {parameter.name} {fault}.",
        expression=parameter.name,
        diagnostics=hint,
        code="value",
    )


def parameter_named(known: Mapping[str, Parameter], resource_type: str, name: str) -> Parameter:
    """Return the search parameter *name* of the type.

    Raises Invalid naming the known ones: a parameter that was passed over would widen the search.
    """
    if name in known:
        return known[name]
    raise Invalid.of(
        f"{resource_type} has no search parameter {_safe(name)} here.",
        expression=_safe(name),
        diagnostics="Search parameters: " + ", ".join(sorted(known)) + ".",
    )


def _safe(name: str) -> str:
    """Return a parameter's name as it may be told again: a word, or nothing of it."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,40}", name) else "of that name"
