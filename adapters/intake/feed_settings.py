"""What can be set in a feed: every setting with what it takes and what it means, as data.

The same table reads a TOML file, a `setting=value` of the command line and what the database
keeps, and is what the documentation is made from. A wrong value is named with what it should be.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, get_args
from zoneinfo import ZoneInfo

from adapters.hl7v2.dialect import Dialect
from adapters.intake.expected import Expected, to_settings
from adapters.intake.feeds import Feed, FeedWrongError, Uniqueness
from adapters.intake.setting_kinds import (
    ACCEPT_OR_ERROR,
    AVAILABILITY,
    CATEGORY,
    CHARSET,
    EXPECTED,
    FINGERPRINTS,
    FLAG,
    NAME,
    NAMED,
    NETWORKS,
    REPORT_STATUS,
    RESULT_STATUS,
    SET,
    SIZE,
    TEXT,
    TEXTS,
    ZONE,
    Kind,
    one_of,
)
from fhir_server.model import json

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: the kind of its values, and what it means, in a sentence."""

    kind: Kind
    means: str


FEED: Mapping[str, Setting] = MappingProxyType(
    {
        "name": Setting(NAME, "What the feed is called here."),
        "sources": Setting(NETWORKS, "The addresses that its messages come from."),
        "certificates": Setting(
            FINGERPRINTS,
            "The client certificates with which it comes over TLS; empty: it comes over plain TCP.",
        ),
        "clients": Setting(
            TEXTS, "The applications, by client_id, that may push its messages over HTTPS."
        ),
        "sending_application": Setting(TEXT, "MSH-3 of its messages; empty: any."),
        "sending_facility": Setting(TEXT, "MSH-4 of its messages; empty: any."),
        "receiving_application": Setting(TEXT, "MSH-5 of its messages; empty: any."),
        "receiving_facility": Setting(TEXT, "MSH-6 of its messages; empty: any."),
        "processing_ids": Setting(SET, "The values of MSH-11 that it may carry."),
        "backload": Setting(
            FLAG, "It sends history: no notices, no unread marks, no holds by age."
        ),
        "quarantine_ack": Setting(
            ACCEPT_OR_ERROR,
            "The answer to a message that is kept for a person to look at; AA keeps a queue going "
            "that would stop on an error.",
        ),
        "identity_ack": Setting(
            ACCEPT_OR_ERROR, "The answer where the person disagrees with the one who is known."
        ),
        "needs_nhs_number": Setting(
            FLAG, "A message about somebody without an NHS number is set aside."
        ),
        "needs_birth_date": Setting(
            FLAG, "A message about somebody without a birth date is set aside."
        ),
        "control_ids": Setting(
            one_of(*get_args(Uniqueness)), "How long a control id (MSH-10) stays unique."
        ),
        "frame_limit": Setting(SIZE, "How large a message may be."),
        "demographics": Setting(
            FLAG, "What it says of people who are known here (ADT) changes their details."
        ),
        "merges": Setting(
            FLAG, "It joins two records of one person (ADT^A40 and its kin); else a person does."
        ),
        "contact": Setting(TEXT, "Whom a patient rings about a result."),
        "expected": Setting(
            EXPECTED,
            "When it sends, by the clock of its zone, and from how many quiet minutes within those "
            "hours its silence is an alarm.",
        ),
        "organization": Setting(TEXT, "The hospital's name, as a patient knows it."),
        "synthetic_only": Setting(FLAG, "Nothing is kept about anybody who may exist."),
    }
)
"""The settings of the feed itself."""

DIALECT: Mapping[str, Setting] = MappingProxyType(
    {
        "zone": Setting(ZONE, "The clock on the sender's wall, for dates without an offset."),
        "day_first": Setting(FLAG, "Dates may come as DD/MM/YYYY."),
        "message_forms": Setting(
            SET, "Whole texts of MSH-9 that mean ORU^R01 from this sender, such as ORU_R01."
        ),
        "authority": Setting(TEXT, "Who the sender is where MSH-4 is empty."),
        "ods_codes": Setting(SET, "Names in MSH-4 and assigning authorities that are ODS codes."),
        "identifier_authorities": Setting(
            TEXTS, "Who assigned a bare PID-3, by its position among the repetitions."
        ),
        "identifier_systems": Setting(NAMED, "The URI of the identifiers of each authority."),
        "nhs_number_in_pid_19": Setting(FLAG, "PID-19 holds the NHS number."),
        "local_base": Setting(
            TEXT, "The URI under which local codes live; empty: one made from the sender's name."
        ),
        "local_systems": Setting(NAMED, "The URI of each code system that CWE.3 names."),
        "report_status": Setting(
            REPORT_STATUS,
            "OBR-25 where it is left empty, by written agreement; empty: it must not be.",
        ),
        "observation_status": Setting(
            RESULT_STATUS,
            "OBX-11 where it is left empty, by written agreement; empty: it must not be.",
        ),
        "category": Setting(
            CATEGORY, "A code of observation-category where OBR-24 is empty; empty: none."
        ),
        "document_availability": Setting(
            AVAILABILITY,
            "TXA-19 where it is left empty, by written agreement; empty: it must not be.",
        ),
        "histology_tests": Setting(
            SET, "OBR-4 codes of cellular pathology, where OBR-24 does not say so."
        ),
        "numbers_in_text": Setting(FLAG, "A number with a unit in an ST is that number."),
        "report_of_lines": Setting(FLAG, "Text lines under one code are one report."),
        "literal_tilde": Setting(FLAG, "`~` inside free text is an ordinary character."),
        "patient_level_results": Setting(
            FLAG, "OBX may stand under PID, before any order; it is kept raw."
        ),
        "charset": Setting(CHARSET, "The character set where MSH-18 is empty."),
        "doubled_escape": Setting(FLAG, "MSH-2 has its escape character twice, and means one."),
        "batches": Setting(FLAG, "Batches (FHS, BHS) may come."),
    }
)
"""The settings of the table `dialect`: how the sender writes HL7 v2."""


