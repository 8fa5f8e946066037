"""What a consent page says, in plain words."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from auth.granting import choices
from auth.login.local import Login
from auth.principal import Role
from auth.scopes import ANY, OFFLINE, READING, Scope, ScopeSet
from auth.views import Choice

_THINGS: Mapping[str, str] = MappingProxyType(
    {
        "Patient": "Name, address, date of birth and NHS number",
        "Observation": "Test results",
        "DiagnosticReport": "Reports from laboratories and scans",
        "Specimen": "Samples that were taken",
        "ServiceRequest": "Tests that were asked for",
        "DocumentReference": "Letters and documents",
        "Appointment": "Appointments at the hospital",
        "Communication": "Messages with the care team",
        "CareTeam": "Who is in the care team",
        "Consent": "What was agreed to",
        "Provenance": "Where each result came from",
        "AuditEvent": "Who has looked at the record",
        "Organization": "Names of hospitals and laboratories",
        "Practitioner": "Names of doctors, nurses and other staff",
        "PractitionerRole": "What staff do and where",
    }
)
_AUDITOR_THINGS = MappingProxyType({"AuditEvent": "Who has looked at which record"})

_OFFLINE = Choice(
    OFFLINE,
    "Stay connected",
    "The app can go on looking when you are not using it, for up to three months, "
    "or until you end it.",
)
_EVERYTHING = (
    "This app asks for everything that you can see here, also for what will be added later. "
    "Untick what it should not have."
)


def subject(login: Login) -> str:
    """Return whose records somebody gives access to."""
    match login.role:
        case Role.PATIENT:
            return "your own record"
        case Role.CLINICIAN:
            return "the records of the patients whom you care for"
        case _:
            return "what you can see here"


def choices_shown(asked: ScopeSet, role: Role) -> tuple[Choice, ...]:
    """Return one checkbox for each thing that can be ticked by itself.

    What says the same to the person (their own record as `patient/` and as `user/`, say) is one.
    """
    values: dict[tuple[str, str], list[str]] = {}
    for one in choices(asked, role):
        values.setdefault((_thing(one, role), _detail(one)), []).append(str(one))
    return tuple(Choice(" ".join(scopes), *said) for said, scopes in values.items())


def ticked(values: Iterable[str]) -> frozenset[str]:
    """Return the scopes for which the checkboxes stand whose values came with the form."""
    return frozenset(scope for value in values for scope in value.split(" "))


def offline_shown(asked: ScopeSet) -> Choice | None:
    """Return the checkbox for staying connected, where it is asked for."""
    return _OFFLINE if asked.offline else None


def warnings(asked: ScopeSet) -> tuple[str, ...]:
    """Return the sentences that stand before the checkboxes."""
    everything = any(scope.resource_type == ANY for scope in asked.resources)
    return (_EVERYTHING,) if everything else ()


def _thing(scope: Scope, role: Role) -> str:
    words = _THINGS.get(scope.resource_type, scope.resource_type)
    if scope.resource_type == "Communication" and not scope.letters & READING:
        words = "Messages to the care team"
    if role == Role.AUDITOR:
        words = _AUDITOR_THINGS.get(scope.resource_type, words)
    if not scope.constraints:
        return words
    kinds = sorted(
        value.rpartition("|")[2].replace("-", " ")
        for constraint in scope.constraints
        for value in constraint.values
    )
    return f"{words}, only: {', '.join(kinds)}"


def _detail(scope: Scope) -> str:
    writes = "write messages in your name" if scope.resource_type == "Communication" else "add"
    verbs = [
        word
        for letters, word in (("rs", "see"), ("c", writes), ("u", "change"), ("d", "remove"))
        if scope.letters & frozenset(letters)
    ]
    return " and ".join([", ".join(verbs[:-1]), verbs[-1]] if verbs[1:] else verbs)
