"""What is known of a Bundle while its resources are mapped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.fhir_push.bundle import Entry, Head
from adapters.fhir_push.references import Rewriting
from adapters.hl7v2.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Setting:
    """The sender's agreement, the Bundle's head and entries, and its clock.

    *authority* is the sending organisation, under which its numbers are kept as those of HL7 v2
    are; *sender* what it is called. *sent_text* and *sent_at* are Bundle.timestamp, empty and None
    where it is. Nothing later than *latest* is believed; None: anything is.
    """

    head: Head
    entries: Sequence[Entry]
    rewriting: Rewriting
    dialect: Dialect
    authority: str
    sender: str
    sent_text: str
    sent_at: datetime | None
    received_at: datetime | None
    latest: datetime | None

    def entries_of(self, resource_type: str) -> list[Entry]:
        """Return the entries of one type, in their order."""
        return [entry for entry in self.entries if entry.type == resource_type]
