"""A demonstration knows nobody who may exist. Numbers of somebody are made here, not written."""

import pytest

from fhir_server.errors import Unprocessable
from fhir_server.model.identifiers import NHS_NUMBER, check_digit
from fhir_server.model.synthetic import anybody, only_synthetic


def person(value: str, system: str = NHS_NUMBER) -> dict[str, object]:
    local = {"system": "https://portal-fhir.example/numbers", "value": "1"}
    return {"resourceType": "Patient", "identifier": [local, {"system": system, "value": value}]}


def somebody() -> str:
    return f"400000000{check_digit('400000000')}"


def test_a_synthetic_person_is_admitted() -> None:
    only_synthetic(person("9990000018"))
    only_synthetic({"resourceType": "Patient"})


@pytest.mark.parametrize("value", [somebody(), "not a number", ""])
def test_a_number_that_somebody_may_have_is_refused_by_its_place(value: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        only_synthetic(person(value))
    (issue,) = refused.value.issues
    assert issue.expression == "Patient.identifier[1].value"
    assert somebody() not in issue.text


def test_another_kind_of_number_is_no_nhs_number() -> None:
    only_synthetic(person(somebody(), system="https://portal-fhir.example/other"))


def test_a_portal_that_serves_people_admits_everybody() -> None:
    anybody(person(somebody()))
