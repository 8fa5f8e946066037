"""What the patient's pages show: frozen values, made from what the patient may see and no more."""

from dataclasses import dataclass

from portal_api.london import Moment
from portal_api.open_orders import OpenOrder
from portal_api.pages.charts import NumberLine, Picture
from portal_api.pages.views_shell import Contact, Download, MessageView, WritingBox
from portal_api.readings import Reading, Run


@dataclass(frozen=True, slots=True)
class HeldCard:
    """A result that has arrived and is not open yet: known from the order and the policy alone."""

    title: str
    arrived: Moment
    opens: Moment | None
    """None where the team opens it by hand."""
    contact: str


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One report in the list."""

    href: str
    name: str
    value: str
    """The value, for a report of one test; else how many tests it has."""
    place: str
    """Where the value lies (see `readings.place`), or empty."""
    taken: Moment | None
    laboratory: str
    new: bool = False
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class ResultsView:
    """The patient's home: what is waiting, and all results that are open, newest first."""

    name: str
    held: tuple[HeldCard, ...]
    rows: tuple[ResultRow, ...]
    unread: int
    contact: Contact
    older: str = ""
    """Address of the next page, empty on the last."""
    letters: int = 0
    """How many letters the patient has not opened yet."""
    under_way: tuple[OpenOrder, ...] = ()
    """Tests without a result yet."""
    withdrawn: tuple[HeldCard, ...] = ()
    """Results that the patient could read and the laboratory took back."""


@dataclass(frozen=True, slots=True)
class Previous:
    """The reading before this one."""

    value: str
    taken: Moment | None
    comparable: bool
    """False where it came from another laboratory, by another method, or in another unit."""


@dataclass(frozen=True, slots=True)
class ReadingView:
    """One measurement with all that helps to understand it."""

    reading: Reading
    place: str
    previous: Previous | None
    line: NumberLine | None
    course: tuple[Run, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class EarlierView:
    """What a corrected result said before, where the patient could read it, and what it says."""

    name: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class ResultView:
    """One report."""

    title: str
    taken: Moment | None
    added: Moment | None
    """When the laboratory gave it out."""
    laboratory: str
    status: str
    corrected: Moment | None
    readings: tuple[ReadingView, ...]
    conclusion: str
    documents: tuple[Download, ...]
    contact: Contact
    write: str
    """Address of the page to ask about this result."""
    earlier: tuple[EarlierView, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One conversation in the list."""

    href: str
    subject: str
    team: str
    latest: Moment | None
    latest_from: str
    unread: bool


@dataclass(frozen=True, slots=True)
class MessagesView:
    """The patient's conversations, newest first."""

    threads: tuple[ThreadRow, ...]
    write: str
    """Address of the page to write a new message; empty where no team cares for the patient."""
    contact: Contact


@dataclass(frozen=True, slots=True)
class ThreadView:
    """One conversation, oldest message first, and the box to answer."""

    subject: str
    team: str
    messages: tuple[MessageView, ...]
    box: WritingBox
    contact: Contact


@dataclass(frozen=True, slots=True)
class WriteView:
    """The page to write a first message."""

    box: WritingBox
    contact: Contact


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One line of who has looked, in plain words."""

    when: Moment
    sentence: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class AccessDay:
    """All lines of one London day, newest first."""

    day: Moment
    lines: tuple[AccessLine, ...]


@dataclass(frozen=True, slots=True)
class AccessView:
    """Who has looked at the record: other people first; own views and filings folded away."""

    days: tuple[AccessDay, ...]
    folded: tuple[AccessDay, ...]
    contact: Contact
    older: str = ""
