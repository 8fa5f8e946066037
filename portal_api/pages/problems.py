"""What went wrong, in words for the person at the screen."""

from fhir_server.errors import (
    Conflict,
    FhirError,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unavailable,
)
from portal_api.pages.views_shell import ProblemView

_WORDS: tuple[tuple[type[FhirError], str, str], ...] = (
    (
        NotFound,
        "This page is not here",
        "The address may be wrong, or what it led to may not be yours to see.",
    ),
    (Forbidden, "You can’t do this", ""),
    (Conflict, "Something changed in the meantime", ""),
    (TooMany, "Please wait a moment", ""),
    (
        Unavailable,
        "The service is not ready",
        "Nothing was lost, and nothing was shown. Please try again in a few minutes.",
    ),
    (Invalid, "This did not work", ""),
)
"""Kind of error, title and sentence; without a sentence the error's own stands."""


def problem(error: FhirError, request_id: str, home: str) -> ProblemView:
    """Return the page for *error*; what is absent and what is not theirs read alike."""
    title, *sentences = _words(error)
    return ProblemView(title, tuple(sentences), request_id, home)


def _words(error: FhirError) -> tuple[str, ...]:
    text = error.issues[0].text if error.issues else ""
    for kind, title, sentence in _WORDS:
        if isinstance(error, kind):
            return title, sentence or text
    return "Something went wrong", "Please try again. If it happens again, please ring us."
