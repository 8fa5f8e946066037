"""Which of two FHIR moments surely comes first."""

import pytest

from fhir_server.model.moments import is_before


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2023", "2024"),
        ("2023-12", "2024"),
        ("2024-03-09", "2024-03-10"),
        ("2024-03-09", "2024-04"),
        ("2024-03-09T10:00:00Z", "2024-03-10"),
        ("2024-03-09T10:00:00Z", "2024-03-09T10:00:01Z"),
        ("2024-03-09T10:00:00+01:00", "2024-03-09T09:30:00Z"),
        ("2024-03-09T23:59:00Z", "2024-03-09T22:00:00-05:00"),
        ("2024-03-09T10:00:00Z", "2024-03-09T10:00:00.000000001Z"),
        ("2024-03-09T10:00:00.5Z", "2024-03-09T10:00:00.75Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ],
)
def test_one_moment_is_before_another(earlier: str, later: str) -> None:
    assert is_before(earlier, later)
    assert not is_before(later, earlier)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2024", "2024-03"),
        ("2024-03", "2024-03-09"),
        ("2024-03-09", "2024-03-09T10:00:00Z"),
        ("2024-03-09T10:00:00Z", "2024-03-09T11:00:00+01:00"),
        ("2024-03-09T10:00:00.50Z", "2024-03-09T10:00:00.5Z"),
    ],
)
def test_of_two_moments_that_may_be_the_same_none_is_before(one: str, other: str) -> None:
    assert not is_before(one, other)
    assert not is_before(other, one)
