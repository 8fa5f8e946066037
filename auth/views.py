"""What the sign-in, consent and refusal pages show: values only, without HTML and without rules.

`auth.endpoints` fills them; the renderers given in `auth.services.AuthServices` turn them into
pages. Each text is plain words, not yet escaped: the renderer escapes. Field names of the forms
are constants here, so that page and endpoint cannot disagree.
"""

from dataclasses import dataclass

CSRF_FIELD = "csrf"
NEXT_FIELD = "next"
LOGIN_FIELD = "login"
PASSWORD_FIELD = "password"  # noqa: S105 - the name of a form field
REQUEST_FIELD = "request"
CHOICE_FIELD = "choice"
DECISION_FIELD = "decision"
ALLOW = "allow"
DENY = "deny"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A demonstration account that the sign-in page offers, marked as such.

    Each is a form of its own: `login` and `password` as hidden fields, and one button.
    """

    login: str
    password: str
    name: str
    role: str
    """`patient`, `clinician`, `auditor` or `operator`."""
    story: str
    """One line: whom this account shows, in plain words."""


@dataclass(frozen=True, slots=True)
class SignInView:
    """The sign-in page: a form that posts `login`, `password`, `csrf` and `next` to *action*."""

    action: str
    csrf: str
    next: str
    """Where the person goes after signing in, a path on this site; a hidden field."""
    client_name: str = ""
    """The application that asks, or the empty text when a person came by themselves."""
    login: str = ""
    """What was typed before, to be shown again after a mistake."""
    error: str = ""
    """A sentence to show above the form, or the empty text."""
    demo_accounts: tuple[DemoAccount, ...] = ()
    notice: str = ""
    """Why the person is here again, in a sentence, where they did nothing wrong."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that the application asks for and that the person can untick.

    A checkbox named `choice` with this *value*: a scope, or several with a space between them. Each
    is ticked when the page opens.
    """

    value: str
    text: str
    """What it is: "Your test results"."""
    detail: str
    """What the application may do with it: "see", "see and add"."""


@dataclass(frozen=True, slots=True)
class ConsentView:
    """The consent page: a form that posts `request`, `csrf`, `decision` and the ticked `choice`s.

    *decision* is `allow` or `deny`: two buttons of the one form, neither of them preselected.
    """

    action: str
    csrf: str
    request: str
    client_name: str
    signed_in_as: str
    """The name of the person who is signed in, so that nobody consents for another."""
    subject: str
    """Whose records are meant: "your own record", or "the patients whom you care for"."""
    choices: tuple[Choice, ...]
    offline: Choice | None
    """Staying connected when the person is away; a checkbox like the others, apart from them."""
    warnings: tuple[str, ...]
    """Sentences to show before the choices: that everything was asked for, say."""
    returns_to: str
    """Where the person is sent afterwards: the host or scheme of the application's address."""


@dataclass(frozen=True, slots=True)
class RefusalView:
    """The page for a request that is refused and from which nobody is sent on.

    *text* says what is wrong to the person who can mend it, without any value that was sent.
    """

    title: str
    text: str
    request_id: str
