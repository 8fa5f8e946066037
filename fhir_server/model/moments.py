"""Comparing FHIR dates and times of unequal precision.

https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

from datetime import datetime

_DAY_LENGTH = len("2024-03-09")


def is_before(earlier: str, later: str) -> bool:
    """Tell whether *earlier* surely lies before *later*; both are valid FHIR dates or dateTimes.

    Two times are compared as instants; otherwise the parts that both have are compared as written
    (`2024-03` is not before `2024-03-09`). A leap second counts as the second before it.
    """
    if "T" in earlier and "T" in later:
        return _instant(earlier) < _instant(later)
    length = min(len(earlier), len(later), _DAY_LENGTH)
    return earlier[:length] < later[:length]


def _instant(text: str) -> tuple[datetime, str]:
    """Return the second and its fraction, digits as text so that none is lost."""
    seconds, fraction, zone = text[:19], "", text[19:]
    if zone.startswith("."):
        digits = 1
        while zone[digits].isdigit():
            digits += 1
        fraction, zone = zone[1:digits], zone[digits:]
    if seconds.endswith(":60"):
        seconds = f"{seconds[:-2]}59"
    return datetime.fromisoformat(seconds + zone), fraction.rstrip("0")
