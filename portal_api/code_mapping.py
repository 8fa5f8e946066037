"""Codes without a meaning, as operators work on them: what they look like, and what they may mean.

A meaning is tried first: how many results would open, and how many stay held for another reason.
Suggestions come from the maps of the other feeds and from the tests that the portal has plain names
for; a person decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import Row, select

from adapters.hl7v2.coding_systems import LOINC, STANDARD
from adapters.intake import code_maps, remapping
from adapters.intake.remapping import Local
from adapters.intake.tables import code_map
from adapters.intake.trial import Trial
from fhir_server.errors import NotFound, Unprocessable
from fhir_server.record import Asked, Writer
from portal_api.error_queue import Clerk
from portal_api.plain_names import TESTS

TRIED = 50
"""The most messages with which a meaning is tried; the oldest."""
AT_ONCE = 500
"""The most messages that are filed with a new meaning in one go."""
SUGGESTIONS = 5

_ALIKE = 0.6
_AGREED = 0.1
"""What a meaning that people agreed on for another feed has over a mere name."""
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Target:
    """What a code may mean: a coding, and where the suggestion comes from."""

    system: str
    code: str
    display: str
    source: str = ""

    def tree(self) -> dict[str, Any]:
        """Return it as a FHIR Coding."""
        coding = {"system": self.system, "code": self.code}
        return coding | ({"display": self.display} if self.display else {})


@dataclass(frozen=True, slots=True)
class Effect:
    """What a meaning would do to the messages that wait: all of them, or the *tried* oldest."""

    waiting: int
    tried: tuple[Trial, ...]

    def results(self, now: int) -> tuple[int, int]:
        """Return how many results would open at *now*, and how many stay held."""
        opened = held = 0
        for one in self.tried:
            for change in one.changes:
                if not change.reference.startswith("Observation/"):
                    continue
                was_held = change.was_open is None or change.was_open > now
                if change.opens is None or change.opens > now:
                    held += 1
                elif was_held:
                    opened += 1
        return opened, held


def found(clerk: Clerk, local: Local) -> Row[Any]:
    """Return the code's row of the work list. Raises NotFound where it is not on it."""
    row = remapping.waiting_code(clerk.record, local)
    if row is None:
        raise NotFound.of("This code waits for no meaning.")
    return row


def suggestions(clerk: Clerk, row: Row[Any]) -> tuple[Target, ...]:
    """Return what the code of *row* may mean, the likeliest first."""
    best: dict[tuple[str, str], tuple[float, Target]] = {}
    for alike, target in (*_of_other_feeds(clerk, row), *_of_plain_names(row)):
        key = (target.system, target.code)
        if alike >= _ALIKE and alike > best.get(key, (0.0, target))[0]:
            best[key] = (alike, target)
    ordered = sorted(best.values(), key=lambda one: (-one[0], one[1].code))
    return tuple(target for _, target in ordered[:SUGGESTIONS])


def judged(system: str, code: str, display: str) -> Target:
    """Return what somebody chose. Raises Unprocessable for what is no code of these systems."""
    code, display = code.strip(), " ".join(display.split())[:_LONGEST]
    if system not in STANDARD or not code or len(code) > _LONGEST or not code.isprintable():
        raise Unprocessable.of("Choose a suggestion, or write a code of SNOMED CT or LOINC.")
    return Target(system, code, display)


def effect(clerk: Clerk, local: Local, target: Target) -> Effect:
    """Return what giving the code this meaning would do. Nothing is done."""
    found(clerk, local)
    counted = remapping.waits(clerk.record, [local]).get(local)
    given = (local, target.tree())
    trials = tuple(
        remapping.tried(clerk.record, clerk.access, clerk.feeds, row, given)
        for row in remapping.messages(clerk.record, local, TRIED)
    )
    return Effect(counted.count if counted else 0, trials)


def give(clerk: Clerk, local: Local, target: Target) -> int:
    """Give the code its meaning, and file what waited for it; return how many messages."""
    found(clerk, local)

    def piece(writer: Writer) -> None:
        code_maps.set_meaning(writer, local.feed, (local.system, local.code), target.tree())
        reason = f"{local.code} was given a meaning"
        writer.audit("feed-changed", entity=f"feed:{local.feed}", reason=reason)

    buckets = [code_maps.work_list_bucket(local.feed)]
    asked = Asked("feed-changed", f"feed:{local.feed}")
    clerk.record.submit(clerk.access, piece, buckets=buckets, asked=asked).result()
    return go_on(clerk, local)


def go_on(clerk: Clerk, local: Local) -> int:
    """File what still waits for a code that has its meaning; return how many messages."""
    rows = remapping.messages(clerk.record, local, AT_ONCE)
    for row in rows:
        remapping.refiled(clerk.record, clerk.access, clerk.feeds, row, local)
    return len(rows)


def _of_other_feeds(clerk: Clerk, row: Row[Any]) -> Iterator[tuple[float, Target]]:
    code = code_map.c
    for one in clerk.record.select(select(code_map).order_by(code.feed, code.code)):
        alike = max(
            _alike(row.display, one.target_display),
            0.9 if one.code.upper() == row.code.upper() else 0.0,
        )
        source = f"{one.code} of {one.feed}"
        yield (
            alike + _AGREED,
            Target(one.target_system, one.target_code, one.target_display, source),
        )


def _of_plain_names(row: Row[Any]) -> Iterator[tuple[float, Target]]:
    for test in TESTS:
        names = (*test.aliases, test.plain.name)
        alike = max(_alike(text, name) for text in (row.display, row.code) for name in names)
        for code in test.loinc:
            yield alike, Target(LOINC, code, test.plain.name, "a test with a plain name here")


def _alike(one: str, other: str) -> float:
    left, right = one.casefold().strip(), other.casefold().strip()
    if not left or not right:
        return 0.0
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= _ALIKE else 0.0
