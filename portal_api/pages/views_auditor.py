"""What the auditor's pages show: frozen values. No clinical content is among them."""

from dataclasses import dataclass

from portal_api.london import Moment
from portal_api.pages.views_shell import Choice, FormError


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry of the ledger."""

    when: Moment
    who: str
    by_agent: str
    """Address of the search for all entries of this person or application."""
    role: str
    organization: str
    application: str
    action: str
    entity: str
    patient: str
    """The id of the patient touched, or empty."""
    by_patient: str
    """Address of the search for all entries about this patient."""
    outcome: str
    """`Done`, `Refused` or `Failed`."""
    purpose: str
    relationship: str
    reason: str
    request_id: str


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """What was asked of the ledger, as it was typed."""

    patient: str = ""
    agent: str = ""
    start: str = ""
    end: str = ""
    outcome: str = ""
    subtype: str = ""


@dataclass(frozen=True, slots=True)
class AuditSearchView:
    """The search form and what it found; *rows* None before the first search."""

    question: AuditQuestion
    outcomes: tuple[Choice, ...]
    subtypes: tuple[Choice, ...]
    rows: tuple[AuditRow, ...] | None
    errors: tuple[FormError, ...] = ()
    older: str = ""


@dataclass(frozen=True, slots=True)
class VerifyView:
    """What the verifier found; *checked* None before the first run."""

    checked: Moment | None
    sound: bool
    entries: int
    covered: int
    """Entries that a checkpoint proves."""
    uncovered: int
    """Entries that no checkpoint covers yet."""
    faults: tuple[str, ...]
    """What does not fit, the first first."""
