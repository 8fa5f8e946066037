"""What the operator's pages about codes show: frozen values."""

from dataclasses import dataclass

from portal_api.london import Moment
from portal_api.pages.views_messages import TrialShown
from portal_api.pages.views_shell import FormError


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One local code without a meaning."""

    href: str
    feed: str
    system: str
    code: str
    name: str
    unit: str
    seen: int
    """How often it came."""
    waiting: int
    """Messages whose results wait for it."""
    since: Moment


@dataclass(frozen=True, slots=True)
class BegunRow:
    """One code that has its meaning while messages still wait to be filed with it."""

    feed: str
    code: str
    waiting: int
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CodesView:
    """The work list, the commonest first."""

    rows: tuple[CodeRow, ...]
    begun: tuple[BegunRow, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One coding that the code may mean."""

    value: str
    display: str
    code: str
    source: str


@dataclass(frozen=True, slots=True)
class CodeView:
    """One code: what it looks like, messages that sent it, and what it may mean."""

    row: CodeRow
    fields: tuple[tuple[str, str], ...]
    samples: tuple[tuple[str, str], ...]
    """Address and control id of messages."""
    suggestions: tuple[Suggestion, ...]
    systems: tuple[tuple[str, str], ...]
    code: str = ""
    display: str = ""
    errors: tuple[FormError, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectView:
    """What a meaning would do, before it does."""

    row: CodeRow
    fields: tuple[tuple[str, str], ...]
    target: str
    waiting: int
    tried: int
    opened: int
    held: int
    trials: tuple[TrialShown, ...]
