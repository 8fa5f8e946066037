"""A shelf to put resources on, indexed as filing does it, and to search by plain URLs."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import psycopg
import pytest
from sqlalchemy import Connection, Select, delete, insert

from fhir_server.access import Access, Agent, CaredFor, Interaction, NoRecord, OwnRecord, WholeStore
from fhir_server.model import json
from fhir_server.model.ids import bucket_of
from fhir_server.search import sql
from fhir_server.search.includes import included, referred
from fhir_server.search.index import index, sort_date
from fhir_server.search.parameters import PARAMETERS
from fhir_server.search.query import Query, parse
from fhir_server.store.engine import Engines, open_engines
from fhir_server.store.tables import (
    care_relationship,
    index_date,
    index_string,
    index_token,
    resource,
)
from tests import postgres

BASE = "https://portal.example/fhir"
NOW = 1_780_000_000_000_000
EVERYTHING = dict.fromkeys((*PARAMETERS, "AuditEvent"), frozenset(Interaction))


@dataclass(frozen=True)
class People:
    """Ids that tests speak of, and the accesses of those who ask."""

    a: str = "0aa" + "1" * 29
    b: str = "0bb" + "2" * 29
    practitioner: str = "0cc" + "3" * 29
    nobody: str = "0aa" + "9" * 29

    def patient(self, *ids: str, **kept: Any) -> Access:
        own = ids or (self.a,)
        agent = Agent("patient", user=f"Patient/{own[0]}", client="app")
        return Access(agent, "r-1", OwnRecord(own), EVERYTHING, **kept)

    def clinician(self, **kept: Any) -> Access:
        agent = Agent("clinician", user=f"Practitioner/{self.practitioner}", client="portal")
        reach = CaredFor(self.practitioner)
        return Access(agent, "r-1", reach, EVERYTHING, **{"bound_by_release": False, **kept})

    def filing(self) -> Access:
        return Access(Agent("feed"), "r-1", WholeStore(), EVERYTHING, bound_by_release=False)

    def auditor(self) -> Access:
        return Access(Agent("auditor", user="Practitioner/x"), "r-1", NoRecord(), EVERYTHING)


class Shelf:
    """The resource and index tables of one database."""

    now = NOW

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @staticmethod
    def oid(number: int, bucket: str = "0aa") -> str:
        """Return the id number *number* of a bucket; `0aa` is A's."""
        return f"{bucket}{number:029x}"

    def put(self, tree: dict[str, Any], id_: str, patient: str = "", **kept: Any) -> str:
        """File *tree*; *kept* may be `updated`, `release_at` and `labels`."""
        updated = kept.get("updated", NOW - 1000)
        sort = sort_date(tree)
        self.connection.execute(
            insert(resource).values(
                bucket=bucket_of(id_),
                type=tree["resourceType"],
                id=id_,
                version=1,
                last_updated=updated,
                patient=patient,
                release_at=kept.get("release_at", updated),
                labels=kept.get("labels", 0),
                sort_date=sort,
                body=json.encode({**tree, "id": id_}),
            )
        )
        rows = index(tree, id_=id_, patient=patient)
        for table, lines in (
            (index_token, rows.tokens),
            (index_date, rows.dates),
            (index_string, rows.strings),
        ):
            if lines:
                self.connection.execute(insert(table), [line._asdict() for line in lines])
        return id_

    def take(self, id_: str) -> None:
        """Take everything of one resource away."""
        for table in (resource, index_token, index_date, index_string):
            self.connection.execute(
                delete(table).where(table.c.bucket == bucket_of(id_), table.c.id == id_)
            )

    def clear(self) -> None:
        for table in (resource, index_token, index_date, index_string, care_relationship):
            self.connection.execute(delete(table))

    def care(
        self, patient: str, practitioner: str, starts: int = 0, ends: int | None = None
    ) -> None:
        self.connection.execute(
            insert(care_relationship).values(
                bucket=bucket_of(patient),
                patient=patient,
                practitioner=practitioner,
                team="0aa" + "7" * 29,
                starts=starts,
                ends=ends,
            )
        )

    def rows(self, statement: Select[Any]) -> Sequence[Any]:
        return self.connection.execute(statement).all()

    def ids(self, access: Access, url: str, now: int = NOW) -> list[str]:
        """Return the ids on the first page of *url* (`Observation?code=x`), in their order."""
        query = self.query(url)
        rows = self.rows(sql.matches(query, access, now, None))
        return [row.id for row in rows[: query.wanted.count]]

    def number(self, access: Access, url: str, now: int = NOW) -> int:
        return int(self.rows(sql.count(self.query(url), access, now))[0][0])

    def included(self, access: Access, url: str, now: int = NOW) -> list[str]:
        """Return the references of what *url* includes, in alphabetical order."""
        query = self.query(url)
        rows = self.rows(sql.matches(query, access, now, None))[: query.wanted.count]
        references = referred(query.wanted, (json.decode(bytes(row.body)) for row in rows))
        return sorted(
            f"{row.type}/{row.id}"
            for statement in included(access, references, now)
            for row in self.rows(statement)
        )

    def walk(self, access: Access, url: str, now: int = NOW) -> Iterator[list[str]]:
        """Yield the ids of each page of *url*, as long as there is another."""
        query, cursor = self.query(url), None
        while True:
            rows = self.rows(sql.matches(query, access, now, cursor))
            yield [row.id for row in rows[: query.wanted.count]]
            cursor = sql.turn(query.wanted, rows, now if cursor is None else cursor.snapshot)
            if cursor is None:
                return

    @staticmethod
    def query(url: str) -> Query:
        resource_type, _, text = url.partition("?")
        return parse(resource_type, parse_qsl(text, keep_blank_values=True), BASE)


