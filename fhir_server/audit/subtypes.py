"""What can be done, as the ledger names it: FHIR's interactions, and this system's own acts.

https://hl7.org/fhir/R4/valueset-restful-interaction.html and, for what kind of event each is,
https://hl7.org/fhir/R4/valueset-audit-event-type.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Subtype(StrEnum):
    """What was done or refused; the code in `AuditEvent.subtype`."""

    READ = "read"
    VREAD = "vread"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    HISTORY = "history"
    HISTORY_INSTANCE = "history-instance"
    HISTORY_TYPE = "history-type"
    HISTORY_SYSTEM = "history-system"
    CREATE = "create"
    SEARCH = "search"
    SEARCH_TYPE = "search-type"
    SEARCH_SYSTEM = "search-system"
    CAPABILITIES = "capabilities"
    TRANSACTION = "transaction"
    BATCH = "batch"
    OPERATION = "operation"

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    CONSENT = "consent"
    GRANT = "grant"
    REVOKE = "revoke"
    REQUEST = "request"
    MESSAGE_FILED = "message-filed"
    MESSAGE_QUARANTINED = "message-quarantined"
    MESSAGE_REFUSED = "message-refused"
    MESSAGE_SEEN = "message-seen"
    MESSAGE_REPLAYED = "message-replayed"
    MESSAGE_CLOSED = "message-closed"
    FEED_CHANGED = "feed-changed"
    RELEASE = "release"
    RETRACT = "retract"
    BREAK_GLASS = "break-glass"
    LEDGER_VERIFIED = "ledger-verified"
    LEDGER_EXPORTED = "ledger-exported"


@dataclass(frozen=True, slots=True)
class Kind:
    """How an AuditEvent of one subtype is coded; *action* is C, R, U, D or E."""

    type_system: str
    type_code: str
    type_display: str
    system: str
    display: str
    action: str
    profile: str = ""
    """The IHE BALP pattern, `Read` or `Query` say; empty where there is none."""


FHIR_INTERACTION = "http://hl7.org/fhir/restful-interaction"
OWN_SUBTYPE = "https://portal-fhir.example/CodeSystem/access"

_REST = ("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation")
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_APPLICATION = (_DCM, "110100", "Application Activity")
_LOG_USED = (_DCM, "110101", "Audit Log Used")
_IMPORT = (_DCM, "110107", "Import")
_RECORD = (_DCM, "110110", "Patient Record")
_ALERT = (_DCM, "110113", "Security Alert")
_USER = (_DCM, "110114", "User Authentication")


def _interaction(display: str, action: str, profile: str = "") -> Kind:
    return Kind(*_REST, FHIR_INTERACTION, display, action, profile)


def _own(type_: tuple[str, str, str], display: str, action: str) -> Kind:
    return Kind(*type_, OWN_SUBTYPE, display, action)


SUBTYPES: Mapping[str, Kind] = MappingProxyType(
    {
        Subtype.READ: _interaction("read", "R", "Read"),
        Subtype.VREAD: _interaction("vread", "R", "Read"),
        Subtype.UPDATE: _interaction("update", "U", "Update"),
        Subtype.PATCH: _interaction("patch", "U", "Update"),
        Subtype.DELETE: _interaction("delete", "D", "Delete"),
        Subtype.HISTORY: _interaction("history", "R"),
        Subtype.HISTORY_INSTANCE: _interaction("history-instance", "R"),
        Subtype.HISTORY_TYPE: _interaction("history-type", "R"),
        Subtype.HISTORY_SYSTEM: _interaction("history-system", "R"),
        Subtype.CREATE: _interaction("create", "C", "Create"),
        Subtype.SEARCH: _interaction("search", "E", "Query"),
        Subtype.SEARCH_TYPE: _interaction("search-type", "E", "Query"),
        Subtype.SEARCH_SYSTEM: _interaction("search-system", "E", "Query"),
        Subtype.CAPABILITIES: _interaction("capabilities", "R"),
        Subtype.TRANSACTION: _interaction("transaction", "E"),
        Subtype.BATCH: _interaction("batch", "E"),
        Subtype.OPERATION: _interaction("operation", "E"),
        Subtype.SIGN_IN: _own(_USER, "Signed in", "E"),
        Subtype.SIGN_OUT: _own(_USER, "Signed out", "E"),
        Subtype.CONSENT: _own(_USER, "Allowed an application, or did not", "E"),
        Subtype.GRANT: _own(_USER, "Was given a token", "E"),
        Subtype.REVOKE: _own(_USER, "Ended a token", "E"),
        Subtype.REQUEST: _own(_APPLICATION, "Asked for something else", "E"),
        Subtype.MESSAGE_FILED: _own(_IMPORT, "Filed a message", "C"),
        Subtype.MESSAGE_QUARANTINED: _own(_IMPORT, "Set a message aside", "C"),
        Subtype.MESSAGE_REFUSED: _own(_IMPORT, "Had a message refused", "E"),
        Subtype.MESSAGE_SEEN: _own(_IMPORT, "Looked at a message", "R"),
        Subtype.MESSAGE_REPLAYED: _own(_IMPORT, "Filed a message again", "U"),
        Subtype.MESSAGE_CLOSED: _own(_IMPORT, "Closed a message that waited", "U"),
        Subtype.FEED_CHANGED: _own(_APPLICATION, "Changed a feed", "U"),
        Subtype.RELEASE: _own(_RECORD, "Released a result to the patient", "U"),
        Subtype.RETRACT: _own(_RECORD, "Held a result back again", "U"),
        Subtype.BREAK_GLASS: _own(_ALERT, "Opened a record in an emergency", "E"),
        Subtype.LEDGER_VERIFIED: _own(_LOG_USED, "Verified the ledger", "E"),
        Subtype.LEDGER_EXPORTED: _own(_LOG_USED, "Exported the ledger", "R"),
    }
)
"""Every subtype and its coding."""
