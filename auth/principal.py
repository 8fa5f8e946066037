"""Who is asking: a person or an application, as a verified token or session says."""

from dataclasses import dataclass
from enum import StrEnum

from auth.scopes import ScopeSet


class Role(StrEnum):
    """What somebody is here as. One login has one role."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    CLIENT = "client"
    """An application by itself, without a person."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, verified. `auth.policy` alone turns it into an `Access`."""

    role: Role
    user: str
    """`Patient/<id>`, `Practitioner/<id>`, `login:<name>`; empty for an application by itself."""
    name: str = ""
    organization: str = ""
    client_id: str = ""
    """The application, or the empty text for the portal's own pages."""
    token_id: str = ""
    """The token's public id, for the ledger."""
    scopes: ScopeSet | None = None
    """What the token allows; None for the portal's own pages, which no scope narrows."""
    patient: str = ""
    """The id of the patient in context; empty where there is none."""
    behind: str = ""
    """The operating-system user who made the token on the command line."""
