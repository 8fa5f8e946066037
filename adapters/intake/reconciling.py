"""A day's reports by test, held against the laboratory's own totals.

Counted are orders that were filed, each once however often it was sent, under the laboratory's own
code (OBR-4) and on the day on which it was issued (OBR-22) by the feed's clock. So a message that
came after midnight counts for the day before, and one that was never sent is missed.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from adapters.hl7v2.conversion import Conversion, ReportGroup
from adapters.intake import repeating, replay
from adapters.intake.feeds import Feed, FeedWrongError
from adapters.intake.repeating import Part
from fhir_server.clock import from_micros, micros
from fhir_server.record import Record

_LATE = timedelta(days=7)
_COLUMNS = {"test", "count"}


@dataclass(frozen=True, slots=True)
class Counted:
    """How many orders of each test were filed, and how many messages of the day wait for a person.

    What waits is counted by the day on which it came: of many nothing more can be told.
    """

    tests: Counter[str]
    aside: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A test of which the laboratory counts another number than the portal."""

    test: str
    theirs: int
    ours: int

    @property
    def words(self) -> str:
        """What is wrong: how many are missing here, or are too many."""
        many = self.ours - self.theirs
        return f"{many} too many" if many > 0 else f"{-many} missing"


def totals(text: str) -> Counter[str]:
    """Return the laboratory's totals from a CSV file with the columns test and count.

    Raises FeedWrongError that names the line.
    """
    lines = csv.DictReader(text.removeprefix("\ufeff").splitlines(), restkey="more", strict=True)
    heading = [name.strip().lower() for name in lines.fieldnames or ()]
    if set(heading) != _COLUMNS:
        raise FeedWrongError("line 1: the heading is test,count.")
    lines.fieldnames = heading
    found: Counter[str] = Counter()
    for line in lines:
        test, count = (line["test"] or "").strip(), (line["count"] or "").strip()
        if not test or not (count.isascii() and count.isdigit()) or "more" in line:
            raise FeedWrongError(f"line {lines.line_num}: it is a test and a whole number.")
        found[test] += int(count)
    return found


def counted(record: Record, feed: Feed, day: date) -> Counted:
    """Return what was filed of the reports that *feed* issued on *day*, however late they came."""
    zone = feed.dialect.zone
    start = datetime.combine(day, time(), zone)
    part = Part(feed.name, micros(start), micros(start + timedelta(days=1) + _LATE))
    next_day = micros(datetime.combine(day + timedelta(days=1), time(), zone))
    orders: set[tuple[str, str]] = set()
    aside = 0
    for row in repeating.in_order(record, part):
        if row.fate != "filed":
            aside += row.fate == "quarantined" and row.received < next_day
            continue
        content = replay.prepared(record, (feed,), row, from_micros(row.received)).converted
        if isinstance(content, Conversion):
            orders |= {
                (_test(group), group.filler_number or group.placer_number)
                for group in content.groups
                if group.version_at.astimezone(zone).date() == day
            }
    return Counted(Counter(test for test, _ in orders), aside)


def _test(group: ReportGroup) -> str:
    codings = group.report.tree["code"].get("coding", ())
    return str(codings[0]["code"]) if codings else group.ordered_as


def differences(theirs: Counter[str], ours: Counter[str]) -> list[Difference]:
    """Return the tests whose totals differ, in order of their codes."""
    tests = sorted(theirs.keys() | ours.keys())
    found = (Difference(test, theirs[test], ours[test]) for test in tests)
    return [one for one in found if one.theirs != one.ours]
