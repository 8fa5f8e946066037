"""The error kinds of the house, each with its FHIR issue type and no HTTP in it.

https://hl7.org/fhir/R4/valueset-issue-type.html

    FhirError
    ├── Invalid              invalid, structure: it can't be read
    │   └── Unprocessable    required, value, invariant, code-invalid, business-rule
    ├── NotSupported         not-supported
    │   ├── NotAllowed       not-supported, as a method
    │   ├── NotAcceptable    not-supported, as the format of an answer
    │   └── UnsupportedMedia not-supported, as the format of a body
    ├── Unauthenticated      login
    ├── Forbidden            forbidden
    ├── NotFound             not-found
    ├── Conflict             conflict
    ├── VersionConflict      conflict (If-Match)
    ├── TooLarge             too-long
    ├── TooSlow              timeout
    ├── TooMany              throttled
    └── Unavailable          transient
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong, said to the person who can mend it.

    *expression* is the FHIRPath of the culprit (`Observation.status`), or a field address of
    an HL7 v2 message (`OBX[3].5`); empty where no element is to blame. *text* is a sentence
    without patient data; *diagnostics* a hint how to mend it.
    """

    code: str
    text: str
    expression: str = ""
    diagnostics: str = ""


class FhirError(Exception):
    """A request that can't be answered as asked, with one issue or more."""

    code = "exception"

    def __init__(self, *issues: Issue) -> None:
        super().__init__("; ".join(issue.text for issue in issues))
        self.issues: Sequence[Issue] = issues

    @classmethod
    def of(cls, text: str, expression: str = "", diagnostics: str = "", code: str = "") -> Self:
        """Return this kind of error with a single issue."""
        return cls(Issue(code or cls.code, text, expression, diagnostics))


class Invalid(FhirError):
    """The request can't be read as FHIR."""

    code = "invalid"


class Unprocessable(Invalid):
    """The content can be read, but breaks a rule of FHIR or of this server."""

    code = "business-rule"


class NotSupported(FhirError):
    """The server does not do this, for anybody."""

    code = "not-supported"


class NotAllowed(NotSupported):
    """The address does not take that method; the diagnostics name those that it takes."""


class NotAcceptable(NotSupported):
    """The caller asks for an answer in a format that this server does not speak."""


class UnsupportedMedia(NotSupported):
    """The body is in a format that this server does not read."""


class Unauthenticated(FhirError):
    """There is no token, or none that holds."""

    code = "login"


class Forbidden(FhirError):
    """The token and the address alone say no; data were not looked at."""

    code = "forbidden"


class NotFound(FhirError):
    """It does not exist, or not for this caller: the two answer alike."""

    code = "not-found"


class Conflict(FhirError):
    """The state of the record does not allow it."""

    code = "conflict"


class VersionConflict(Conflict):
    """Somebody else wrote first: If-Match names a version that is not the current one."""


class TooLarge(FhirError):
    """The request is larger than its limit."""

    code = "too-long"


class TooSlow(FhirError):
    """The request did not arrive in the time that it has."""

    code = "timeout"


class TooMany(FhirError):
    """Too many requests in too short a time."""

    code = "throttled"


class Unavailable(FhirError):
    """The server can't do it now: the record or its ledger can't be written. Try again."""

    code = "transient"


def traced(error: BaseException) -> str:
    """Return what kind of error it is and where it came about, for a log.

    Its own text stays out, as do the texts of its causes: they may repeat what a patient sent.
    """
    cause = error.__cause__ or error.__context__
    before = f"{traced(cause)}which led to\n" if cause is not None else ""
    return f"{before}{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"
