"""Which of the scopes that an application asks for it may be given, by whom, and what is unticked.

Three steps narrow what was asked, and none widens it: what the application is registered for; what
the person's role could give at all; what the person leaves ticked on the consent page.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from auth import policy
from auth.principal import Role
from auth.scopes import ANY, OFFLINE, PUSH, Context, Scope, ScopeSet, parse, reduced
from fhir_server.errors import Invalid


def requested(text: str, registered: str) -> ScopeSet:
    """Return what *text* asks for, of what the application is *registered* for.

    Before anybody signs in. Raises Invalid where a scope is not understood, where `system/` is
    asked for (no person can give that), and where nothing is left.
    """
    asked = parse(text)
    if Context.SYSTEM in asked.contexts:
        raise Invalid.of("Scopes of the system can't be asked for in a person's name.")
    possible = asked.intersect(parse(registered))
    if not possible.resources:
        raise Invalid.of("None of these scopes is among those that the application may ask for.")
    return possible


def by_person(asked: ScopeSet, role: Role, patient: str) -> ScopeSet:
    """Return what somebody of *role*, with *patient* in context or none (""), could give.

    Raises Invalid where one patient's record is asked for and no patient is in context, and where
    nothing is left.
    """
    if (Context.PATIENT in asked.contexts or asked.launch_patient) and not patient:
        raise Invalid.of("One patient's record is asked for: only that patient can allow this.")
    useful = tuple(scope for scope in asked.resources if any(parts(scope, role)))
    if not useful:
        raise Invalid.of("Whoever is signed in has nothing of what these scopes ask for.")
    return ScopeSet(useful, asked.launch_patient, asked.offline)


def parts(scope: Scope, role: Role) -> Iterator[Scope]:
    """Yield what *scope* means for *role*, type by type: each can be ticked by itself."""
    if scope.context not in policy.CONTEXTS[role]:
        return
    types = policy.TABLE[role] if scope.resource_type == ANY else (scope.resource_type,)
    for resource_type in types:
        letters = policy.useful(role, resource_type, scope.letters)
        if letters:
            yield Scope(scope.context, resource_type, letters, scope.constraints, scope.v1)


def choices(asked: ScopeSet, role: Role) -> tuple[Scope, ...]:
    """Return everything that *role* can tick of *asked*, each once."""
    return reduced(part for scope in asked.resources for part in parts(scope, role))


def ticked(asked: ScopeSet, role: Role, chosen: AbstractSet[str]) -> ScopeSet:
    """Return what is left of *asked* when only *chosen* (the choices as texts) is ticked.

    A scope all of whose parts are ticked stays as it was asked for.
    """
    kept: list[Scope] = []
    taken = [scope for scope in choices(asked, role) if str(scope) in chosen]
    for scope in asked.resources:
        mine = list(parts(scope, role))
        left = [part for part in mine if any(one.covers(part) for one in taken)]
        kept.extend([scope] if mine and left == mine else left)
    return ScopeSet(reduced(kept), asked.launch_patient, asked.offline and OFFLINE in chosen)


def by_operator(text: str, role: Role, registered: str | None = None) -> ScopeSet:
    """Return what a token made on the command line gets of *text*, for somebody of *role*.

    *registered*: what the application may have, where one asks by itself. Raises Invalid where
    a scope is not understood or is none for this role, and where nothing is left.
    """
    asked = parse(text)
    if not asked.contexts <= policy.CONTEXTS[role]:
        meant = " or ".join(sorted(f"{context}/" for context in policy.CONTEXTS[role])) or "none"
        raise Invalid.of(f"Scopes that mean something for a {role} begin with {meant}.")
    possible = asked if registered is None else asked.intersect(parse(registered))
    if possible.is_empty:
        raise Invalid.of("Nothing is left of these scopes: name one such as user/Patient.rs.")
    return possible


def by_itself(text: str, registered: str) -> ScopeSet:
    """Return what an application by itself gets of *text*: pushing messages alone.

    Without *text* it asks for that. Raises Invalid where a scope is not understood, and where the
    application is not registered for pushing, or does not ask for it.
    """
    if not parse(text or PUSH).intersect(parse(registered)).push:
        raise Invalid.of(f"By itself this application can't have that; {PUSH} there is for some.")
    return ScopeSet(push=True)
