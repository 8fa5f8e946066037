"""The inbox is enough: run into an empty store, it gives the same resources under the same ids."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from adapters.intake.feeds import LOOPBACK
from adapters.intake.reception import receive
from adapters.intake.tables import inbox
from fhir_server.model import json
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from fhir_server.store.tables import installation, resource
from tests.adapters.intake.conftest import oru

PEOPLE = ("9990000018", "9990000026", "9990000034")
STATUSES = ("P", "F", "F", "C", "X")


@st.composite
def messages(draw: st.DrawFn) -> list[bytes]:
    """Messages of a few people and orders, some of which say again, correct, or contradict."""
    made = []
    for number in range(draw(st.integers(2, 8))):
        text = oru(
            control_id=f"M{draw(st.integers(0, number))}",
            nhs_number=draw(st.sampled_from(PEOPLE)),
            filler=f"LAB{draw(st.integers(0, 3))}",
            value=draw(st.decimals(0, 99, places=2).map(str)),
            status=draw(st.sampled_from(STATUSES)),
            issued=f"202611240{draw(st.integers(0, 9))}1500",
            code=draw(st.sampled_from(("2857-1^PSA^LN", "HB^Haemoglobin^L"))),
            section=draw(st.sampled_from(("CH", "SP"))),
        )
        made.append(text.encode())
    return made


@contextmanager
def store(template: Path, id_key: bytes | None = None) -> Iterator[Record]:
    """Give an empty store, which makes the ids of another where it has its key."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{shutil.copy(template, folder)}"
        if id_key is not None:
            engines = open_engines(url)
            with engines.writer.begin() as connection:
                key = update(installation).where(installation.c.name == "id_key")
                connection.execute(key.values(value=id_key))
            engines.dispose()
        record = Record(open_engines(url))
        try:
            yield record
        finally:
            record.close()


def take(record: Record, raw: bytes) -> None:
    receive(record, (LOOPBACK,), raw, "127.0.0.1").result(timeout=30)


def kept(record: Record) -> list[bytes]:
    rows = record.select(select(inbox.c.raw).order_by(inbox.c.received))
    return [bytes(row.raw) for row in rows]


def resources(record: Record) -> dict[str, tuple[str, bytes]]:
    """Return whose each resource is, and its bytes but for versions and times."""
    return {
        f"{row.type}/{row.id}": (row.patient, json.encode(_timeless(json.decode(bytes(row.body)))))
        for row in record.select(select(resource))
    }


def _timeless(tree: dict[str, Any]) -> dict[str, Any]:
    meta = {
        name: value
        for name, value in tree["meta"].items()
        if name not in {"versionId", "lastUpdated"}
    }
    return {name: value for name, value in tree.items() if name != "recorded"} | {"meta": meta}


@pytest.fixture(scope="session")
def template(_sqlite_template: Path) -> Path:
    return _sqlite_template


@settings(max_examples=8)
@given(sent=messages())
def test_the_inbox_run_into_an_empty_store_gives_the_same_resources(
    template: Path, sent: list[bytes]
) -> None:
    with store(template) as first:
        for raw in sent:
            take(first, raw)
        with store(template, first.id_key) as second:
            for raw in kept(first):
                take(second, raw)
            assert resources(second) == resources(first)
            assert kept(second) == kept(first)


def test_a_store_with_another_key_gives_other_ids(template: Path) -> None:
    raw = oru().encode()
    with store(template) as first, store(template, b"\0" * 32) as second:
        take(first, raw)
        take(second, raw)
        assert not resources(first).keys() & resources(second).keys()
