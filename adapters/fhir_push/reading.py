"""One Bundle to what filing needs: its feed, and what it became or what is wrong with it.

What `adapters.intake.reading` is for a frame of HL7 v2. Nothing is thrown away here: what can't be
read comes with a verdict and is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from adapters.fhir_push.answers import Wording
from adapters.fhir_push.bundle import KINDS, Faulty, Head, Kind, entries_of, opened
from adapters.fhir_push.compositions import as_composed
from adapters.fhir_push.convert import Agreement, Converted, convert
from adapters.fhir_push.head import head_of
from adapters.hl7v2.ack import fault_of
from adapters.hl7v2.conversion import Conversion, Key
from adapters.hl7v2.header import Header, glimpse
from adapters.hl7v2.orders import Orders
from adapters.hl7v2.refusal import Refused
from adapters.intake import identity_rules, synthetic
from adapters.intake.feeds import Feed, Mismatch
from adapters.intake.reading import (
    Read,
    Verdict,
    arrival_of,
    barred,
    our_fault,
    unwelcome,
)
from fhir_server.errors import Issue

_PREFIX = "Bundle^"
_KINDS: Mapping[str, Kind] = MappingProxyType({f"{_PREFIX}{kind}": kind for kind in KINDS})
_PLACES: Mapping[str, str] = MappingProxyType(
    {"MSH.9": "Bundle", "MSH.10": "Bundle.identifier", "PID.3": "Bundle.entry"}
)
"""Where a Bundle has what is at an address of HL7 v2, whatever is in it."""


@dataclass(frozen=True, slots=True)
class Came:
    """A Bundle as it came: bytes, kind, from where and when, and the address that it came to.

    *base* is that of the FHIR interface.
    """

    raw: bytes
    kind: Kind
    peer: str
    at: datetime
    base: str = ""


@dataclass(frozen=True, slots=True)
class _Opened:
    """The JSON of a Bundle and its head; *refused* where it is none."""

    tree: Any
    head: Head
    header: Header
    refused: Refused | None = None


def kind_of(message_type: str) -> Kind | None:
    """Return the kind of Bundle that a message of the inbox is; None for one of HL7 v2."""
    return _KINDS.get(message_type)


def read(feeds: tuple[Feed, ...], came: Came) -> Read:
    """Return the Bundle that *came*; *feeds* are those that its sender may speak as."""
    opened_ = _opened(came)
    chosen = choose(feeds, opened_.head)
    if synthetic.applies(feeds) and synthetic.may_name_a_person(came.raw):
        return _worded(barred(came.peer, opened_.header, chosen), opened_, came)
    if isinstance(chosen, Mismatch):
        found = unwelcome(came.raw, came.peer, opened_.header, chosen)
        return _worded(found, opened_, came)
    return _read(chosen, opened_, came)


def read_of(feed: Feed, came: Came, flags: tuple[str, ...] = ()) -> Read:
    """Return the Bundle that *came*, and is known to be of *feed*."""
    return replace(_read(feed, _opened(came), came), flags=flags)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a Bundle became or what is wrong with it, *issues* all where it is no valid FHIR."""

    control_id: str
    content: Conversion | Orders | Verdict
    issues: Sequence[Issue]


def tried(feed: Feed, came: Came) -> Tried:
    """Return what the Bundle that *came* would become, were it of *feed*; nobody is answered."""
    opened_ = _opened(came)
    content, _, issues = _content(feed, opened_, came)
    return Tried(opened_.head.control_id, content, issues)


def choose(feeds: tuple[Feed, ...], head: Head) -> Feed | Mismatch:
    """Return the feed of a Bundle among *feeds*, each of which names its application.

    By the organisation that MessageHeader.sender names, or those that answer for a Composition,
    where they are named, and by its tag of table 0103. A token proves the rest: a Bundle has no
    MSH-3 to MSH-6.
    """
    said_by = "custodian" if head.kind == "document" else "sender"
    where = f"Bundle.entry[0].resource.{said_by}"
    here = [one for one in feeds if not head.senders or one.sending_facility in head.senders]
    if not here:
        text = "No feed of this application has this sending organisation."
        return Mismatch(where, "not-for-us", 103, text)
    fit = [one for one in here if one.processing_ids.issuperset(head.processing_ids)]
    if not fit:
        text = "This feed does not take this processing id."
        return Mismatch("Bundle.meta.tag", "not-production", 202, text)
    if len(fit) > 1:
        text = f"Several feeds name this application: {said_by} has to say which is meant."
        return Mismatch(where, "not-for-us", 103, text)
    return fit[0]


def _opened(came: Came) -> _Opened:
    tree, refused = None, None
    try:
        tree = opened(came.raw)
    except Refused as error:
        refused = error
    head = head_of(tree, came.raw, came.kind)
    header = replace(
        glimpse(b""), control_id=head.control_id, message_type="Bundle", trigger=came.kind
    )
    return _Opened(tree, head, header, refused)


def _read(feed: Feed, opened_: _Opened, came: Came) -> Read:
    content, keys, issues = _content(feed, opened_, came)
    is_real = not isinstance(content, Verdict) and synthetic.is_about_a_person(content)
    if feed.synthetic_only and is_real:
        return _worded(barred(came.peer, opened_.header, feed), opened_, came)
    arrival = arrival_of(came.raw, came.peer, feed, opened_.header)
    words = Wording(opened_.head, came.base, keys, issues)
    return Read(arrival, opened_.header, feed, content, words=words, places=_PLACES)


def _content(
    feed: Feed, opened_: _Opened, came: Came
) -> tuple[Conversion | Orders | Verdict, Mapping[int, Key], Sequence[Issue]]:
    """Return what the Bundle became, with the key of each entry; or what is wrong with it."""
    try:
        made = _converted(feed, opened_, came)
    except Faulty as faulty:
        return Verdict(faulty.ack, fault_of(faulty)), {}, faulty.issues
    except Refused as refused:
        return Verdict(refused.ack, fault_of(refused)), {}, ()
    # A fault of ours must not cost the message: it is kept for a person, and the feed goes on.
    except Exception as error:  # noqa: BLE001 - the rim of a message
        return our_fault(error), {}, ()
    return made.content, made.keys, ()


def _converted(feed: Feed, opened_: _Opened, came: Came) -> Converted:
    if opened_.refused is not None:
        raise opened_.refused
    entries = as_composed(entries_of(opened_.tree, opened_.head), opened_.tree)
    authority = feed.sending_facility or feed.dialect.authority
    sender = feed.organization or authority or feed.name
    converted = convert(
        entries,
        opened_.head,
        opened_.tree.get("timestamp", ""),
        Agreement(feed.dialect, authority, sender),
        came.at,
    )
    try:
        identity_rules.require(feed, converted.content.person)
    except Refused as lacking:
        where = converted.content.places.get(lacking.field, lacking.field)
        raise Refused(lacking.ack, lacking.hl7_code, lacking.code, where, lacking.text) from None
    return converted


def _worded(read: Read, opened_: _Opened, came: Came) -> Read:
    """Return *read*, of which nothing became anything, with the words in which it is answered."""
    return replace(read, words=Wording(opened_.head, came.base), places=_PLACES)
