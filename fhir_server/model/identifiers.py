"""Identifier systems of the UK, and the NHS number.

https://simplifier.net/guide/uk-core-implementation-guide, HL7-UK/System-Identifiers;
NHS Data Dictionary, NHS NUMBER.
"""

import re
from dataclasses import dataclass, field

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS_ORGANIZATION = "https://fhir.nhs.uk/Id/ods-organization-code"
ODS_SITE = "https://fhir.nhs.uk/Id/ods-site-code"
SDS_USER = "https://fhir.nhs.uk/Id/sds-user-id"
GMC_NUMBER = "https://fhir.hl7.org.uk/Id/gmc-number"
"""A doctor's registration with the General Medical Council."""
GMP_NUMBER = "https://fhir.hl7.org.uk/Id/gmp-number"
"""A general practitioner's number with NHS England, which is not the GMC's."""
NMC_NUMBER = "https://fhir.hl7.org.uk/Id/nmc-number"
HCPC_NUMBER = "https://fhir.hl7.org.uk/Id/hcpc-number"

_TEN_DIGITS = re.compile(r"[0-9]{10}")
_SEPARATORS = str.maketrans("", "", " -\u00a0\u2010\u2011\u2013")
_TEST_RANGE = "999"
_FILLERS = frozenset({"0000000000", "9999999999"})


@dataclass(frozen=True, slots=True)
class NhsNumber:
    """A number that can be an NHS number: ten digits, the last of which checks the others.

    Made by `parse` only. Its `repr` hides the digits, so that a log never shows them.
    """

    digits: str = field(repr=False)

    @staticmethod
    def parse(text: str) -> "NhsNumber | None":
        """Return the NHS number written in *text*, or None where there is none.

        Spaces and hyphens between the digits don't count. Ten zeros and ten nines agree with their
        check digit, but are what systems write when they know no number: refused.
        """
        digits = text.translate(_SEPARATORS)
        if not _TEN_DIGITS.fullmatch(digits) or digits in _FILLERS:
            return None
        return NhsNumber(digits) if check_digit(digits[:9]) == digits[9] else None

    @property
    def spaced(self) -> str:
        """The number as people read it: 3, 3 and 4 digits."""
        return f"{self.digits[:3]} {self.digits[3:6]} {self.digits[6:]}"

    @property
    def is_for_tests(self) -> bool:
        """Whether it lies in 999 000 0000 to 999 999 9999, which is given to nobody."""
        return self.digits.startswith(_TEST_RANGE)


def check_digit(nine_digits: str) -> str | None:
    """Return the digit that modulus 11 wants after *nine_digits*, or None where none will do."""
    weighted = sum(
        weight * int(digit) for weight, digit in zip(range(10, 1, -1), nine_digits, strict=True)
    )
    check = (11 - weighted % 11) % 11
    return None if check == 10 else str(check)