@pytest.fixture(scope="session")
def sqlite_engines(
    tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path
) -> Iterator[Engines]:
    path = tmp_path_factory.mktemp("search") / "portal.db"
    shutil.copy(_sqlite_template, path)
    engines = open_engines(f"sqlite:///{path}")
    yield engines
    engines.dispose()


@pytest.fixture(scope="session")
def postgresql_engines(
    pg_server: str, pg_admin: psycopg.Connection, _postgresql_template: str
) -> Iterator[Engines]:
    name = f"portal_search_{os.getpid()}"
    postgres.copy(pg_admin, _postgresql_template, name)
    engines = open_engines(postgres.in_database(pg_server, name))
    yield engines
    engines.dispose()
    pg_admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def connection(engine_name: str, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection to an empty database, on each engine in turn; what is written is undone."""
    engines: Engines = request.getfixturevalue(f"{engine_name}_engines")
    with engines.writer.connect() as opened, opened.begin() as transaction:
        yield opened
        transaction.rollback()


@pytest.fixture
def shelf(connection: Connection) -> Shelf:
    """An empty shelf, on each engine in turn."""
    return Shelf(connection)


@pytest.fixture(scope="session")
def people() -> People:
    return People()


@pytest.fixture(scope="session")
def now() -> int:
    """The instant that the tests of this folder happen at, in microseconds."""
    return NOW


@pytest.fixture(scope="session")
def base() -> str:
    return BASE


@pytest.fixture
def put(shelf: Shelf, people: People) -> Callable[..., str]:
    """Put Observation number so and so of A, or of *patient*, on the shelf; return its id."""

    def placed(number: int, *, patient: str = "", code: str = "psa", **told: Any) -> str:
        whose = patient or people.a
        kept = told.pop("kept", {})
        tree = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "urn:codes", "code": code}]},
            "subject": {"reference": f"Patient/{whose}"},
            **told,
        }
        return shelf.put(tree, shelf.oid(number, whose[:3]), whose, **kept)

    return placed
