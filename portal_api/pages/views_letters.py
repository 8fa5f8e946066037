"""What the pages of letters show: frozen values, made from what their reader may see."""

from dataclasses import dataclass

from portal_api.letters import Letter
from portal_api.london import Moment
from portal_api.pages.views_shell import Contact, Download


@dataclass(frozen=True, slots=True)
class LetterRow:
    """One letter in the list."""

    href: str
    title: str
    sender: str
    """Who wrote it, and where; may be empty."""
    written: Moment | None
    new: bool = False
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class LettersView:
    """All letters that are open, newest first."""

    rows: tuple[LetterRow, ...]
    contact: Contact


@dataclass(frozen=True, slots=True)
class Words:
    """One text of a letter, as it was written."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class LetterView:
    """One letter."""

    title: str
    sender: str
    written: Moment | None
    replaced: bool
    withdrawn: bool
    is_draft: bool
    adds_to: bool
    words: tuple[Words, ...]
    downloads: tuple[Download, ...]
    contact: Contact
    write: str
    """Address of the page to ask about this letter; empty where no team cares for the patient."""


def sender_of(letter: Letter) -> str:
    """Return who wrote a letter, and where, in one line."""
    return ", ".join(filter(None, (letter.author, letter.hospital)))
