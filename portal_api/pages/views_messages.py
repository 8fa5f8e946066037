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
    waits: bool = False
    """Whether it waits for a person, and so can be run again or closed."""
    closed: bool = False
    """Whether somebody closed it, and so can put it back."""
    merge: str = ""
    """Where the records that it joins are shown; empty where it joins none."""
    errors: tuple[FormError, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeShown:
    """One resource that would be made or changed: its lines of difference, and its release."""

    reference: str
    how: str
    release: str
    lines: tuple[tuple[str, str, str], ...]
    """Path, `added`, `changed` or `removed`, and the value afterwards."""
    more: int


@dataclass(frozen=True, slots=True)
class TrialShown:
    """What would become of one message."""

    href: str
    control_id: str
    fate: str
    field: str
    reason: str
    summary: str
    changes: tuple[ChangeShown, ...]


@dataclass(frozen=True, slots=True)
class TrialView:
    """What would happen, before it does: *fields* name the messages in the form that does it."""

    trials: tuple[TrialShown, ...]
    fields: tuple[tuple[str, str], ...]
    back: str
    filed: int

    @property
    def still(self) -> int:
        """How many would wait all the same."""
        return len(self.trials) - self.filed


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The messages of one feed that wait for one reason."""

    href: str
    feed: str
    code: str
    count: int
    oldest: str
    alarms: int
    """Those that the sender holds for filed."""


@dataclass(frozen=True, slots=True)
class ErrorQueueView:
    """What waits: by reason, and message by message, the newest first."""

    groups: tuple[GroupRow, ...]
    rows: tuple[MessageRow, ...]
    chosen: GroupRow | None = None
    """The one that is looked at, where one is."""
    fields: tuple[tuple[str, str], ...] = ()
    """What names its messages in a form."""
    at_once: int = 0
    older: str = ""
    errors: tuple[FormError, ...] = ()
