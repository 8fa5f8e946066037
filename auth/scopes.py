"""The grammar of SMART scopes, and what follows from it: cover, meet, intersect. Pure.

SMART App Launch 2.2, https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html.
`patient/Observation.rs?category=laboratory` is a context, a type, the letters of *cruds* in their
order, and constraints that must all hold (`&`), each by one of its values (`,`). Version 1's
`read`, `write` and `*` mean `rs`, `cud` and `cruds`, and are answered as they were asked.

What is not exactly understood is refused, never guessed and never widened: letters out of order
or twice, modifiers, chains, parameters other than plain tokens. Scopes are compared as parsed
values, never as texts, so that `%7C` and `|` are the same.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import quote, unquote

from fhir_server.errors import Invalid

LIMIT = 8192
"""Characters of a scope parameter that are read; a longer one is refused."""

ANY = "*"
LETTERS = "cruds"
READING = frozenset("rs")
LAUNCH_PATIENT = "launch/patient"
OFFLINE = "offline_access"
PUSH = "system/hl7v2.write"
"""Hand in messages as a hospital's feed: no resource, so no pattern for types reaches it."""

NOT_OFFERED = frozenset(
    {"openid", "fhirUser", "profile", "online_access", "launch", "launch/encounter"}
)
"""Scopes that applications commonly ask for and that this server never grants."""

_CODED = frozenset({"category", "code", "status"})
GRANULAR: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Observation": _CODED,
        "DiagnosticReport": _CODED,
        "ServiceRequest": frozenset({"code", "status"}),
        "DocumentReference": frozenset({"category", "status"}),
        "Communication": frozenset({"category", "status"}),
    }
)
"""The search parameters, all of them plain tokens, that may narrow a scope for a type."""

_V1 = MappingProxyType({"read": "rs", "write": "cud", "*": "cruds"})
_V1_NAME = MappingProxyType({frozenset(letters): name for name, letters in _V1.items()})
_SCOPE = re.compile(
    r"(?P<context>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]{1,63})"
    r"\.(?P<rights>read|write|\*|(?=[cruds])c?r?u?d?s?)(?:\?(?P<query>.+))?"
)
_TOKEN = re.compile(r"[!#-\[\]-~]+")
_VALUE = re.compile(r"[!-#%-+\--\[\]-{}~]*\|?[!-#%-+\--\[\]-{}~]+")


class Context(StrEnum):
    """On whose behalf a scope reaches into the record."""

    PATIENT = "patient"
    USER = "user"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Constraint:
    """A resource matches when it has one of *values* (`code` or `system|code`) for *parameter*."""

    parameter: str
    values: frozenset[str]

    def holds_where(self, other: "Constraint") -> bool:
        """Tell whether whatever matches *other* matches this one, too."""
        return self.parameter == other.parameter and self.values >= other.values


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be done with one type, or with each type (`*`)."""

    context: Context
    resource_type: str
    letters: frozenset[str]
    constraints: frozenset[Constraint] = frozenset()
    v1: bool = field(default=False, compare=False)
    """Whether it was asked for in the words of version 1; the answer keeps them where it can."""

    def __str__(self) -> str:
        """Return the scope as a token's `scope` names it."""
        rights = "".join(letter for letter in LETTERS if letter in self.letters)
        if self.v1:
            rights = _V1_NAME.get(self.letters, rights)
        query = "&".join(sorted(_constraint_text(one) for one in self.constraints))
        return f"{self.context}/{self.resource_type}.{rights}" + (f"?{query}" if query else "")

    def covers(self, other: "Scope") -> bool:
        """Tell whether everything that *other* allows is allowed by this scope."""
        return (
            self.context == other.context
            and self.resource_type in {ANY, other.resource_type}
            and self.letters >= other.letters
            and all(
                any(mine.holds_where(theirs) for theirs in other.constraints)
                for mine in self.constraints
            )
        )

    def meet(self, other: "Scope") -> "Scope | None":
        """Return what both scopes allow, or None; in the words in which this one was asked."""
        types = {self.resource_type, other.resource_type}
        letters = self.letters & other.letters
        if self.context != other.context or not letters or len(types - {ANY}) > 1:
            return None
        return Scope(
            self.context,
            next(iter(types - {ANY}), ANY),
            letters,
            self.constraints | other.constraints,
            self.v1,
        )


