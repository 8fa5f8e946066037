"""One demonstration on each engine, told to its end: what its tests look at."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from adapters.intake import registry
from adapters.intake.reception import receive
from adapters.intake.sending import code_of
from auth import policy
from auth.principal import Principal, Role
from fhir_server import searching
from fhir_server.access import Access, Agent, Interaction, WholeStore
from fhir_server.model import json
from fhir_server.notices import HeldNotice, notices
from fhir_server.record import Record
from fhir_server.search.query import parse
from fhir_server.store.engine import open_engines
from portal_api import migrations
from portal_api.demo import seeding
from portal_api.demo.cast import Cast, accounts, cast
from portal_api.demo.messages import oru
from portal_api.demo.orders import Order
from portal_api.demo.staff import CLINICIANS
from tests import postgres

Tree = dict[str, Any]
BASE = "http://127.0.0.1:8000/fhir"
TYPES = ("Observation", "DiagnosticReport", "CareTeam", "Patient")


@dataclass(frozen=True, slots=True)
class Told:
    """A record with the stories in it: their past, what was recent, and every step."""

    record: Record
    cast: Cast
    send: Callable[[Order], str]

    def patient(self, name: str) -> str:
        return seeding.patient_id(self.record, self.cast.person(name))

    def as_patient(self, name: str) -> Access:
        patient = self.patient(name)
        principal = Principal(Role.PATIENT, user=f"Patient/{patient}", patient=patient)
        return policy.access(principal, request_id="test", network="127.0.0.1")

    def as_clinician(self, login: str) -> Access:
        clinician = next(one for one in CLINICIANS if one.login == login)
        user = f"Practitioner/{seeding.practitioner_id(self.record, clinician)}"
        principal = Principal(Role.CLINICIAN, user=user)
        return policy.access(principal, request_id="test", network="127.0.0.1")

    def whole(self) -> Access:
        grants = dict.fromkeys(TYPES, frozenset(Interaction))
        return Access(Agent("operator"), "test", WholeStore(), grants, bound_by_release=False)

    def found(self, access: Access, resource_type: str, *pairs: tuple[str, str]) -> list[Tree]:
        query = parse(resource_type, [*pairs, ("_count", "200")], BASE)
        page = searching.search(self.record, access, query, "").result(timeout=30)
        return [json.decode(one.body) for one in page.matches]

    def values(self, access: Access, name: str, loinc: str) -> list[str]:
        """The values of one test in the record of *name*, oldest first, comparator in front."""
        code = ("code", f"http://loinc.org|{loinc}")
        found = self.found(access, "Observation", ("patient", self.patient(name)), code)
        found.sort(key=lambda one: one["effectiveDateTime"])
        quantities = [one["valueQuantity"] for one in found]
        return [f"{one.get('comparator', '')}{one['value']}" for one in quantities]

    def notices(self, name: str) -> list[HeldNotice]:
        access = self.as_patient(name)
        return list(notices(self.record, access, self.patient(name)).result(timeout=30))


@pytest.fixture(scope="session", params=("sqlite", "postgresql"))
def storage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database for all these tests, on each engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('told') / 'portal.db'}"
        return
    server: str = request.getfixturevalue("pg_server")
    admin: psycopg.Connection = request.getfixturevalue("pg_admin")
    name = f"portal_told_{os.getpid()}"
    admin.execute(f'CREATE DATABASE "{name}"')
    yield postgres.in_database(server, name)
    admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def begun(storage: str) -> Iterator[Told]:
    """The stories as they stand when the demonstration begins."""
    migrations.upgrade(storage)
    record = Record(open_engines(storage))
    now = record.clock()
    everybody = cast(now)
    seeding.before(record, accounts(now))
    feeds = registry.listening_for(record, loopback=True, synthetic_only=True)

    def taken(raw: bytes) -> str:
        (answer,) = receive(record, feeds, raw, "127.0.0.1").result(timeout=30)
        return code_of(answer)

    def send(order: Order) -> str:
        return taken(oru(order))

    for story in everybody.stories:
        assert {send(order) for order in story.past} <= {"AA"}
    generated = everybody.crowd
    assert {send(order) for one in generated for order in one.past[:1]} == {"AA"}
    seeding.after(record, everybody, accounts(now))
    for order in everybody.recent:
        assert send(order) == "AA"
    assert [taken(one.raw) for one in everybody.clinic] == ["AA", "AA", "AA"]
    yield Told(record, everybody, send)
    record.close()


@pytest.fixture
def now() -> datetime:
    """A Tuesday morning."""
    return datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
