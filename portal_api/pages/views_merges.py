"""What the operator's pages about merges show: frozen values."""

from dataclasses import dataclass

from portal_api.pages.views_messages import MessageRow
from portal_api.pages.views_shell import FormError


@dataclass(frozen=True, slots=True)
class Compared:
    """One detail of both records; *differs* where both have it, and not the same."""

    label: str
    stays: tuple[str, ...]
    retired: tuple[str, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class PairShown:
    """Two records side by side."""

    rows: tuple[Compared, ...]
    stays: str
    """Id of the record that stays; empty where nobody is known by those numbers."""
    retired: str
    notes: tuple[str, ...]
    """What is to be known beside it, in words."""
    joined: bool
    """Whether the two are one record today, and can be parted."""


@dataclass(frozen=True, slots=True)
class MergeView:
    """A merge on which somebody decides."""

    row: MessageRow
    meaning: str
    """What its event says, in words."""
    asked_by: str
    pairs: tuple[PairShown, ...]
    waits: bool
    can_join: bool
    action: str
    """Where its forms go, without the last step."""
    reason: str = ""
    errors: tuple[FormError, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfirmView:
    """What is about to be done, before it is."""

    title: str
    sentences: tuple[str, ...]
    pairs: tuple[PairShown, ...]
    button: str
    action: str
    fields: tuple[tuple[str, str], ...]
    back: str
    reason: str
