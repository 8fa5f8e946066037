"""A feed as data: kept and read again, judged before it is agreed on, chosen by what it names."""

import tomllib
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.header import glimpse
from adapters.intake.feeds import (
    FRAME_LIMIT,
    LOOPBACK,
    STRANGER_LIMIT,
    Feed,
    FeedWrongError,
    Mismatch,
    choose,
    comes_from,
    decode,
    encode,
    frame_limit,
    from_settings,
)

FULL = Feed(
    name="lims-live",
    sources=("10.1.2.0/24", "fd00::/8"),
    sending_application="LIMS",
    sending_facility="RXX",
    receiving_application="PORTAL",
    receiving_facility="CMCA",
    processing_ids=frozenset({"P", "T"}),
    backload=True,
    identity_ack="AE",
    control_ids="day",
    frame_limit=1_000_000,
    contact="the clinic, 0151 496 0000",
    organization="Example Hospital",
    synthetic_only=True,
    dialect=Dialect(
        zone=ZoneInfo("Europe/Dublin"),
        day_first=True,
        message_forms=frozenset({"ORU"}),
        identifier_authorities=("RXX",),
        identifier_systems={"RXX": "https://example.org/number"},
        local_systems={"WIN": "urn:example:winpath"},
        batches=True,
    ),
)

TOML = """
name = "lims"
sources = ["10.1.2.3/32"]
sending_application = "LIMS"
sending_facility = "RXX"
receiving_application = "PORTAL"
receiving_facility = "CMCA"
control_ids = "never"
[dialect]
day_first = true
[dialect.local_systems]
WIN = "urn:example:winpath"
"""


@pytest.mark.parametrize("feed", [FULL, LOOPBACK, Feed(name="x")])
def test_a_feed_survives_being_kept(feed: Feed) -> None:
    assert decode(encode(feed)) == feed


def test_what_is_left_at_its_default_is_not_written_down() -> None:
    assert encode(Feed(name="x")) == b'{"name":"x"}'


def test_a_feed_is_written_as_toml() -> None:
    feed = from_settings(tomllib.loads(TOML))
    assert (feed.name, feed.control_ids, feed.dialect.day_first) == ("lims", "never", True)
    assert feed.dialect.local_systems == {"WIN": "urn:example:winpath"}
    assert feed.names_its_sender()


@pytest.mark.parametrize(
    ("changes", "culprit"),
    [
        ({"nme": "x"}, "nme"),
        ({"name": ""}, "name"),
        ({"name": "unknown"}, "name"),
        ({"name": "two words"}, "name"),
        ({"name": 5}, "name"),
        ({"sources": "10.0.0.1"}, "sources"),
        ({"sources": [1]}, "sources"),
        ({"sources": ["10.0.0.300"]}, "sources"),
        ({"backload": "yes"}, "backload"),
        ({"control_ids": "weekly"}, "control_ids"),
        ({"identity_ack": "AR"}, "identity_ack"),
        ({"frame_limit": True}, "frame_limit"),
        ({"frame_limit": 0}, "frame_limit"),
        ({"frame_limit": FRAME_LIMIT + 1}, "frame_limit"),
        ({"processing_ids": [None]}, "processing_ids"),
        ({"dialect": "english"}, "dialect"),
        ({"dialect": {"day_last": True}}, "dialect.day_last"),
        ({"dialect": {"zone": "Mars/Olympus"}}, "dialect.zone"),
        ({"dialect": {"local_systems": ["x"]}}, "dialect.local_systems"),
        ({"dialect": {"dialect": {}}}, "dialect.dialect"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, object], culprit: str) -> None:
    with pytest.raises(FeedWrongError) as raised:
        from_settings({"name": "x"} | changes)
    assert str(raised.value).startswith(f"{culprit}:")


def test_a_feed_without_a_name_is_told_so() -> None:
    with pytest.raises(FeedWrongError, match=r"^name: "):
        from_settings({"sources": ["10.0.0.0/8"]})


def header(**changes: str) -> object:
    fields = {"3": "LIMS", "4": "RXX", "5": "PORTAL", "6": "CMCA", "11": "P"} | changes
    parts = [fields.get(str(number), "") for number in range(3, 12)]
    return glimpse(("MSH|^~\\&|" + "|".join(parts) + "|2.5").encode())


LIVE = replace(FULL, processing_ids=frozenset({"P"}), synthetic_only=False)
TEST = replace(LIVE, name="test", processing_ids=frozenset({"T"}))
ANY = Feed(name="any", sources=("10.0.0.0/8",))
FEEDS = (ANY, LIVE, TEST)


@pytest.mark.parametrize(
    ("changes", "name"), [({}, "lims-live"), ({"11": "T"}, "test"), ({"4": "RYY"}, "any")]
)
def test_the_feed_that_names_most_is_chosen(changes: dict[str, str], name: str) -> None:
    chosen = choose(FEEDS, "10.1.2.9", header(**changes))  # type: ignore[arg-type]
    assert isinstance(chosen, Feed)
    assert chosen.name == name


@pytest.mark.parametrize(
    ("peer", "changes", "address", "code", "hl7_code"),
    [
        ("192.0.2.1", {}, "MSH.4", "source-unknown", 103),
        ("10.1.2.9", {"3": "X"}, "MSH.3", "not-for-us", 103),
        ("10.1.2.9", {"4": "X"}, "MSH.4", "not-for-us", 103),
        ("10.1.2.9", {"5": "X"}, "MSH.5", "not-for-us", 103),
        ("10.1.2.9", {"6": "X"}, "MSH.6", "not-for-us", 103),
        ("10.1.2.9", {"11": "D"}, "MSH.11", "not-production", 202),
    ],
)
def test_what_fits_no_feed_is_told_the_first_field_to_mend(
    peer: str, changes: dict[str, str], address: str, code: str, hl7_code: int
) -> None:
    mismatch = choose((LIVE, TEST), peer, header(**changes))  # type: ignore[arg-type]
    assert isinstance(mismatch, Mismatch)
    assert (mismatch.address, mismatch.code, mismatch.hl7_code) == (address, code, hl7_code)


@pytest.mark.parametrize(
    ("peer", "is_from"),
    [("10.1.2.200", True), ("::ffff:10.1.2.200", True), ("10.1.3.1", False), ("fd00::1", True)],
)
def test_an_address_is_of_a_feed_however_it_is_written(peer: str, is_from: bool) -> None:
    assert comes_from(FULL, peer) is is_from


def test_the_largest_frame_is_that_of_the_feeds_at_this_address() -> None:
    assert frame_limit(FEEDS, "10.1.2.9") == FRAME_LIMIT
    assert frame_limit((LIVE,), "10.1.2.9") == 1_000_000
    assert frame_limit(FEEDS, "192.0.2.1") == STRANGER_LIMIT


@pytest.mark.parametrize(
    "missing",
    [
        *("sources", "sending_application", "sending_facility"),
        *("receiving_application", "receiving_facility"),
    ],
)
def test_a_feed_off_loopback_names_its_sender_in_full(missing: str) -> None:
    assert FULL.names_its_sender()
    assert not replace(FULL, **{missing: type(getattr(FULL, missing))()}).names_its_sender()
