"""Every kind of error has its status, its headers, and an OperationOutcome that is valid."""

import pytest

from fhir_server.errors import (
    Conflict,
    FhirError,
    Forbidden,
    Invalid,
    Issue,
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
from fhir_server.model.validate import judge
from fhir_server.rest.outcome import informed, operation_outcome, refusal

KINDS: dict[type[FhirError], tuple[int, str]] = {
    Invalid: (400, "invalid"),
    NotSupported: (400, "not-supported"),
    Unauthenticated: (401, "login"),
    Forbidden: (403, "forbidden"),
    NotFound: (404, "not-found"),
    NotAllowed: (405, "not-supported"),
    NotAcceptable: (406, "not-supported"),
    TooSlow: (408, "timeout"),
    Conflict: (409, "conflict"),
    VersionConflict: (412, "conflict"),
    TooLarge: (413, "too-long"),
    UnsupportedMedia: (415, "not-supported"),
    Unprocessable: (422, "business-rule"),
    TooMany: (429, "throttled"),
    FhirError: (500, "exception"),
    Unavailable: (503, "transient"),
}


def kinds(root: type[FhirError]) -> set[type[FhirError]]:
    return {root}.union(*map(kinds, root.__subclasses__()))


def test_no_kind_of_error_is_without_a_status() -> None:
    ours = {kind for kind in kinds(FhirError) if kind.__module__ == "fhir_server.errors"}
    assert ours == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_its_status_and_a_valid_outcome(kind: type[FhirError]) -> None:
    response = refusal(kind.of("It is wrong.", "Patient.name", "Mend it."))
    status, code = KINDS[kind]
    assert response.status_code == status
    assert response.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert judge(response.body, "OperationOutcome") == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": code,
                "details": {"text": "It is wrong."},
                "diagnostics": "Mend it.",
                "expression": ["Patient.name"],
            }
        ],
    }


def test_several_faults_are_several_issues_and_nothing_empty_is_said() -> None:
    error = Unprocessable(Issue("required", "One."), Issue("value", "Two.", "Patient.id"))
    assert judge(operation_outcome(error))["issue"] == [
        {"severity": "error", "code": "required", "details": {"text": "One."}},
        {
            "severity": "error",
            "code": "value",
            "details": {"text": "Two."},
            "expression": ["Patient.id"],
        },
    ]


def test_a_method_that_is_not_taken_names_those_that_are() -> None:
    response = refusal(NotAllowed.of("No.", diagnostics="Allow: GET, HEAD"))
    assert response.headers["allow"] == "GET, HEAD"


def test_who_asks_too_often_is_told_how_long_to_wait() -> None:
    assert refusal(TooMany.of("Wait.", diagnostics="42")).headers["retry-after"] == "42"
    assert refusal(TooMany.of("Wait.")).headers["retry-after"] == "5"
    assert refusal(Unavailable.of("Wait.")).headers["retry-after"] == "5"


def test_a_challenge_names_an_error_only_where_a_token_was_sent() -> None:
    without = refusal(Unauthenticated.of("Who?")).headers["www-authenticate"]
    assert without == 'Bearer realm="fhir"'
    sent = refusal(Unauthenticated.of("Who?", diagnostics="invalid_token"))
    assert sent.headers["www-authenticate"] == 'Bearer realm="fhir", error="invalid_token"'
    scope = refusal(Forbidden.of("No.")).headers["www-authenticate"]
    assert scope == 'Bearer realm="fhir", error="insufficient_scope"'


@pytest.mark.parametrize("kind", [TooLarge, TooSlow])
def test_a_body_that_was_not_read_to_its_end_closes_the_connection(kind: type[FhirError]) -> None:
    assert refusal(kind.of("No.")).headers["connection"] == "close"


def test_what_went_well_can_be_said_as_an_outcome_too() -> None:
    assert judge(informed("Done."))["issue"] == [
        {"severity": "information", "code": "informational", "details": {"text": "Done."}}
    ]
