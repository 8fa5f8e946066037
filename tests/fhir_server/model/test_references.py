"""What a reference names."""

import pytest

from fhir_server.model.references import (
    Literal,
    is_contained,
    is_uuid,
    literal,
    reference_id,
    relative,
)


def test_a_relative_reference_names_type_id_and_version() -> None:
    assert literal("Patient/0a1f") == Literal("Patient", "0a1f")
    assert literal("Observation/a-b.1/_history/3") == Literal("Observation", "a-b.1", "3")
    assert reference_id("Observation/a/_history/3") == ("Observation", "a")
    assert str(literal("Observation/a/_history/3")) == "Observation/a/_history/3"
    assert str(literal("Patient/a")) == "Patient/a"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Patient",
        "Patient/",
        "/Patient/1",
        "patient/1",
        "Person!/1",
        "Nonsense/1",
        "Patient/1/",
        "Patient/1\n",
        "Patient/1?x=1",
        "Patient/../1",
        "Patient/a b",
        "Patient/" + "x" * 65,
        "Patient/1/_history/",
        "https://elsewhere.example/Patient/1",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "#inside",
        "Patient?identifier=x",
    ],
)
def test_anything_else_names_nothing_of_ours(text: str) -> None:
    assert literal(text) is None
    assert reference_id(text) is None


@pytest.mark.parametrize("base", ["https://portal.example/fhir", "https://portal.example/fhir/"])
def test_our_own_address_is_taken_off(base: str) -> None:
    assert relative("https://portal.example/fhir/Patient/1", base) == "Patient/1"
    assert relative("Patient/1", base) == "Patient/1"


@pytest.mark.parametrize(
    "text",
    [
        "https://portal.example/fhirx/Patient/1",
        "https://portal.example.evil/fhir/Patient/1",
        "http://portal.example/fhir/Patient/1",
        "https://portal.example/fhir/../Patient/1",
        "https://portal.example/fhir//Patient/1",
        "#p",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    ],
)
def test_the_address_of_another_server_is_left_alone(text: str) -> None:
    assert relative(text, "https://portal.example/fhir") == text


def test_a_reference_into_the_resource_and_one_into_a_bundle_are_told_apart() -> None:
    assert (is_contained("#p"), is_contained("Patient/1")) == (True, False)
    assert is_uuid("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")
    assert not is_uuid("urn:uuid:c757873d")
