"""A search of the ledger: URL parameters → a typed AuditQuery.

AuditEvents are served from the ledger's own table, and found by its columns.
https://hl7.org/fhir/R4/auditevent.html#search
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import urlencode

from fhir_server.errors import NotSupported
from fhir_server.search.criteria import IdCriterion, Range, RecordCriterion, UpdatedCriterion
from fhir_server.search.parameters import PARAMETERS, Kind, Parameter, Place
from fhir_server.search.query import Pairs, check, kept
from fhir_server.search.text import split, unescaped
from fhir_server.search.values import alternatives, criterion, parameter_named, references
from fhir_server.search.wanted import SortKey, Wanted, is_result_parameter, wanted

OUTCOME_SYSTEM = "http://terminology.hl7.org/CodeSystem/audit-event-outcome"

AUDIT_PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        one.name: one
        for one in (
            Parameter("_id", Kind.TOKEN, place=Place.ID),
            Parameter("_lastUpdated", Kind.DATE, place=Place.UPDATED),
            Parameter("date", Kind.DATE, ("recorded",), place=Place.UPDATED),
            Parameter(
                "patient",
                Kind.REFERENCE,
                ("agent.who", "entity.what"),
                targets=("Patient",),
                place=Place.RECORD,
            ),
            Parameter(
                "agent",
                Kind.REFERENCE,
                ("agent.who",),
                targets=("Practitioner", "Patient", "Organization"),
            ),
            Parameter("entity", Kind.REFERENCE, ("entity.what",), targets=tuple(PARAMETERS)),
            Parameter("outcome", Kind.TOKEN, system=OUTCOME_SYSTEM),
            Parameter("type", Kind.TOKEN),
            Parameter("subtype", Kind.TOKEN),
        )
    }
)
"""Name to parameter. `agent` is whoever asked: a person, or the name of a feed or of a system."""


class Coded(Protocol):
    """How entries of one subtype are coded."""

    @property
    def type_system(self) -> str:
        """The system of `AuditEvent.type`."""

    @property
    def type_code(self) -> str:
        """The code of `AuditEvent.type`."""

    @property
    def system(self) -> str:
        """The system of `AuditEvent.subtype`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of *values* in a column of the ledger; of `entity`, any version of one of them."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """One search of the ledger, understood."""

    choices: tuple[Choice, ...] = ()
    recorded: tuple[tuple[Range, ...], ...] = ()
    """Dates of recording: one range of each group."""
    wanted: Wanted = field(default_factory=Wanted)
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def resource_type(self) -> str:
        """`AuditEvent`, always."""
        return "AuditEvent"

    def canonical(self) -> str:
        """Return the query string that asks the same again, from its first page."""
        return urlencode(self.pairs)


def parse_audit(pairs: Pairs, base_url: str, codings: Mapping[Any, Coded]) -> AuditQuery:
    """Return the query of the ledger that the decoded *pairs* make.

    *codings* says, for each subtype code, how it and its type are coded. Raises Invalid for a
    parameter, modifier or value that does not fit, NotSupported for what this server has not.
    """
    check(pairs)
    choices, recorded = list[Choice](), list[tuple[Range, ...]]()
    for full_name, value in pairs:
        name, _, modifier = full_name.partition(":")
        if is_result_parameter(name):
            continue
        parameter = parameter_named(AUDIT_PARAMETERS, "AuditEvent", name)
        if parameter.kind is Kind.TOKEN and modifier:
            raise NotSupported.of(f"{name} has no modifiers here.", expression=name)
        asked = _asked(parameter, modifier, value, base_url, codings)
        if isinstance(asked, Choice):
            choices.append(asked)
        else:
            recorded.append(asked)
    how = wanted("AuditEvent", pairs)
    if how.sort is SortKey.ID:
        raise NotSupported.of("AuditEvents are sorted by date only.", expression="_sort")
    return AuditQuery(tuple(choices), tuple(recorded), how, kept(pairs))


def _asked(
    parameter: Parameter,
    modifier: str,
    value: str,
    base_url: str,
    codings: Mapping[Any, Coded],
) -> Choice | tuple[Range, ...]:
    if parameter.place is not Place.INDEX:
        match criterion("AuditEvent", parameter, modifier, value, base_url):
            case IdCriterion(ids):
                return Choice("id", ids)
            case RecordCriterion(patients):
                return Choice("patient", patients)
            case UpdatedCriterion(ranges):
                return ranges
    values = alternatives(parameter, value, modifier)
    if parameter.kind is Kind.REFERENCE:
        named = {
            reference
            for one in values
            for reference in references(parameter, modifier, one, base_url)
        }
        # Feeds and systems are told by a bare name.
        named |= set() if modifier else set(map(unescaped, values))
    else:
        named = {code for one in values for code in _codes(parameter.name, one, codings)}
    column = "subtype" if parameter.name == "type" else parameter.name
    return Choice(column, tuple(sorted(named)))


def _codes(name: str, text: str, codings: Mapping[Any, Coded]) -> set[str]:
    """Return the values of the column that a token stands for; of `type`, its subtypes."""
    parts = [unescaped(one) for one in split(text, "|")]
    system, code = ("", parts[0]) if len(parts) == 1 else (parts[0], "|".join(parts[1:]))
    if name == "outcome":
        return {code} if len(parts) == 1 or system == OUTCOME_SYSTEM else set()
    known = {
        str(subtype): (coded.type_system, coded.type_code)
        if name == "type"
        else (coded.system, str(subtype))
        for subtype, coded in codings.items()
    }
    return {
        subtype
        for subtype, (own_system, own_code) in known.items()
        if (code == own_code or (system and not code)) and (len(parts) == 1 or system == own_system)
    }
