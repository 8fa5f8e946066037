"""The only access rule of the system: role × type × interaction, intersected with the scopes.

What stands in no row is denied, and so is what stands in a row that a scope doesn't reach. The
rows are data, so that they can be read by whoever has to answer for them.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from auth.principal import Principal, Role
from auth.scopes import ANY, READING, Context, Scope, ScopeSet
from fhir_server.access import (
    Access,
    Agent,
    CaredFor,
    Interaction,
    Narrowing,
    NoRecord,
    OwnRecord,
    Reach,
    WholeStore,
)
from fhir_server.search.index import token_hash

_LETTER: Mapping[str, Interaction] = MappingProxyType(
    {
        "r": Interaction.READ,
        "v": Interaction.VREAD,
        "h": Interaction.HISTORY,
        "s": Interaction.SEARCH,
        "c": Interaction.CREATE,
        "u": Interaction.UPDATE,
    }
)
ROLES = (Role.PATIENT, Role.CLINICIAN, Role.AUDITOR, Role.OPERATOR, Role.CLIENT)

# r read, v read a version, h history of one resource, s search, c create, u update
_ROWS: tuple[tuple[str, str, str, str, str, str], ...] = (
    #                     patient   clinician  auditor  operator  client
    ("Patient",           "rvhs",   "rvhs",    "",      "",       "rvhscu"),
    ("Observation",       "rvhs",   "rvhs",    "",      "",       "rvhscu"),
    ("DiagnosticReport",  "rvhs",   "rvhs",    "",      "",       "rvhscu"),
    ("Specimen",          "rvhs",   "rvhs",    "",      "",       "rvhscu"),
    ("ServiceRequest",    "rvhs",   "rvhs",    "",      "",       "rvhscu"),
    ("DocumentReference", "rvhs",   "rvhs",    "",      "",       "rvhscu"),
    ("Appointment",       "rvhs",   "rvhs",    "",      "",       "rvhscu"),
    ("Communication",     "rvhscu", "rvhscu",  "",      "",       "rvhs"),
    ("CareTeam",          "rvhs",   "rvhs",    "",      "",       "rvhscu"),
    ("Consent",           "rvhs",   "rvhs",    "",      "",       "rvhscu"),
    ("Provenance",        "rvhs",   "rvhs",    "",      "",       "rvhs"),
    ("AuditEvent",        "rs",     "",        "rs",    "",       ""),
    ("Organization",      "r",      "rvhs",    "",      "",       "rvhscu"),
    ("Practitioner",      "r",      "rvhs",    "",      "",       "rvhscu"),
    ("PractitionerRole",  "r",      "rvhs",    "",      "",       "rvhscu"),
)  # fmt: skip


def _table() -> Mapping[Role, Mapping[str, frozenset[Interaction]]]:
    return MappingProxyType(
        {
            role: MappingProxyType(
                {row[0]: frozenset(_LETTER[letter] for letter in row[column]) for row in _ROWS}
            )
            for column, role in enumerate(ROLES, 1)
        }
    )


TABLE = _table()
"""Role → type → what this role may do with it at most. A type that is missing is denied."""

_SCOPE_LETTER: Mapping[str, frozenset[Interaction]] = MappingProxyType(
    {
        "c": frozenset({Interaction.CREATE}),
        "r": frozenset({Interaction.READ, Interaction.VREAD, Interaction.HISTORY}),
        "u": frozenset({Interaction.UPDATE}),
        "d": frozenset(),
        "s": frozenset({Interaction.SEARCH}),
    }
)

CONTEXTS: Mapping[Role, frozenset[Context]] = MappingProxyType(
    {
        Role.PATIENT: frozenset({Context.PATIENT, Context.USER}),
        Role.CLINICIAN: frozenset({Context.USER}),
        Role.AUDITOR: frozenset({Context.USER}),
        Role.OPERATOR: frozenset(),
        Role.CLIENT: frozenset({Context.SYSTEM}),
    }
)
"""Which scopes mean anything for a role; `user/` never means more than the role may see anyway."""

_PURPOSE: Mapping[Role, str] = MappingProxyType(
    {
        Role.PATIENT: "PATRQT",
        Role.CLINICIAN: "TREAT",
        Role.AUDITOR: "HOPERAT",
        Role.OPERATOR: "HOPERAT",
        Role.CLIENT: "",
    }
)

STAFF_ONLY = 1 << 0
"""Bit of `resource.labels`: written by staff for staff."""
SEALED = 1 << 1
"""Bit of `resource.labels`: closed to everyone but the patient until it is opened for a reason."""

HIDDEN_FROM_PROXIES = STAFF_ONLY | SEALED
HIDDEN_LABELS: Mapping[Role, int] = MappingProxyType(
    {
        Role.PATIENT: STAFF_ONLY,
        Role.CLINICIAN: SEALED,
        Role.AUDITOR: STAFF_ONLY | SEALED,
        Role.OPERATOR: STAFF_ONLY | SEALED,
        Role.CLIENT: 0,
    }
)
"""Labels that hide a resource from a role."""


def access(principal: Principal, *, request_id: str, network: str) -> Access:
    """Return what *principal* may see and do in the request *request_id*, sent from *network*."""
    standing = _standing(principal, network)
    return Access(
        standing.agent,
        request_id,
        standing.reach,
        standing.grants,
        standing.bound_by_release,
        standing.hidden_labels,
        standing.narrowed,
    )


@lru_cache(maxsize=1024)
def _standing(principal: Principal, network: str) -> Access:
    """Return what is the same in every request of *principal* from *network*."""
    role = principal.role
    grants, narrowed = _rights(role, principal.scopes)
    return Access(
        agent=Agent(
            role=role,
            user=principal.user,
            name=principal.name,
            organization=principal.organization,
            client=principal.client_id,
            token_id=principal.token_id,
            purpose=_PURPOSE[role],
            network=network,
            behind=principal.behind,
        ),
        request_id="",
        reach=_reach(principal),
        grants=grants,
        bound_by_release=role not in {Role.CLINICIAN, Role.CLIENT},
        hidden_labels=HIDDEN_LABELS[role],
        narrowed=narrowed,
    )


def may_push(principal: Principal) -> bool:
    """Tell whether *principal* may hand in messages: an application by itself, with that scope.

    As whose feed, the feed says, which has to name the application.
    """
    scopes = principal.scopes
    return principal.role == Role.CLIENT and scopes is not None and scopes.push


def stranger(*, request_id: str, network: str, client_id: str = "") -> Access:
    """Return the access of somebody who is not known yet: nothing, but for a name on the ledger.

    *client_id*: a registered application that asks in their name.
    """
    agent = Agent("unknown", client=client_id, network=network)
    return Access(agent, request_id, NoRecord(), MappingProxyType({}))


def application(*, request_id: str, network: str, client_id: str) -> Access:
    """Return the access of a registered application that asks for tokens: no resource at all."""
    agent = Agent("client", client=client_id, network=network)
    return Access(agent, request_id, NoRecord(), MappingProxyType({}))


def _reach(principal: Principal) -> Reach:
    kind, _, person = principal.user.partition("/")
    match principal.role:
        case Role.PATIENT if principal.patient and principal.user == f"Patient/{principal.patient}":
            return OwnRecord((principal.patient,))
        case Role.CLINICIAN if kind == "Practitioner" and person:
            return CaredFor(person)
        case Role.CLIENT:
            return WholeStore()
        case _:
            return NoRecord()


Rights = tuple[Mapping[str, frozenset[Interaction]], Mapping[str, tuple[Narrowing, ...]]]


@lru_cache(maxsize=1024)
def _rights(role: Role, scopes: ScopeSet | None) -> Rights:
    if scopes is None:
        return TABLE[role], MappingProxyType({})
    meant = [scope for scope in scopes.resources if scope.context in CONTEXTS[role]]
    grants: dict[str, frozenset[Interaction]] = {}
    narrowed: dict[str, tuple[Narrowing, ...]] = {}
    for resource_type, allowed in TABLE[role].items():
        letters, narrow = _letters([one for one in meant if _of(one, resource_type)])
        granted = frozenset().union(*(_SCOPE_LETTER[letter] for letter in letters)) & allowed
        if granted:
            grants[resource_type] = granted
            if narrow:
                narrowed[resource_type] = tuple(_narrowing(scope) for scope in narrow)
    return MappingProxyType(grants), MappingProxyType(narrowed)


def useful(role: Role, resource_type: str, letters: frozenset[str]) -> frozenset[str]:
    """Return those of a scope's *letters* that would let *role* do anything with the type."""
    allowed = TABLE[role].get(resource_type, frozenset())
    return frozenset(letter for letter in letters if _SCOPE_LETTER[letter] & allowed)


def _of(scope: Scope, resource_type: str) -> bool:
    return scope.resource_type in {ANY, resource_type}


def _letters(scopes: list[Scope]) -> tuple[frozenset[str], list[Scope]]:
    """Return what *scopes* for one type allow together, and the granular ones that narrow it.

    The parser refuses sets in which reading and searching are narrowed differently; should one
    come here all the same, what is granted is less than was meant, never more.
    """
    whole = frozenset[str]().union(*(scope.letters for scope in scopes if not scope.constraints))
    narrow = [scope for scope in scopes if scope.constraints]
    if not narrow or whole & READING:
        return whole, []
    return whole | frozenset.intersection(*(scope.letters for scope in narrow)), narrow


def _narrowing(scope: Scope) -> Narrowing:
    return Narrowing(
        tuple(
            frozenset(token_hash(scope.resource_type, one.parameter, value) for value in one.values)
            for one in sorted(scope.constraints, key=str)
        )
    )
