"""One hospital and one record for each module; after each test, nothing private has got out."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.intake.tables import inbox
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from tests.adapters.hostile.hospital import PRIVATE, Hospital, Logged, hospital


@pytest.fixture(scope="module")
def clinic(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """The hospital that all tests of a module share."""
    path = tmp_path_factory.mktemp("hostile") / "portal.db"
    shutil.copy(_sqlite_template, path)
    record = Record(open_engines(f"sqlite:///{path}"))
    with hospital(record) as made:
        yield made
    record.close()


@pytest.fixture(autouse=True)
def _nothing_private_gets_out(clinic: Hospital) -> Iterator[None]:
    """See that no log, no answer and no reason in the inbox tells of a patient."""
    root, logged = logging.getLogger(), Logged()
    level = root.level
    root.addHandler(logged)
    root.setLevel(logging.DEBUG)
    clinic.heard.clear()
    yield
    root.removeHandler(logged)
    root.setLevel(level)
    told = [one.decode("ascii") for one in clinic.heard]
    rows = clinic.record.select(select(inbox.c.reason, inbox.c.flags, inbox.c.address))
    kept = [part for row in rows for part in row]
    assert [one for one in (*logged.lines, *told, *kept) if PRIVATE.search(one)] == []
    for wire in clinic.wires:
        wire.socket.close()
    clinic.wires.clear()
