"""What the operator's pages about messages show: frozen values."""

from dataclasses import dataclass

from adapters.hl7v2.anatomy import Anatomy
from portal_api.flag_words import FlagShown
from portal_api.london import Moment
from portal_api.pages.views_shell import Choice, FormError


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message in a list, without anything of its content."""

    href: str
    feed: str
    control_id: str
    kind: str
    """Its type and event, such as `ORU^R01`."""
    arrived: Moment
    fate: str
    field: str
    """The address of the field that is to blame; empty where none is."""
    reason: str
    mark: str = ""
    """How a form names it; empty where nothing is done with it."""


@dataclass(frozen=True, slots=True)
class TraceForm:
    """What is looked for, as it was typed."""

    key: str = ""
    since: str = ""
    until: str = ""
    feeds: tuple[Choice, ...] = ()
    fates: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class TraceView:
    """The form to look messages up, and a page of them; *rows* None before the first search."""

    form: TraceForm
    rows: tuple[MessageRow, ...] | None
    older: str = ""
    """The cursor of the next page; empty on the last one."""
    errors: tuple[FormError, ...] = ()


@dataclass(frozen=True, slots=True)
class ActShown:
    """What somebody did with the message, and what became of it then."""

    when: Moment
    who: str
    what: str
    after: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message: as it came, taken apart, what was made of it, and what was answered."""

    row: MessageRow
    peer: str
    copies: int
    flags: tuple[FlagShown, ...]
    resources: tuple[str, ...]
    answers: tuple[str, ...]
    """The acknowledgements as they were sent, one segment a line."""
    raw: str
    """The message as it came, one segment a line."""
    anatomy: Anatomy
    acts: tuple[ActShown, ...]
