"""NHS numbers that nobody has: 999 000 0000 to 999 999 9999, with their check digit."""

from collections.abc import Iterator

from fhir_server.model.identifiers import check_digit


def synthetic_numbers(first: int = 0) -> Iterator[str]:
    """Yield valid numbers in ascending order, from 999 and the six digits of *first* on.

    One in eleven candidates has no check digit and is passed over.
    """
    for middle in range(first, 1_000_000):
        nine = f"999{middle:06d}"
        digit = check_digit(nine)
        if digit is not None:
            yield nine + digit
