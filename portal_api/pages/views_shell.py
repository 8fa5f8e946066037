"""What stands round every page, and the parts that several pages share: frozen values."""

from dataclasses import dataclass

from portal_api.london import Moment
from portal_api.site import Site


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the navigation."""

    text: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of one page for one signed-in person, or for nobody yet."""

    site: Site
    home: str = "/"
    navigation: tuple[Link, ...] = ()
    person: str = ""
    """Who is signed in; empty for nobody."""
    csrf: str = ""
    done: str = ""
    """What has just been done, as a sentence, after a form was sent."""


@dataclass(frozen=True, slots=True)
class Download:
    """A document that a laboratory sent along; *about* says what it is and how big."""

    href: str
    about: str


@dataclass(frozen=True, slots=True)
class FormError:
    """What is wrong with one field of a form, in a sentence to its writer."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """A number to ring, and who answers there."""

    name: str
    """`your team (Bowel cancer team)`: fits behind the word Ring."""
    phone: str
    hours: str = ""
    """When somebody answers, as a sentence; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a patient rings: no line where no number is known."""

    lines: tuple[PhoneLine, ...] = ()
    urgent_phone: str = ""
    """The 24-hour line for people in treatment; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a list of radios or a select."""

    value: str
    text: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message of a conversation. *text* is plain text: it is escaped, never marked up."""

    sender: str
    own: bool
    sent: Moment | None
    text: str
    read: Moment | None = None
    """When the other side first opened it, if it has."""


@dataclass(frozen=True, slots=True)
class WritingBox:
    """A form to write a message with."""

    action: str
    draft: str
    """A random name for this message: sending the form twice sends one message."""
    text: str = ""
    subject: str = ""
    asks_subject: bool = False
    teams: tuple[Choice, ...] = ()
    """Teams to choose from; empty or one where there is no choice."""
    errors: tuple[FormError, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptView:
    """What somebody wrote and could not send, as their time at this page had run out."""

    subject: str
    text: str
    sign_in: str


@dataclass(frozen=True, slots=True)
class ProblemView:
    """A page that says what went wrong and what to do next."""

    title: str
    sentences: tuple[str, ...]
    request_id: str = ""
    home: str = "/"
