"""The inbox into an empty database: the twin has the same resources, byte for byte."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters.intake import batches, code_maps, registry
from adapters.intake.feeds import Feed
from adapters.intake.repeating import Part
from adapters.intake.tables import inbox
from adapters.intake.unmerging import unmerge
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from fhir_server.store.tables import patient_link, resource, resource_version
from portal_api.opening import NotEmpty
from portal_api.operating import operator_access
from portal_api.portal import Portal
from portal_api.repeating import again, into
from tests.portal_api.cli.results import psa
from tests.portal_api.cli.test_feed_merging import merge

FEED = Feed(name="lims", sources=("127.0.0.0/8",), sending_facility="RXX", contact="the clinic")


def day(raw: str, control_id: str, issued: str) -> str:
    """The message under another control id, issued at another time."""
    return raw.replace("|M1|", f"|{control_id}|").replace("20261124091500||CH", f"{issued}||CH")


MESSAGES = (
    psa(1),
    day(psa(1), "M2", "20261124101500").replace("5.10", "5.20").replace("|||F|||", "|||C|||"),
    psa(3).replace("2857-1^PSA^LN", "PSA9^PSA^L"),
    psa(4).replace("19550301", "01/03/1955"),
    psa(5).replace("9990000018", "9990000026").replace("||CH|F", "||SP|F"),
    psa(1),
)


@pytest.fixture
def filled(portal: Portal) -> Portal:
    """A portal to which a hospital sent results, a correction, an unknown code and a fault."""
    access = operator_access("test")
    local = ("urn:portal-fhir:codes:RXX", "PSA9")
    meaning = {"system": "http://loinc.org", "code": "2857-1"}
    for piece in (
        lambda writer: registry.agree(writer, FEED),
        lambda writer: code_maps.set_meaning(writer, "lims", local, meaning),
    ):
        portal.record.submit(access, piece).result(30)
    for message in MESSAGES:
        batches.receive(portal.record, (FEED,), message.encode(), "127.0.0.1").result(30)
    portal.feeds.reread()
    return portal


def standing(record: Record) -> list[tuple[Any, ...]]:
    """Every resource with its body and release, and every earlier version."""
    return [
        tuple(row)
        for table in (resource, resource_version)
        for row in record.select(select(table).order_by(table.c.type, table.c.id, table.c.version))
    ]


def test_the_twin_has_the_same_resources_byte_for_byte(filled: Portal, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/twin.db"
    became = into(filled, url, Part(), "test")
    assert became == {"filed": 4, "aside": 1}
    twin = Record(open_engines(url))
    try:
        assert standing(twin) == standing(filled.record)
        fates = select(inbox.c.control_id, inbox.c.fate, inbox.c.received).order_by("control_id")
        assert list(twin.select(fates)) == list(filled.record.select(fates))
        assert registry.agreed(twin) == (FEED,)
    finally:
        twin.close()
    with pytest.raises(NotEmpty, match="not empty"):
        into(filled, url, Part(), "test")


@pytest.mark.parametrize("is_parted", [False, True])
def test_the_twin_joins_what_is_joined_and_not_what_a_person_has_parted(
    portal: Portal, tmp_path: Path, is_parted: bool
) -> None:
    access, feed = operator_access("test"), replace(FEED, merges=True)
    portal.record.submit(access, lambda writer: registry.agree(writer, feed)).result(30)
    local = psa(1).replace("9990000018^^^NHS^NH", "A7^^^RXX^MR")
    joining = merge("A7^^^RXX^MR").replace("B7^^^RXX^MR", "9990000018^^^NHS^NH")
    for message in (local, psa(2), joining):
        batches.receive(portal.record, (feed,), message.encode(), "127.0.0.1").result(30)
    portal.feeds.reread()
    joined = select(patient_link.c.patient).where(patient_link.c.patient != patient_link.c.survivor)
    (retired,) = portal.record.select(joined)
    if is_parted:
        unmerge(portal.record, access, retired.patient, "They are two people.")
    url = f"sqlite:///{tmp_path}/twin.db"
    became = into(portal, url, Part(), "test")
    assert became == ({"filed": 2, "left": 1} if is_parted else {"filed": 3})
    twin = Record(open_engines(url))
    try:
        assert twin.select(joined) == ([] if is_parted else [retired])
    finally:
        twin.close()


def test_a_part_of_the_inbox_makes_a_part_of_the_twin(filled: Portal, tmp_path: Path) -> None:
    assert into(filled, f"sqlite:///{tmp_path}/none.db", Part(feed="another"), "test") == {}


def test_the_inbox_runs_again_in_steps_and_changes_nothing(filled: Portal) -> None:
    before = standing(filled.record)
    request = {"feed": "", "since": 0, "until": None, "after": None}
    answer = asyncio.run(again(filled, request, "test"))
    assert [one["became"] for one in answer["done"]] == [
        *("unchanged", "unchanged", "unchanged", "aside", "unchanged")
    ]
    assert answer["after"] is None
    assert standing(filled.record) == before
