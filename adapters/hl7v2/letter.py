"""What one MDM becomes: a document about a person, and what decides on showing it to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.hl7v2.conversion import Document, Flag, Key, Made, PersonNamed
from adapters.hl7v2.document_tables import Relation


@dataclass(frozen=True, slots=True)
class Letter:
    """One document: its DocumentReference, and what a release policy asks about it.

    *number* and *parent_number* are TXA-12 and TXA-13; *parent* is the key of the document that it
    is *relation* to, empty where it is to none. *version_at* orders the versions of a document.
    *doc_status* is `final`, `preliminary`, or empty where TXA-17 says nothing. *has_content* tells
    whether its text or files came along; where they did not, what is stored stays. *holds* are
    stable codes of reasons why it waits for a person.
    """

    person: PersonNamed
    document: Made
    provenance: Made
    practitioners: tuple[Made, ...]
    organizations: tuple[Made, ...]
    flags: tuple[Flag, ...]
    accounted: Mapping[int, str]
    authority: str
    number: str
    parent_number: str
    parent: Key
    relation: Relation
    version_at: datetime
    title: str
    type_code: str
    """TXA-2 as sent, table 0270."""
    doc_status: str
    has_content: bool
    is_withdrawn: bool
    """Whether the sender takes it back: nobody is to read it."""
    is_available: bool
    """Whether the sender says that it may be used in care (TXA-19)."""
    holds: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()
    placer_numbers: tuple[str, ...] = ()
    filler_numbers: tuple[str, ...] = ()

    def all_made(self) -> Iterator[Made]:
        """Yield every resource but the Patient; what is referred to comes first."""
        yield from self.organizations
        yield from self.practitioners
        yield self.document
        yield self.provenance

    def named(self) -> Iterator[Key]:
        """Yield the keys of resources that are referred to and are not made here."""
        if self.parent:
            yield self.parent
