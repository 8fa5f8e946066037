"""Whose numbers these are: by authority and type, never by position unless it was agreed."""

import pytest

from adapters.hl7v2.conversion import Flag
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Refused
from tests.adapters.hl7v2.oru_messages import MSH, OBR, OBX, ORC, PID, converted, field_of

NHS = "9990000018"


def person(numbers, dialect=None, **fields):
    pid = field_of(PID, 3, numbers)
    for name, text in fields.items():
        pid = field_of(pid, int(name.removeprefix("pid_")), text)
    return converted(MSH, pid, ORC, OBR, OBX, dialect=dialect or Dialect())


def refusal(numbers, dialect=None, **fields):
    with pytest.raises(Refused) as caught:
        person(numbers, dialect, **fields)
    refused = caught.value
    return refused.hl7_code, refused.code, refused.field


@pytest.mark.parametrize(
    "numbers",
    [
        f"{NHS}^^^NHS^NH",
        f"{NHS}^^^NHS",
        f"{NHS}^^^^NH",
        f"{NHS}^^^^NHSNMBR",
        f"{NHS}^^^^NHSNO",
        "999 000 0018^^^NHS^NH",
        "999-000-0018^^^NHS^NH",
        f"A123^^^NMH^MR~{NHS}^^^NHS^NH",
        f"{NHS}^^^NHS^NH~{NHS}^^^NHS^NH",
    ],
)
def test_the_nhs_number_is_found_wherever_it_stands(numbers):
    conversion = person(numbers)
    assert conversion.person.nhs_number.digits == NHS
    first = conversion.person.tree["identifier"][0]
    assert (first["system"], first["value"]) == ("https://fhir.nhs.uk/Id/nhs-number", NHS)


def test_a_hospitals_number_is_kept_with_who_gave_it():
    conversion = person("A123^^^NMH^MR~B7^^^EVH^PI")
    assert conversion.person.identifiers == (("NMH", "A123"), ("EVH", "B7"))
    assert conversion.person.nhs_number is None


def test_a_bare_number_is_read_by_its_position_only_where_that_was_agreed():
    agreed = Dialect(identifier_authorities=("NMH", "NHS"))
    conversion = person(f"A123~{NHS}", agreed)
    assert conversion.person.identifiers == (("NMH", "A123"),)
    assert conversion.person.nhs_number.digits == NHS
    assert refusal(f"A123~{NHS}") == (204, "identity-unclear", "PID.3")


def test_an_authority_that_was_sent_comes_before_the_agreed_position():
    agreed = Dialect(identifier_authorities=("NMH", "NHS"))
    conversion = person(f"{NHS}^^^NHS^NH~A123^^^NMH^MR", agreed)
    assert conversion.person.nhs_number.digits == NHS
    assert conversion.person.identifiers == (("NMH", "A123"),)


def test_a_bare_number_beside_a_usable_one_identifies_nobody_and_is_flagged():
    conversion = person(f"A123~{NHS}^^^NHS^NH")
    assert conversion.person.identifiers == ()
    assert conversion.flags == (Flag("identifier-unplaced", "PID.3"),)


def test_the_nhs_number_in_pid_19_counts_only_where_that_was_agreed():
    agreed = Dialect(nhs_number_in_pid_19=True)
    assert person("A1^^^NMH^MR", agreed, pid_19=NHS).person.nhs_number.digits == NHS
    assert person("A1^^^NMH^MR", pid_19=NHS).person.nhs_number is None


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ("9990000019^^^NHS^NH", (102, "nhs-number-bad")),
        ("999000001^^^NHS^NH", (102, "nhs-number-bad")),
        ("unknown^^^NHS^NH", (102, "nhs-number-bad")),
        ("9999999999^^^NHS^NH", (102, "nhs-number-bad")),
        ("0000000000^^^NHS^NH", (204, "identity-unclear")),
        ("000 000 0000^^^NHS^NH", (204, "identity-unclear")),
        (f"{NHS}^^^NHS^NH~9990000026^^^NHS^NH", (204, "identity-unclear")),
        ("A123", (204, "identity-unclear")),
        ("", (101, "identity-missing")),
        ('""', (101, "identity-missing")),
        ("^^^NMH^MR", (101, "identity-missing")),
    ],
)
def test_an_identity_that_is_broken_unclear_or_missing_refuses_the_message(numbers, code):
    assert refusal(numbers) == (*code, "PID.3")


def test_two_nhs_numbers_in_pid_3_and_pid_19_are_never_resolved():
    agreed = Dialect(nhs_number_in_pid_19=True)
    code = refusal(f"{NHS}^^^NHS^NH", agreed, pid_19="9990000026")
    assert code == (204, "identity-unclear", "PID.3")


@pytest.mark.parametrize(
    ("sent", "code"),
    [("NSTS01", "01"), ("PDS03", "03"), ("", "02"), ("NSTS99", "02"), ("01", "02")],
)
def test_the_tracing_status_of_the_nhs_number_is_what_pid_32_says(sent, code):
    conversion = person(f"{NHS}^^^NHS^NH", pid_32=sent)
    (extension,) = conversion.person.tree["identifier"][0]["extension"]
    assert extension["valueCodeableConcept"]["coding"][0]["code"] == code


def test_weaker_identifiers_are_kept_and_identify_nobody():
    conversion = person(
        f"{NHS}^^^NHS^NH", pid_2="X1^^^OLD", pid_4="X2^^^ALT", pid_19="S9", pid_20="D5^DVLA"
    )
    values = [identifier["value"] for identifier in conversion.person.tree["identifier"]]
    assert values == [NHS, "X1", "X2", "S9", "D5"]
    assert conversion.person.identifiers == ()


def test_no_refusal_repeats_what_was_in_the_field():
    for numbers in ("9990000019^^^NHS^NH", "A123", f"{NHS}^^^NHS^NH~9990000026^^^NHS^NH"):
        with pytest.raises(Refused) as caught:
            person(numbers)
        assert not any(part in str(caught.value) for part in ("999", "A123"))
