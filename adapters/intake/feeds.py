"""Who may send what, in which dialect: a feed as data.

A feed names the addresses that it comes from, the names in MSH-3 to MSH-6, and the values of
MSH-11 that it may carry. What fits no feed is refused and counted. Off loopback a feed has to name
all of them.
"""

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Literal

from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.header import Header
from adapters.intake.expected import Expected

Uniqueness = Literal["forever", "day", "never"]

SOURCE_UNKNOWN = "source-unknown"
"""Stable code of a message from an address that no feed names."""

FRAME_LIMIT = 64 * 1024 * 1024
"""Bytes of one message, unless the feed says otherwise."""

STRANGER_LIMIT = 1024 * 1024
"""Bytes of one message from an address that no feed names: it is refused whatever it is."""


RESERVED = frozenset({"unknown"})
"""Names that stand for no agreement."""


class FeedWrongError(Exception):
    """A feed's settings can't be used; the text names the setting."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One sender's agreement with this portal.

    *sources* are networks (`10.1.2.0/24`); an empty name in MSH-3 to MSH-6 stands for any name,
    which only a feed on loopback may have. *backload* files history: no notices, no unread marks,
    no holds by age. *control_ids* says how long a control id stays unique. *quarantine_ack*
    answers a message that is kept for a person to look at, *identity_ack* one whose person
    disagrees with the one known; *needs_nhs_number* and *needs_birth_date* hold it to
    what it says of everybody. *contact* is whom a patient rings.
    """

    name: str
    sources: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    """SHA-256 of client certificates: with one of them over TLS, and over MLLP no other way."""
    clients: tuple[str, ...] = ()
    """Applications that may push its messages over HTTPS, by client_id."""
    sending_application: str = ""
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    processing_ids: frozenset[str] = frozenset({"P"})
    backload: bool = False
    quarantine_ack: Literal["AA", "AE"] = "AE"
    identity_ack: Literal["AA", "AE"] = "AA"
    needs_nhs_number: bool = False
    needs_birth_date: bool = False
    control_ids: Uniqueness = "forever"
    frame_limit: int = FRAME_LIMIT
    demographics: bool = False
    """What it says of people whom the portal knows changes them; otherwise it is kept unapplied."""
    merges: bool = False
    """It may join two records (ADT^A40); otherwise each merge waits for a person."""
    contact: str = ""
    organization: str = ""
    """The hospital's name, as a patient knows it."""
    synthetic_only: bool = False
    """Nothing is kept of a message about anybody who may exist: see `adapters.intake.synthetic`."""
    expected: Expected = field(default_factory=Expected)
    """When it sends, and from when its silence is an alarm."""
    dialect: Dialect = field(default_factory=Dialect)

    def names_its_sender(self) -> bool:
        """Tell whether the feed names all that a feed off loopback has to name."""
        named = (
            self.sending_application,
            self.sending_facility,
            self.receiving_application,
            self.receiving_facility,
        )
        return bool(self.sources or self.clients) and all(named)


LOOPBACK = Feed(
    name="loopback", sources=("127.0.0.0/8", "::1/128"), contact="the team that ordered the test"
)
"""What a portal without feeds takes, from its own machine alone."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a message fits no feed: the field to blame, and the stable code of the refusal."""

    address: str
    code: str
    hl7_code: int
    text: str


def choose(feeds: tuple[Feed, ...], peer: str, header: Header) -> Feed | Mismatch:
    """Return the feed that a message from *peer* belongs to, or why there is none.

    Of several that fit, the one that names most wins. Fields are judged in the order in which
    a sender would mend them: address, sender, receiver, processing id.
    """
    here = [feed for feed in feeds if comes_from(feed, peer)]
    if not here:
        return Mismatch("MSH.4", SOURCE_UNKNOWN, 103, "No feed takes messages from this address.")
    for attribute, address, code, text in (
        ("sending_application", "MSH.3", "not-for-us", "No feed has this sending application."),
        ("sending_facility", "MSH.4", "not-for-us", "No feed has this sending facility."),
        ("receiving_application", "MSH.5", "not-for-us", "The message is for another application."),
        ("receiving_facility", "MSH.6", "not-for-us", "The message is for another facility."),
    ):
        sent = getattr(header, attribute)
        here = [feed for feed in here if getattr(feed, attribute) in {"", sent}]
        if not here:
            return Mismatch(address, code, 103, text)
    fit = [feed for feed in here if header.processing_id in feed.processing_ids]
    if not fit:
        return Mismatch(
            "MSH.11", "not-production", 202, "This feed does not take this processing id."
        )
    return max(fit, key=_precision)


def address_of(peer: str) -> str:
    """Return the address of *peer*: what stands first in where a message came from."""
    return peer.partition(" ")[0]


def comes_from(feed: Feed, peer: str) -> bool:
    """Tell whether the address of *peer* is among the feed's sources."""
    address = ip_address(address_of(peer))
    # What a listener on all of IPv6 calls an IPv4 address.
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(source, strict=False) for source in feed.sources)


def frame_limit(feeds: tuple[Feed, ...], peer: str) -> int:
    """Return how many bytes a frame from *peer* may have, before it is known whose it is."""
    agreed = [feed.frame_limit for feed in feeds if comes_from(feed, peer)]
    return max(agreed, default=STRANGER_LIMIT)


def _precision(feed: Feed) -> int:
    return sum(
        bool(name)
        for name in (
            feed.sending_application,
            feed.sending_facility,
            feed.receiving_application,
            feed.receiving_facility,
        )
    )
