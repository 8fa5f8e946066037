"""What one message of results becomes: resources that name each other by business key, no ids yet.

A conversion is made from a message alone. Which patient is meant, which ids the resources get,
when a patient may see them: whoever files it decides.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from fhir_server.model.identifiers import NhsNumber

Tree = dict[str, Any]
Key = tuple[str, ...]
"""A resource's type, then what the sender calls it: the same in every later message about it."""

PATIENT: Key = ("Patient",)
"""Stands for the person whom the message names, until somebody knows who that is."""


class Link(NamedTuple):
    """Stands where a `reference` will: the resource that has this key."""

    key: Key


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that a person should know about a message that was converted all the same.

    *code* is stable (`value-as-text`); *address* is the field (`OBX[3].5`).
    """

    code: str
    address: str


@dataclass(frozen=True, slots=True)
class Made:
    """One resource and its business key. The tree has no id; references are Links."""

    key: Key
    tree: Tree


@dataclass(frozen=True, slots=True)
class LocalCode:
    """A test code that only the sender knows: in no standard system."""

    system: str
    code: str
    text: str
    unit: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document inside a report: what it turned out to be, without its bytes.

    *hold* is a stable code where a person must look before a patient may (`document-active`,
    `type-differs`), else empty.
    """

    title: str
    content_type: str
    size: int
    hold: str


@dataclass(frozen=True, slots=True)
class ReportGroup:
    """One report, its results, and what a release policy asks about it: one ORC/OBR group.

    *version_at* orders the versions of the report: OBR-22, else MSH-7. *status_only* holds the
    Observations whose status becomes final with the value that is stored already (OBX-11 U);
    they are not in *observations*. *withdrawn* holds those taken back (OBX-11 D, W): they are in
    *observations*, as entered-in-error and without a value. *unreleasable* holds those that no
    patient may be shown without a clinician, each with its reason. *security* is what ORC-28
    asks for, as (system, code), and stands in `meta.security` of report and results too.
    *service_request* is None where the message says nothing of what was asked for.
    """

    report: Made
    observations: tuple[Made, ...]
    specimens: tuple[Made, ...]
    service_request: Made | None
    provenance: Made
    authority: str
    filler_number: str
    placer_number: str
    ordered_as: str
    section: str
    status: str
    version_at: datetime
    is_preliminary: bool
    is_unverified: bool
    is_histology: bool
    is_imaging: bool
    is_free_text: bool
    withdrawn: tuple[Key, ...] = ()
    status_only: tuple[Key, ...] = ()
    unreleasable: tuple[tuple[Key, str], ...] = ()
    holds: tuple[str, ...] = ()
    """Stable codes of reasons why the whole report waits for a person."""
    local_codes: tuple[LocalCode, ...] = ()
    security: tuple[tuple[str, str], ...] = ()
    release_codes: tuple[str, ...] = ()
    """OBX-26 as sent, table 0909."""
    documents: tuple[Document, ...] = ()
    further_requests: tuple[Made, ...] = ()
    """What else was asked for and is answered by the same report; filed as it is."""
    taken_back: bool = False
    """The report is taken back as a whole, with every result that was filed in it before."""

    def all_made(self) -> Iterator[Made]:
        """Yield the report, its results, specimens, request and provenance."""
        yield self.report
        yield from self.observations
        yield from self.specimens
        yield from self.further_requests
        if self.service_request is not None:
            yield self.service_request
        yield self.provenance


@dataclass(frozen=True, slots=True)
class PersonNamed:
    """The person whom PID names: enough to tell who it is, and a Patient if they are new here.

    *identifiers* are the local ones, (assigning authority, value). Text that PID leaves out is
    empty. *deceased* and *restricted* (PID-30, PD1-12) are None where nothing is said.
    """

    tree: Tree
    nhs_number: NhsNumber | None
    identifiers: tuple[tuple[str, str], ...]
    family: str
    given: str
    birth_date: str
    gender: str
    deceased: bool | None
    restricted: bool | None
    identity_unknown: bool
    """PID-31: the sender does not know who this is. No portal account may see it."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """All that a message became, with every one of its segments or entries accounted for by number.

    Practitioners and organisations are as this message names them; the same code comes with
    another name or address from the next one. Whoever files them decides whether a known entry
    changes.
    """

    person: PersonNamed
    groups: tuple[ReportGroup, ...]
    practitioners: tuple[Made, ...]
    """Practitioner and PractitionerRole; a role comes after its person."""
    organizations: tuple[Made, ...]
    flags: tuple[Flag, ...]
    accounted: Mapping[int, str]
    places: Mapping[str, str] = field(default_factory=dict)
    """Where the message has what HL7 v2 has at an address (`PID.7`), where it is no HL7 v2."""

    def all_made(self) -> Iterator[Made]:
        """Yield every resource but the Patient; what is referred to comes first."""
        yield from self.organizations
        yield from self.practitioners
        for group in self.groups:
            yield from group.all_made()

    def named(self) -> Iterator[Key]:
        """Yield the keys of resources that are referred to and are not made here."""
        for group in self.groups:
            yield from group.status_only


LINKLESS = frozenset(
    {
        *("category", "code", "component", "identifier", "interpretation", "meta", "presentedForm"),
        *("referenceRange", "valueCodeableConcept", "valueQuantity", "valueRange", "valueRatio"),
    }
)
"""Elements without a Link in them at any depth."""


def resolve(tree: Tree, ids: Mapping[Key, str]) -> Tree:
    """Return *tree* with every Link replaced by `Type/id`; parts without a Link are shared.

    *ids* holds the id of each key, PATIENT among them; a KeyError says which one is missing.
    """
    resolved: Tree = _resolved(tree, ids)
    return resolved


def _resolved(value: Any, ids: Mapping[Key, str]) -> Any:
    kind = type(value)
    if kind is str:
        return value
    if kind is dict:
        return {
            name: child if name in LINKLESS else _resolved(child, ids)
            for name, child in value.items()
        }
    if kind is list:
        return [_resolved(child, ids) for child in value]
    if kind is Link:
        return f"{value.key[0]}/{ids[value.key]}"
    return value


def links(value: Any) -> Iterator[Key]:
    """Yield the key of every Link in a tree, or in a part of one."""
    if isinstance(value, Link):
        yield value.key
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from links(child)
