"""When a patient may see a result: the policy as data, and one pure function.

Release is evaluated with every read, as a column in the predicate; there is no nightly job. A
category says how long a result is held from the patient, from the moment it arrived, unless a
clinician releases it before. The figures are the portal's defaults, to be approved by the
clinical lead of the site that runs it; no hold is longer than the ceiling.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from fhir_server.clock import from_micros, micros

LONGEST = timedelta(days=21)
"""The ceiling for any hold, however it is set."""

_LONDON = ZoneInfo("Europe/London")
_OPENING = time(9)
_SATURDAY = 5


class Category(StrEnum):
    """Why a result may have to wait, from the mildest to the strictest."""

    ROUTINE = "routine"
    BACKLOAD = "backload"
    UNMAPPED = "unmapped"
    IMAGING = "imaging"
    CONTACT_FIRST = "contact-first"
    HISTOLOGY = "histology"
    SENSITIVE = "sensitive"
    PRELIMINARY = "preliminary"
    UNVERIFIED = "unverified"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one category is held: *days* after arrival (None: until a clinician acts).

    *noticed*: whether the patient is told that a result arrived. *weekdays*: whether it opens on
    working days only, at nine in the morning in London.
    """

    days: int | None
    noticed: bool = True
    weekdays: bool = False


POLICY: Mapping[Category, Rule] = MappingProxyType(
    {
        Category.ROUTINE: Rule(0, noticed=False),
        Category.BACKLOAD: Rule(0, noticed=False),
        Category.UNMAPPED: Rule(14),
        Category.IMAGING: Rule(14, weekdays=True),
        Category.CONTACT_FIRST: Rule(14),
        Category.HISTOLOGY: Rule(14, weekdays=True),
        Category.SENSITIVE: Rule(None, noticed=False),
        Category.PRELIMINARY: Rule(14),
        Category.UNVERIFIED: Rule(None, noticed=False),
        Category.WITHDRAWN: Rule(None, noticed=False),
    }
)


@dataclass(frozen=True, slots=True)
class Release:
    """What the policy decides: when a result opens, None for held without a date.

    *release_at* is in microseconds since 1970; *notice* tells whether the patient may know that
    a result arrived.
    """

    category: Category
    release_at: int | None
    notice: bool

    def held(self, now: int) -> bool:
        """Tell whether the patient has to wait at *now* (microseconds)."""
        return self.release_at is None or self.release_at > now


def strictest(categories: frozenset[Category]) -> Category:
    """Return the category that decides where several apply; ROUTINE where none does."""
    order = list(Category)
    return max(categories, key=order.index, default=Category.ROUTINE)


def decide(
    categories: frozenset[Category], arrived: int, policy: Mapping[Category, Rule] = POLICY
) -> Release:
    """Return when a result of these *categories*, which *arrived* then (microseconds), opens.

    Every category that applies has its say: the latest date wins, and one that waits for a
    clinician wins over every date. Monotone: with the same input, time only opens.
    """
    dates = [_opens(policy[category], arrived) for category in categories or {Category.ROUTINE}]
    known = [date for date in dates if date is not None]
    return Release(
        category=strictest(categories),
        release_at=max(known) if len(known) == len(dates) else None,
        notice=all(
            policy[category].noticed
            for category in categories - {Category.ROUTINE, Category.BACKLOAD}
        )
        and bool(categories - {Category.ROUTINE, Category.BACKLOAD}),
    )


def _opens(rule: Rule, arrived: int) -> int | None:
    if rule.days is None:
        return None
    if rule.days == 0:
        return arrived
    opens = from_micros(arrived) + min(timedelta(days=rule.days), LONGEST)
    return micros(_working_morning(opens, from_micros(arrived)) if rule.weekdays else opens)


def _working_morning(opens: datetime, arrived: datetime) -> datetime:
    """Return the opening hour of the last working day that is not later than *opens*.

    Never later, so that a weekend cannot stretch a hold past its limit.
    """
    day = opens.astimezone(_LONDON).date()
    while day.weekday() >= _SATURDAY or datetime.combine(day, _OPENING, _LONDON) > opens:
        day -= timedelta(days=1)
    return max(datetime.combine(day, _OPENING, _LONDON), arrived)


_HISTOLOGY = frozenset({"SP", "CP", "CG", "PAT", "CY", "GE", "PTH", "HIST"})
_IMAGING = frozenset(
    {"RAD", "RUS", "CT", "NMR", "NMS", "XRC", "CUS", "VUS", "RX", "OUS", "MG", "NM"}
)
_KNOWN_CODES = frozenset({"http://loinc.org", "http://snomed.info/sct"})
_PRELIMINARY = frozenset({"preliminary", "registered", "partial"})
_WITHDRAWN = frozenset({"entered-in-error", "cancelled"})


def categories(tree: dict[str, Any]) -> frozenset[Category]:
    """Return the categories that a DiagnosticReport or Observation shows by itself.

    By its status, by its section (HL7 v2 table 0074), by security labels, and by a code that
    stands in neither SNOMED CT nor LOINC.
    """
    found: set[Category] = set()
    sections = {
        coding.get("code", "").upper()
        for concept in tree.get("category", ())
        for coding in concept.get("coding", ())
    }
    systems = {coding.get("system") for coding in tree.get("code", {}).get("coding", ())}
    if tree.get("status") in _PRELIMINARY:
        found.add(Category.PRELIMINARY)
    if tree.get("status") in _WITHDRAWN:
        found.add(Category.WITHDRAWN)
    if sections & _HISTOLOGY:
        found.add(Category.HISTOLOGY)
    if sections & _IMAGING:
        found.add(Category.IMAGING)
    if not systems & _KNOWN_CODES:
        found.add(Category.UNMAPPED)
    if any(
        label.get("code") not in {"N", "U"} for label in tree.get("meta", {}).get("security", ())
    ):
        found.add(Category.SENSITIVE)
    return frozenset(found)
