"""The entries that an access owes to the ledger: what was asked, by whom, in what relation."""

import secrets
from typing import NamedTuple

from sqlalchemy import Connection

from fhir_server.access import Access, CaredFor, OwnRecord, WholeStore
from fhir_server.audit.event import NONCE_SIZE, AccessEvent, encode
from fhir_server.errors import FhirError, Unavailable
from fhir_server.model.ids import is_id
from fhir_server.store import links, read

DONE, REFUSED, FAILED = "0", "4", "8"
"""Outcomes, of https://hl7.org/fhir/R4/valueset-audit-event-outcome.html."""


class Asked(NamedTuple):
    """What was asked, in the words of the ledger."""

    subtype: str
    entity: str = ""
    query: str = ""

    def told(self, outcome: str = DONE, reason: str = "") -> dict[str, str]:
        """Return what the entry of this tells, with its outcome."""
        return {
            "subtype": self.subtype,
            "entity": self.entity,
            "query": self.query,
            "outcome": outcome,
            "reason": reason,
        }

    def failed(self, error: Exception) -> dict[str, str]:
        """Return what the entry tells when *error* is the answer: never what was found.

        A patient who was asked for by name of their own resource is told of it, in their log.
        """
        named = {"patient": self._patient_named()}
        if not isinstance(error, FhirError):
            return self.told(FAILED, "a fault in the server") | named
        outcome = FAILED if isinstance(error, Unavailable) else REFUSED
        return self.told(outcome, error.issues[0].text if error.issues else "") | named

    def _patient_named(self) -> str:
        kind, _, rest = self.entity.partition("/")
        id_ = rest.partition("/")[0]
        return id_ if kind == "Patient" and is_id(id_) else ""


def entry(connection: Connection, access: Access, now: int, **told: str) -> bytes:
    """Return the entry with the care relationship of this moment, *now* in microseconds."""
    patient = told.get("patient", "")
    relationship = _relationship(connection, access, patient, now) if patient else ""
    return bare_entry(access, now, relationship=relationship, **told)


def bare_entry(
    access: Access, now: int, *, subtype: str, outcome: str = DONE, **told: str
) -> bytes:
    """Return an entry whose care relationship was not looked up, or is not there."""
    event = AccessEvent(
        subtype=subtype,
        outcome=outcome,
        recorded=now,
        agent=access.agent,
        request_id=access.request_id,
        **told,
    )
    random = secrets.token_bytes(2 * NONCE_SIZE)
    return encode(event, id_=random[NONCE_SIZE:].hex(), nonce=random[:NONCE_SIZE])


def _relationship(connection: Connection, access: Access, patient: str, now: int) -> str:
    """Return by what relation the caller stands to *patient* at this moment."""
    match access.reach:
        case OwnRecord(patients):
            own = patient in patients or bool(
                set(patients).intersection(links.together(links.asking(connection), patient))
            )
            return "self" if own else ""
        case CaredFor(practitioner):
            team = read.caring_team(connection, patient, practitioner, now)
            return f"CareTeam/{team}" if team else ""
        case WholeStore():
            return "system"
        case _:
            return ""
