"""NHS numbers and who may have one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.model.identifiers import NhsNumber, check_digit

VALID = [f"99900000{end}" for end in ("18", "26", "34", "42", "50", "69", "77", "85", "93")]


@pytest.mark.parametrize("digits", VALID)
def test_a_number_with_the_right_check_digit_is_an_nhs_number(digits: str) -> None:
    number = NhsNumber.parse(digits)
    assert number is not None
    assert number.digits == digits
    assert number.spaced == f"{digits[:3]} {digits[3:6]} {digits[6:]}"
    assert number.is_for_tests


@pytest.mark.parametrize(
    "text", ["999 000 0018", "999-000-0018", " 9990000018 ", "999\u00a0000 0018"]
)
def test_spaces_and_hyphens_do_not_count(text: str) -> None:
    assert NhsNumber.parse(text) == NhsNumber("9990000018")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "999000001",
        "99900000180",
        "9990000019",
        "9990000001",
        "999000001X",
        "\uff19\uff19\uff19\uff10\uff10\uff10\uff10\uff10\uff11\uff18",
        "0000000000",
        "9999999999",
        "999.000.0018",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert NhsNumber.parse(text) is None


def test_a_number_outside_the_test_range_is_seen_as_such() -> None:
    digits = f"400000000{check_digit('400000000')}"
    number = NhsNumber.parse(digits)
    assert number is not None
    assert not number.is_for_tests


def test_a_log_never_shows_the_digits() -> None:
    assert repr(NhsNumber("9990000018")) == "NhsNumber()"


@given(st.from_regex(r"\A[0-9]{9}\Z"), st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(nine: str, place: int, step: int) -> None:
    check = check_digit(nine)
    if check is None:
        assert [NhsNumber.parse(f"{nine}{last}") for last in range(10)] == [None] * 10
        return
    digits = f"{nine}{check}"
    wrong = f"{digits[:place]}{(int(digits[place]) + step) % 10}{digits[place + 1 :]}"
    assert NhsNumber.parse(wrong) is None
