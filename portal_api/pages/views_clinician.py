"""What the clinician's pages show: frozen values."""

from dataclasses import dataclass

from portal_api.corrections import Change
from portal_api.london import Moment
from portal_api.pages.views_letters import Words
from portal_api.pages.views_patient import ReadingView, ThreadRow
from portal_api.pages.views_shell import Choice, Download, FormError, MessageView, WritingBox


@dataclass(frozen=True, slots=True)
class PatientName:
    """Who a patient is, as a clinician has to see it beside everything: name, age, NHS number."""

    name: str
    born: str
    """`4 March 1955 (71 years)`; empty where it is not known."""
    nhs_number: str
    """In groups of three, three and four; empty where there is none."""
    href: str = ""
    listed: str = ""
    """The name as a list has it, the family name first."""


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One patient of the clinician's teams."""

    patient: PatientName
    teams: str


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One result or letter that waits for a clinician to read and release it."""

    href: str
    name: str
    patient: PatientName
    age: str
    """How long it has been waiting: `3 hours`."""
    opens: Moment | None
    """When it opens by itself; None where it waits for a clinician."""
    unsigned: bool = False
    """Whether it is a letter that nobody has signed."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One change of a result that nobody of the clinician's teams has dealt with."""

    href: str
    topic: str
    text: str
    patient: PatientName
    age: str
    """How long it has been waiting: `3 hours`."""
    urgent: bool
    """Whether somebody had read what was there before."""
    done: str
    """Address of the form to say that it was dealt with."""


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """Somebody who had read what a report said before it was changed."""

    who: str
    organization: str
    how: str
    first: Moment
    last: Moment
    times: int
    is_patient: bool


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What the laboratory changed in a report, and who had read what was there before."""

    changes: tuple[Change, ...]
    readers: tuple[ReaderRow, ...]


@dataclass(frozen=True, slots=True)
class PatientsView:
    """What waits for the clinician, and the patients whom their teams care for."""

    held: tuple[HeldRow, ...]
    rows: tuple[PatientRow, ...]
    waiting: int
    """How many conversations wait for the teams."""
    find: str = ""
    """What the list was narrowed to: a part of a name or an NHS number."""
    alerts: tuple[AlertRow, ...] = ()
    letters: tuple[HeldRow, ...] = ()
    """Letters that wait, as results in *held* do."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One report, held or open."""

    href: str
    name: str
    value: str
    place: str
    taken: Moment | None
    laboratory: str
    status: str
    held: bool
    opens: Moment | None
    """When a held report opens by itself; None where it waits for a clinician."""


@dataclass(frozen=True, slots=True)
class PatientLetterRow:
    """One letter about the patient, held or open."""

    href: str
    title: str
    sender: str
    """Who wrote it, and where; may be empty."""
    written: Moment | None
    held: bool
    replaced: bool


@dataclass(frozen=True, slots=True)
class PatientView:
    """One patient: results that wait first, then all the others, letters and conversations."""

    patient: PatientName
    held: tuple[ReportRow, ...]
    rows: tuple[ReportRow, ...]
    threads: tuple[ThreadRow, ...]
    write: str
    older: str = ""
    """Address of the next page of results, empty on the last."""
    letters: tuple[PatientLetterRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewView:
    """One report, with the form to release it where it is held."""

    patient: PatientName
    title: str
    taken: Moment | None
    added: Moment | None
    laboratory: str
    status: str
    corrected: Moment | None
    readings: tuple[ReadingView, ...]
    conclusion: str
    documents: tuple[Download, ...]
    held: bool
    opens: Moment | None
    action: str
    version: int
    """Which version is shown: the one that the form releases."""
    reasons: tuple[Choice, ...]
    note: str = ""
    errors: tuple[FormError, ...] = ()
    write: str = ""
    """Address of the page to write to the patient about this result."""
    changed: ChangeView | None = None
    """None where the laboratory changed nothing."""


@dataclass(frozen=True, slots=True)
class LetterReviewView:
    """One letter, why it is held, and the form to release it where it may be released."""

    patient: PatientName
    title: str
    sender: str
    """Who wrote it, and where; may be empty."""
    written: Moment | None
    status: str
    """How its sender says that it stands."""
    why: tuple[str, ...]
    """Why it is held, in sentences; none where it is open."""
    opens: Moment | None
    unsigned: bool
    withdrawn: bool
    replaced: bool
    adds_to: bool
    words: tuple[Words, ...]
    downloads: tuple[Download, ...]
    held: bool
    action: str
    """Address of the form to release it; empty where there is nothing to release."""
    version: int
    """Which version is shown: the one that the form releases."""
    reasons: tuple[Choice, ...]
    note: str = ""
    errors: tuple[FormError, ...] = ()
    write: str = ""
    """Address of the page to write to the patient about this letter."""


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One conversation in the team's inbox."""

    href: str
    subject: str
    patient: PatientName
    age: str
    """How long the oldest message without an answer has been waiting: `3 hours`."""
    late: bool
    """Whether it waits longer than the site promises."""
    owner: str
    """Who has taken it on; empty for nobody."""
    mine: bool
    take: str
    """Address of the form to take it on."""


@dataclass(frozen=True, slots=True)
class InboxView:
    """Conversations that wait for an answer, the longest first, and results that were changed."""

    rows: tuple[WaitingRow, ...]
    alerts: tuple[AlertRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversationView:
    """One conversation with a patient."""

    patient: PatientName
    subject: str
    messages: tuple[MessageView, ...]
    owner: str
    waiting: bool
    take: str
    settle: str
    box: WritingBox


@dataclass(frozen=True, slots=True)
class LetterView:
    """The page to write a first message to a patient."""

    patient: PatientName
    box: WritingBox