@dataclass(frozen=True, slots=True)
class ScopeSet:
    """The scopes of one request, consent or token, in their order; none covers another."""

    resources: tuple[Scope, ...] = ()
    launch_patient: bool = False
    offline: bool = False
    push: bool = False

    def __str__(self) -> str:
        """Return the scopes as the `scope` parameter names them."""
        words = [LAUNCH_PATIENT] * self.launch_patient + [OFFLINE] * self.offline
        return " ".join([*words, *[PUSH] * self.push, *map(str, self.resources)])

    @property
    def is_empty(self) -> bool:
        """Tell whether the scopes reach nothing at all."""
        return not (self.resources or self.push)

    @property
    def contexts(self) -> frozenset[Context]:
        """The contexts that occur."""
        pushing = {Context.SYSTEM} if self.push else frozenset[Context]()
        return frozenset(scope.context for scope in self.resources) | pushing

    def within(self, other: "ScopeSet") -> bool:
        """Tell whether everything that this set allows is allowed by *other*."""
        return (
            self.launch_patient <= other.launch_patient
            and self.offline <= other.offline
            and self.push <= other.push
            and all(
                any(theirs.covers(letter) for theirs in other.resources)
                for mine in self.resources
                for letter in _letter_by_letter(mine)
            )
        )

    def intersect(self, other: "ScopeSet") -> "ScopeSet":
        """Return what both sets allow, in this one's order and words."""
        meets = (mine.meet(theirs) for mine in self.resources for theirs in other.resources)
        return ScopeSet(
            reduced(scope for scope in meets if scope is not None),
            self.launch_patient and other.launch_patient,
            self.offline and other.offline,
            self.push and other.push,
        )


def parse(text: str) -> ScopeSet:
    """Return the scopes that *text* (RFC 6749 section 3.3) names.

    Names of `NOT_OFFERED` are passed over. Raises Invalid, telling which scope by its position,
    for anything else that is not understood, and for granular scopes that could not be kept apart.
    """
    if len(text) > LIMIT:
        raise Invalid.of(f"The scope is longer than {LIMIT} characters.", code="too-long")
    words = [word for word in text.split(" ") if word]
    resources = reduced(
        _parsed(word, place)
        for place, word in enumerate(words, 1)
        if word not in NOT_OFFERED | {LAUNCH_PATIENT, OFFLINE, PUSH}
    )
    _refuse_inseparable(resources)
    return ScopeSet(resources, LAUNCH_PATIENT in words, OFFLINE in words, PUSH in words)


def reduced(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Return *scopes* in their order, without those that another one covers."""
    kept: list[Scope] = []
    for scope in scopes:
        if not any(other.covers(scope) for other in kept):
            kept = [other for other in kept if not scope.covers(other)] + [scope]
    return tuple(kept)


def _parsed(word: str, place: int) -> Scope:
    match = _SCOPE.fullmatch(word)
    if match is None or not _TOKEN.fullmatch(word):
        raise _refusal(place, "is not understood")
    rights, resource_type, query = match["rights"], match["type"], match["query"]
    letters = frozenset(_V1.get(rights, rights))
    constraints = frozenset(_constraints(query, resource_type, place)) if query else frozenset()
    if constraints and not letters <= READING:
        raise _refusal(place, "narrows writing; a scope with parameters can only read and search")
    return Scope(Context(match["context"]), resource_type, letters, constraints, rights in _V1)


def _constraints(query: str, resource_type: str, place: int) -> Iterator[Constraint]:
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        if not equals or name not in GRANULAR.get(resource_type, ()) or "+" in value:
            raise _refusal(place, "has a parameter that can't narrow a scope for its type")
        try:
            values = frozenset(unquote(value, errors="strict").split(","))
        except UnicodeDecodeError:
            values = frozenset({""})
        if not all(_VALUE.fullmatch(one) for one in values):
            raise _refusal(place, "has a value that is not a plain code or system|code")
        yield Constraint(name, values)


def _constraint_text(constraint: Constraint) -> str:
    values = ",".join(quote(value, safe=":/|") for value in sorted(constraint.values))
    return f"{constraint.parameter}={values}"


def _letter_by_letter(scope: Scope) -> Iterator[Scope]:
    for letter in scope.letters:
        yield Scope(scope.context, scope.resource_type, frozenset(letter), scope.constraints)


def _refuse_inseparable(scopes: tuple[Scope, ...]) -> None:
    """Refuse constraints that hold for reading and not for searching, or the other way round."""
    for narrow in scopes:
        if not narrow.constraints:
            continue
        for other in scopes:
            same_type = other.resource_type in {ANY, narrow.resource_type}
            reads = other.letters & READING
            if same_type and reads and (other.letters != narrow.letters or not other.constraints):
                raise Invalid.of(
                    f"The scopes with parameters for {narrow.resource_type} must all have the "
                    "same letters, and none beside them may read it without parameters."
                )


def _refusal(place: int, text: str) -> Invalid:
    return Invalid.of(
        f"Scope {place} {text}.",
        diagnostics="For example: patient/Observation.rs?category=laboratory",
    )
