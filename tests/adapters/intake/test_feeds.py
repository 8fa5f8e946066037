"""A feed as data: kept and read again, judged before it is agreed on, chosen by what it names."""

import re
import tomllib
from dataclasses import fields, replace
from zoneinfo import ZoneInfo

import pytest

from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.header import glimpse
from adapters.intake.feed_settings import (
    DIALECT,
    FEED,
    amended,
    decode,
    differing,
    encode,
    from_settings,
    shown,
)
from adapters.intake.feeds import (
    FRAME_LIMIT,
    LOOPBACK,
    STRANGER_LIMIT,
    Feed,
    FeedWrongError,
    Mismatch,
    choose,
    comes_from,
    frame_limit,
)
from portal_api.toml_text import written

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


def test_every_setting_says_what_it_takes_and_what_it_means() -> None:
    assert {one.name for one in fields(Feed)} == FEED.keys() | {"dialect"}
    assert {one.name for one in fields(Dialect)} == DIALECT.keys()
    for told in (*FEED.values(), *DIALECT.values()):
        assert told.kind.takes
        assert re.fullmatch(r"[A-Z`].+\.", told.means)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("sending_facilty", "there is no such setting; perhaps sending_facility"),
        ("dialect.dayfirst", "there is no such setting; perhaps dialect.day_first."),
        ("day_first", "there is no such setting; perhaps dialect.day_first."),
        ("qqq", "there is no such setting; there are name, sources"),
        ("name", "it stays"),
    ],
)
def test_a_setting_that_does_not_exist_is_told_what_there_is(setting: str, told: str) -> None:
    with pytest.raises(FeedWrongError) as raised:
        amended(Feed(name="x"), {setting: "y"})
    assert str(raised.value).startswith(f"{setting}: {told}")


@pytest.mark.parametrize(
    ("setting", "text", "takes"),
    [
        ("sources", "10.0.0.300", "a list of networks, such as 10.1.2.0/24"),
        ("backload", "perhaps", "true or false"),
        ("control_ids", "weekly", "one of forever, day, never"),
        ("frame_limit", "many", f"a whole number of bytes from 1 to {FRAME_LIMIT}"),
        ("dialect.zone", "Mars/Olympus", "the name of a time zone, such as Europe/London"),
        ("dialect.local_systems", "WIN", "a table of texts, each under a name"),
        ("dialect.charset", "klingon", "a name of table 0211, such as UNICODE UTF-8 or 8859/1"),
        ("dialect.report_status", "Y", "a code of table 0123 that has a meaning, or nothing"),
        ("dialect.observation_status", "?", "a code of table 0085 that has a meaning, or nothing"),
        ("dialect.category", "blood", "a code of observation-category, or nothing"),
    ],
)
def test_a_wrong_value_is_told_in_one_sentence_what_it_should_be(
    setting: str, text: str, takes: str
) -> None:
    with pytest.raises(FeedWrongError) as raised:
        amended(Feed(name="x"), {setting: text})
    assert str(raised.value) == f"{setting}: {text!r} is not what it takes: {takes}."


def test_settings_are_changed_by_texts_and_put_back_by_nothing() -> None:
    changes = {
        "sources": "10.1.2.0/24, fd00::/8",
        "backload": "Yes",
        "frame_limit": "5000",
        "dialect.day_first": "true",
        "dialect.zone": "Europe/Dublin",
        "dialect.ods_codes": "RXX,RYY",
        "dialect.local_systems": "WIN=urn:example:winpath, APEX=urn:example:apex",
    }
    feed = amended(Feed(name="x"), changes)
    assert feed == Feed(
        name="x",
        sources=("10.1.2.0/24", "fd00::/8"),
        backload=True,
        frame_limit=5000,
        dialect=Dialect(
            day_first=True,
            zone=ZoneInfo("Europe/Dublin"),
            ods_codes=frozenset({"RXX", "RYY"}),
            local_systems={"WIN": "urn:example:winpath", "APEX": "urn:example:apex"},
        ),
    )
    assert set(differing(Feed(name="x"), feed)) == changes.keys()
    assert amended(feed, dict.fromkeys(changes, "")) == Feed(name="x")


@pytest.mark.parametrize("feed", [FULL, LOOPBACK, Feed(name="x")])
def test_a_feed_is_the_same_after_it_was_written_as_toml(feed: Feed) -> None:
    assert from_settings(tomllib.loads(written(shown(feed)))) == feed
