"""Errors as the caller sees them: a status and an OperationOutcome.

https://hl7.org/fhir/R4/operationoutcome.html; statuses: https://hl7.org/fhir/R4/http.html
"""

from starlette.responses import Response

from fhir_server.errors import (
    Conflict,
    FhirError,
    Forbidden,
    Invalid,
    NotAcceptable,
    NotAllowed,
    NotFound,
    NotSupported,
    TooLarge,
    TooMany,
    TooSlow,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    UnsupportedMedia,
    VersionConflict,
)
from fhir_server.model import json
from fhir_server.rest.formats import FHIR_JSON, SAFE

_STATUS: dict[type[FhirError], int] = {
    NotAllowed: 405,
    NotAcceptable: 406,
    UnsupportedMedia: 415,
    Unprocessable: 422,
    Invalid: 400,
    NotSupported: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    VersionConflict: 412,
    Conflict: 409,
    TooLarge: 413,
    TooSlow: 408,
    TooMany: 429,
    Unavailable: 503,
}


def status_of(error: FhirError) -> int:
    """Return the HTTP status that stands for this kind of error; 500 for one that has none."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def operation_outcome(error: FhirError) -> bytes:
    """Return *error* as OperationOutcome JSON, one issue for each thing that is wrong."""
    return json.encode(
        {
            "resourceType": "OperationOutcome",
            "issue": [
                {"severity": "error", "code": issue.code, "details": {"text": issue.text}}
                | ({"diagnostics": issue.diagnostics} if issue.diagnostics else {})
                | ({"expression": [issue.expression]} if issue.expression else {})
                for issue in error.issues
            ],
        }
    )


def informed(text: str) -> bytes:
    """Return an OperationOutcome that says what went well."""
    issue = {"severity": "information", "code": "informational", "details": {"text": text}}
    return json.encode({"resourceType": "OperationOutcome", "issue": [issue]})


def refusal(error: FhirError) -> Response:
    """Return the answer to a request that failed with *error*."""
    headers = dict(SAFE)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = f'Bearer realm="fhir", {_bearer_error(error)}'.rstrip(", ")
    if isinstance(error, Forbidden):
        headers["WWW-Authenticate"] = 'Bearer realm="fhir", error="insufficient_scope"'
    if isinstance(error, Unavailable | TooMany):
        headers["Retry-After"] = _seconds(error)
    if isinstance(error, TooLarge | TooSlow):
        headers["Connection"] = "close"
    if isinstance(error, NotAllowed):
        headers["Allow"] = error.issues[0].diagnostics.removeprefix("Allow: ")
    return Response(operation_outcome(error), status_of(error), headers, media_type=FHIR_JSON)


def _seconds(error: FhirError) -> str:
    """Return how long to wait: who limits requests says it in the diagnostics."""
    told = [issue.diagnostics for issue in error.issues if issue.diagnostics.isdigit()]
    return told[0] if told else "5"


def _bearer_error(error: Unauthenticated) -> str:
    """RFC 6750 section 3.1: a request without any token gets no error code."""
    sent = any(issue.diagnostics == "invalid_token" for issue in error.issues)
    return 'error="invalid_token"' if sent else ""
