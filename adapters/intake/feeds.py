"""Who may send what, in which dialect: a feed as data.

A feed names the addresses that it comes from, the names in MSH-3 to MSH-6, and the values of
MSH-11 that it may carry. What fits no feed is refused and counted. Off loopback a feed has to name
all of them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.header import Header
from fhir_server.model import json

Tree = dict[str, Any]
Uniqueness = Literal["forever", "day", "never"]
T = TypeVar("T")

SOURCE_UNKNOWN = "source-unknown"
"""Stable code of a message from an address that no feed names."""

FRAME_LIMIT = 64 * 1024 * 1024
"""Bytes of one message, unless the feed says otherwise."""

STRANGER_LIMIT = 1024 * 1024
"""Bytes of one message from an address that no feed names: it is refused whatever it is."""


RESERVED = frozenset({"unknown"})
"""Names that stand for no agreement."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}")
_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"control_ids": get_args(Uniqueness), "identity_ack": ("AA", "AE")}
)


class FeedWrongError(Exception):
    """A feed's settings can't be used; the text names the setting."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One sender's agreement with this portal.

    *sources* are networks (`10.1.2.0/24`); an empty name in MSH-3 to MSH-6 stands for any name,
    which only a feed on loopback may have. *backload* files history: no notices, no unread marks,
    no holds by age. *control_ids* says how long a control id stays unique. *identity_ack* answers
    a message whose person disagrees with the one known. *contact* is whom a patient rings.
    *certificates* are SHA-256 fingerprints: with one of these, over TLS, and no other way.
    """

    name: str
    sources: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    sending_application: str = ""
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    processing_ids: frozenset[str] = frozenset({"P"})
    backload: bool = False
    identity_ack: Literal["AA", "AE"] = "AA"
    control_ids: Uniqueness = "forever"
    frame_limit: int = FRAME_LIMIT
    contact: str = ""
    organization: str = ""
    """The hospital's name, as a patient knows it."""
    synthetic_only: bool = False
    """Nothing is kept of a message about anybody who may exist: see `adapters.intake.synthetic`."""
    dialect: Dialect = field(default_factory=Dialect)

    def names_its_sender(self) -> bool:
        """Tell whether the feed names all that a feed off loopback has to name."""
        named = (
            self.sending_application,
            self.sending_facility,
            self.receiving_application,
            self.receiving_facility,
        )
        return bool(self.sources) and all(named)


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


def comes_from(feed: Feed, peer: str) -> bool:
    """Tell whether *peer* (an address) is among the feed's sources."""
    address = ip_address(peer)
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


def encode(feed: Feed) -> bytes:
    """Return the feed's settings as JSON, defaults left out."""
    return json.encode(_shown(feed))


def decode(settings: bytes) -> Feed:
    """Return the feed that `encode` wrote."""
    return from_settings(json.decode(settings))


def from_settings(tree: Tree) -> Feed:
    """Return the feed described by *tree*, as in JSON or TOML.

    Raises FeedWrongError that names the setting: one that is unknown, or has a wrong value.
    """
    settings = dict(tree)
    agreed = settings.pop("dialect", {})
    if not isinstance(agreed, dict):
        raise FeedWrongError("dialect: its settings stand in a table of their own.")
    feed = _built(Feed, settings, "")
    _judge(feed)
    return replace(feed, dialect=_built(Dialect, agreed, "dialect."))


def _judge(feed: Feed) -> None:
    """Raise FeedWrongError for a value that no feed can have."""
    for source in feed.sources:
        try:
            ip_network(source, strict=False)
        except ValueError:
            raise FeedWrongError(
                f"sources: {source!r} is no network such as 10.1.2.0/24."
            ) from None
    if not _NAME.fullmatch(feed.name) or feed.name in RESERVED:
        raise FeedWrongError(
            f"name: {feed.name!r} can't be the name of a feed; take letters, digits, - and _."
        )
    for certificate in feed.certificates:
        if not _FINGERPRINT.fullmatch(certificate):
            raise FeedWrongError(
                f"certificates: {certificate!r} is no SHA-256 fingerprint of 64 hexadecimal digits."
            )
    for setting, allowed in _CHOICES.items():
        if getattr(feed, setting) not in allowed:
            raise FeedWrongError(f"{setting}: it is one of {', '.join(allowed)}.")
    if not 0 < feed.frame_limit <= FRAME_LIMIT:
        raise FeedWrongError(f"frame_limit: it lies between 1 and {FRAME_LIMIT} bytes.")


def _built(kind: type[T], settings: Tree, prefix: str) -> T:
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]  # a dataclass it is
    empty: Any = kind
    values = {}
    for name, value in settings.items():
        if name not in known or name == "dialect":
            raise FeedWrongError(f"{prefix}{name}: there is no such setting.")
        default = getattr(Feed(name="x") if empty is Feed else empty(), name)
        try:
            values[name] = _AS_VALUE[type(default).__name__](value)
        except (TypeError, ValueError, KeyError):
            raise FeedWrongError(
                f"{prefix}{name}: {value!r} is not a value that it takes."
            ) from None
    try:
        return kind(**values)
    except TypeError:
        raise FeedWrongError("name: a feed has to have one.") from None


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise TypeError
    return tuple(value)


def _named_texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError
    return dict(zip(_texts(list(value)), _texts(list(value.values())), strict=True))


def _exactly(kind: type[Any]) -> Callable[[Any], Any]:
    def same(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError
        return value

    return same


_AS_VALUE: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "str": _exactly(str),
        "bool": _exactly(bool),
        "int": _exactly(int),
        "tuple": _texts,
        "frozenset": lambda value: frozenset(_texts(value)),
        "dict": _named_texts,
        "ZoneInfo": ZoneInfo,
    }
)


def _shown(value: Any) -> Tree:
    default = Feed(name="") if isinstance(value, Feed) else Dialect()
    shown: Tree = {}
    for one in fields(value):
        mine = getattr(value, one.name)
        if mine == getattr(default, one.name):
            continue
        if isinstance(mine, Dialect):
            shown[one.name] = _shown(mine)
        elif isinstance(mine, frozenset | tuple):
            shown[one.name] = sorted(mine) if isinstance(mine, frozenset) else list(mine)
        elif isinstance(mine, ZoneInfo):
            shown[one.name] = mine.key
        else:
            shown[one.name] = dict(mine) if isinstance(mine, Mapping) else mine
    return shown
