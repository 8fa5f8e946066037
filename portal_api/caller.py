"""Whoever asks, at the record: reads and searches for the portal's use cases, under their access.

Each look goes through `fhir_server`, with its predicate and its audit entry; nothing else reads.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool

from auth.answers import committed
from fhir_server import searching
from fhir_server.access import Access
from fhir_server.audit.subtypes import SUBTYPES
from fhir_server.errors import FhirError, Forbidden, NotFound
from fhir_server.model import json
from fhir_server.record import Record, Stored
from fhir_server.search.audit_query import parse_audit
from fhir_server.search.query import parse

T = TypeVar("T")
Tree = dict[str, Any]
Pair = tuple[str, str]

NOT_IN_USE = frozenset({"old", "maiden", "anonymous"})
"""Uses of a HumanName by which nobody is called. https://hl7.org/fhir/R4/valueset-name-use.html"""
_MOST_PAGES = 50


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's access to the record. *base* is the address of the FHIR interface."""

    record: Record
    access: Access
    base: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource: how it stands in the record, and its content."""

    stored: Stored
    tree: Tree

    @property
    def patient(self) -> str:
        """The id of the patient whom it names today; else of the one for whom it was filed."""
        kind, _, id_ = str(self.tree.get("subject", {}).get("reference", "")).partition("/")
        return id_ if kind == "Patient" else self.stored.patient


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search; *next* is a sealed link to the following one, or empty."""

    matches: tuple[Entry, ...]
    included: tuple[Entry, ...]
    next: str

    def named(self) -> dict[str, str]:
        """Return the names of the people, teams and organisations on the page, by reference."""
        return names(one.tree for one in (*self.matches, *self.included))


async def read(caller: Caller, resource_type: str, id_: str) -> Entry:
    """Return the current version. Raises NotFound for what is absent or not the caller's."""
    stored = await committed(caller.record.read(caller.access, resource_type, id_))
    return _entry(stored)


async def name_of(caller: Caller, reference: str) -> str:
    """Return the name behind a reference to a person, team or organisation; empty where unseen."""
    kind, _, id_ = reference.partition("/")
    try:
        found = await read(caller, kind, id_)
    except (NotFound, Forbidden):
        return ""
    return display_name(found.tree)


async def look(taken: Callable[..., "Future[T]"], *given: Any) -> T:
    """Return what a look answers that may take long: it is *taken* in a thread of its own."""
    return await committed(await run_in_threadpool(taken, *given))


async def find(caller: Caller, resource_type: str, *pairs: Pair) -> Found:
    """Return one page of the search that *pairs* ask for. Raises as the FHIR interface does."""
    query = (
        parse_audit(pairs, caller.base, SUBTYPES)
        if resource_type == "AuditEvent"
        else parse(resource_type, pairs, caller.base)
    )
    page = await look(searching.search, caller.record, caller.access, query, urlencode(pairs))
    return Found(tuple(map(_entry, page.matches)), tuple(map(_entry, page.included)), page.next)


async def find_all(caller: Caller, resource_type: str, *pairs: Pair) -> Found:
    """Return all pages of a search as one.

    Raises FhirError beyond 5,000 matches: what would be left out has to be asked for otherwise.
    """
    matches, included, page = list[Entry](), list[Entry](), ""
    for _ in range(_MOST_PAGES):
        more = (("_page", page),) if page else ()
        found = await find(caller, resource_type, *pairs, ("_count", "100"), *more)
        matches += found.matches
        included += found.included
        page = found.next
        if not page:
            return Found(tuple(matches), tuple(included), "")
    raise FhirError.of("There is more than one page can show.", code="too-costly")


def names(trees: Iterable[Tree]) -> dict[str, str]:
    """Return the display names of *trees*, by reference; those without a name are left out."""
    found = {f"{tree['resourceType']}/{tree['id']}": display_name(tree) for tree in trees}
    return {reference: name for reference, name in found.items() if name}


def display_name(tree: Tree) -> str:
    """Return the name of a person, a team or an organisation as it is said; empty without one."""
    name = tree.get("name", "")
    if isinstance(name, str):
        return name
    for human in name:
        if human.get("use") not in NOT_IN_USE:
            return human_name(human)
    return ""


def human_name(human: Tree) -> str:
    """Return a HumanName as it is said: prefix, given names, family name; else its text."""
    parts = [*human.get("prefix", ()), *human.get("given", ()), human.get("family", "")]
    return " ".join(part for part in parts if part) or str(human.get("text", ""))


def _entry(stored: Stored) -> Entry:
    return Entry(stored, json.decode(stored.body))