def from_settings(tree: Tree) -> Feed:
    """Return the feed described by *tree*, as in JSON or TOML.

    Raises FeedWrongError that names the setting: one that is unknown, or has a wrong value.
    """
    settings = dict(tree)
    agreed = settings.pop("dialect", {})
    if not isinstance(agreed, dict):
        raise FeedWrongError("dialect: it takes a table of settings of its own.")
    if "name" not in settings:
        raise FeedWrongError("name: a feed has to have one.")
    dialect = Dialect(**_values(DIALECT, agreed, "dialect."))
    return Feed(**_values(FEED, settings, ""), dialect=dialect)


def amended(feed: Feed, changes: Mapping[str, str]) -> Feed:
    """Return *feed* with each setting (`dialect.zone`) read from a text; "" is the default again.

    A list stands with commas between, a table as `name=value` with commas between. Raises
    FeedWrongError that names the setting.
    """
    of_feed: Tree = {}
    of_dialect: Tree = {}
    for name, text in changes.items():
        part = name.removeprefix("dialect.")
        known, into = (FEED, of_feed) if part == name else (DIALECT, of_dialect)
        setting = known.get(part)
        if name == "name":
            raise FeedWrongError("name: it stays; end the feed, and agree on another.")
        if setting is None:
            raise FeedWrongError(_unknown(name))
        try:
            into[part] = setting.kind.from_text(text) if text else default_of(known, part)
        except (TypeError, ValueError):
            raise FeedWrongError(_wrong(name, text, setting)) from None
    return replace(feed, **of_feed, dialect=replace(feed.dialect, **of_dialect))


def _values(known: Mapping[str, Setting], settings: Tree, prefix: str) -> Tree:
    values = {}
    for name, value in settings.items():
        setting = known.get(name)
        if setting is None:
            raise FeedWrongError(_unknown(f"{prefix}{name}"))
        try:
            values[name] = setting.kind.read(value)
        except (TypeError, ValueError):
            raise FeedWrongError(_wrong(f"{prefix}{name}", value, setting)) from None
    return values


def _wrong(name: str, value: Any, setting: Setting) -> str:
    return f"{name}: {value!r} is not what it takes: {setting.kind.takes}."


def _unknown(name: str) -> str:
    names = (*FEED, "dialect", *(f"dialect.{one}" for one in DIALECT))
    near = get_close_matches(name, names, n=1)
    there_are = f"perhaps {near[0]}" if near else f"there are {', '.join(names)}"
    return f"{name}: there is no such setting; {there_are}."


def default_of(known: Mapping[str, Setting], name: str) -> Any:
    """Return the value that a setting of FEED or DIALECT has where nothing is agreed."""
    kind: Any = Feed if known is FEED else Dialect
    for one in fields(kind):
        if one.name == name and one.default_factory is not MISSING:
            return one.default_factory()
        if one.name == name and one.default is not MISSING:
            return one.default
    return ""


def shown(feed: Feed) -> Tree:
    """Return what is agreed as values of JSON and TOML, defaults left out."""
    tree = _shown(feed, FEED)
    dialect = _shown(feed.dialect, DIALECT)
    return tree | ({"dialect": dialect} if dialect else {})


def _shown(value: Feed | Dialect, known: Mapping[str, Setting]) -> Tree:
    mine = {name: getattr(value, name) for name in known}
    return {name: plain(one) for name, one in mine.items() if one != default_of(known, name)}


def plain(value: Any) -> Any:
    """Return a setting's value as JSON and TOML have it."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, ZoneInfo):
        return value.key
    if isinstance(value, Expected):
        return to_settings(value)
    return dict(value) if isinstance(value, Mapping) else value


def encode(feed: Feed) -> bytes:
    """Return the feed's settings as JSON, defaults left out."""
    return json.encode(shown(feed))


def decode(settings: bytes) -> Feed:
    """Return the feed that `encode` wrote."""
    return from_settings(json.decode(settings))


def differing(before: Feed, after: Feed) -> tuple[str, ...]:
    """Return the names of the settings in which two agreements differ."""
    of_feed = (name for name in FEED if getattr(before, name) != getattr(after, name))
    of_dialect = (
        f"dialect.{name}"
        for name in DIALECT
        if getattr(before.dialect, name) != getattr(after.dialect, name)
    )
    return (*of_feed, *of_dialect)
