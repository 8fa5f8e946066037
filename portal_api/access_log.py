"""The access log as people read it: searched by auditors, and for patients in plain words.

Staff stand there by role and organisation. What somebody was refused is said as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from portal_api import london
from portal_api.access_entry import DONE, FAILED, REFUSED, Access, access
from portal_api.caller import Caller, Pair, find

_PAGE = 100
_PAGES_AT_ONCE = 5
_ENOUGH = 20


@dataclass(frozen=True, slots=True)
class Log:
    """One page of the ledger, newest first; *next* is a sealed link, or empty."""

    entries: tuple[Access, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Looked:
    """Who looked at a patient's record: others, and apart from them the patient and the feeds."""

    others: tuple[Access, ...]
    folded: tuple[Access, ...]
    next: str


async def search(caller: Caller, *pairs: Pair, page: str = "") -> Log:
    """Return one page of the entries that *pairs* ask for. Raises Invalid for a wrong value."""
    more = (("_page", page),) if page else ()
    found = await find(
        caller, "AuditEvent", *pairs, ("_sort", "-date"), ("_count", str(_PAGE)), *more
    )
    return Log(tuple(access(one.tree) for one in found.matches), found.next)


async def who_looked(caller: Caller, patient: str, page: str = "") -> Looked:
    """Return who looked at the record of *patient*, newest first, alike entries of a day as one.

    The patient's own views are many, so several pages of the ledger are read until some of other
    people are found: whoever looked must not be behind them.
    """
    entries: list[Access] = []
    others: list[Access] = []
    for _ in range(_PAGES_AT_ONCE):
        log = await search(caller, ("patient", patient), page=page)
        entries += log.entries
        others = [one for one in entries if not _folded(one, patient)]
        page = log.next
        if not page or len(others) >= _ENOUGH:
            break
    folded = [one for one in entries if _folded(one, patient)]
    return Looked(_grouped(others), _grouped(folded), page)


_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "DiagnosticReport": "your results",
        "Observation": "your results",
        "Specimen": "your results",
        "ServiceRequest": "your results",
        "Provenance": "your results",
        "Appointment": "your appointments",
        "Communication": "your messages",
        "CareTeam": "who looks after you",
        "Consent": "what you have allowed",
        "DocumentReference": "your letters",
        "AuditEvent": "who has looked at your record",
        "Patient": "your name and details",
        "held-notices": "your results",
        "held-letters": "your letters",
    }
)
_LOOKS = frozenset(
    {"read", "vread", "history", "history-instance", "search", "search-type", "operation"}
)
_DEEDS: Mapping[str, str] = MappingProxyType(
    {
        "release": "opened a result for you",
        "retract": "closed a result again",
        "message-filed": "added a result",
        "message-quarantined": "sent a result that is being checked",
        "message-replayed": "added a result again",
        "sign-in": "signed in",
        "sign-out": "signed out",
        "consent": "chose what an app may see",
        "grant": "let an app connect",
        "revoke": "ended an app’s connection",
        "break-glass": "opened your record in an emergency",
    }
)

_FILED: Mapping[str, str] = MappingProxyType(
    {
        "DocumentReference": "added a letter",
        "ServiceRequest": "said how far a test is",
        "Appointment": "added or changed an appointment",
    }
)
"""What a hospital's message brought, by the type that it is about."""


def sentence(one: Access) -> str:
    """Return an entry of a patient's own log in plain words; staff by role and organisation."""
    place = _PLACES.get(one.entity.partition("/")[0], "your record")
    if one.outcome == REFUSED:
        deed = f"tried to open {place}, and was refused"
    elif one.outcome == FAILED:
        deed = f"tried to open {place}, but it did not work"
    else:
        deed = _deed(one, place)
    return f"{_who_in_words(one)} {deed}{f', {one.times} times' if one.times > 1 else ''}."


def _deed(one: Access, place: str) -> str:
    if one.subtype in _LOOKS:
        return f"looked at {place}"
    if one.subtype == "message-filed":
        return _FILED.get(one.entity.partition("/")[0], _DEEDS["message-filed"])
    if one.subtype == "release" and one.entity.startswith("DocumentReference"):
        return "opened a letter for you"
    if one.entity.startswith("Communication") and one.subtype in {"create", "update"}:
        return "sent a message" if one.subtype == "create" else "opened or dealt with a message"
    if one.subtype in {"create", "update"}:
        return f"wrote to {place}"
    return _DEEDS.get(one.subtype, "used your record")


def _who_in_words(one: Access) -> str:
    at = f" at {one.organization}" if one.organization else ""
    app = f", with the app {one.client}," if one.client and one.client != "portal" else ""
    if one.role == "patient":
        return f"You{app}"
    if one.role == "feed":
        kind = "hospital" if one.entity.partition("/")[0] in _FILED else "laboratory"
        return f"The {kind}{at}" if at else f"A {kind}"
    if one.role == "client":
        return f"The computer system {one.client or one.user}{at}"
    kinds = {"clinician": "A clinician", "auditor": "An auditor", "operator": "A technician"}
    kind = kinds.get(one.role, "Somebody who was not signed in")
    return f"{kind}{f' from {one.organization}' if one.organization else ''}{app}"


def _folded(one: Access, patient: str) -> bool:
    own = one.role == "patient" and one.user == f"Patient/{patient}"
    return one.outcome == DONE and ((own and one.client in {"", "portal"}) or one.role == "feed")


def _grouped(entries: Iterable[Access]) -> tuple[Access, ...]:
    """Return *entries*, newest first, with those of a day that read alike as one, at its latest."""
    found: dict[tuple[date, str, str], Access] = {}
    for one in entries:
        key = (london.calendar_day(one.when), one.user, sentence(one))
        known = found.get(key)
        found[key] = replace(known, times=known.times + 1) if known else one
    return tuple(found.values())
