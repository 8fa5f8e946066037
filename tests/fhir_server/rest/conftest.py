"""The FHIR interface over a real record, asked in this process by whoever a test says."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from fhir_server.access import Access, Agent, Interaction, OwnRecord, WholeStore
from fhir_server.errors import Unauthenticated
from fhir_server.model import json
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.model.validate import SERVED_TYPES, judge
from fhir_server.record import Query, Recognise, Record, Stored, Writer
from fhir_server.rest.exchange import service
from fhir_server.rest.routes import routes
from fhir_server.store.engine import open_engines
from fhir_server.store.tables import audit_entry

BASE = "https://portal.example/fhir"
FILING = Access(Agent("feed", user="feed:test"), "seed", WholeStore(), {}, bound_by_release=False)
EVERYTHING = dict.fromkeys(SERVED_TYPES, frozenset(Interaction))


@dataclass
class Hands:
    """A clock that a test turns."""

    instant: datetime = datetime(2030, 1, 7, 9, 0, 0, 345000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@dataclass
class Api:
    """The interface, and Alan's record behind it."""

    record: Record
    clock: Hands
    alan: str
    callers: dict[str, Access] = field(default_factory=dict)
    base: str = BASE

    def ask(self, method: str, path: str, *, caller: str = "system", **sent: Any) -> httpx.Response:
        """Send a request to `/fhir/` + *path*; every body that comes back is judged."""
        headers = httpx.Headers(sent.pop("headers", {}))
        if caller and "authorization" not in headers:
            headers["Authorization"] = f"Bearer {caller}"

        async def talk() -> httpx.Response:
            transport = httpx.ASGITransport(self._app(), client=("192.0.2.7", 443))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(method, f"{BASE}{path}", headers=headers, **sent)

        response = asyncio.run(talk())
        if response.content:
            judge(response.content)
        return response

    def get(self, path: str, **sent: Any) -> httpx.Response:
        return self.ask("GET", path, **sent)

    def put(self, path: str, tree: Mapping[str, Any], **sent: Any) -> httpx.Response:
        return self.send("PUT", path, tree, **sent)

    def post(self, path: str, tree: Mapping[str, Any], **sent: Any) -> httpx.Response:
        return self.send("POST", path, tree, **sent)

    def send(self, method: str, path: str, tree: Mapping[str, Any], **sent: Any) -> httpx.Response:
        """Send *tree* as FHIR JSON."""
        headers = {"Content-Type": "application/fhir+json"} | sent.pop("headers", {})
        return self.ask(method, path, content=json.encode(tree), headers=headers, **sent)

    def file(self, tree: dict[str, Any], patient: str | None = None, **kept: Any) -> Stored:
        """File *tree* as a feed does; *kept*: `id_`, `release_at`, `labels`."""
        owner = self.alan if patient is None else patient
        id_ = kept.get("id_") or new_id(bucket_of(owner) if owner else None)

        def piece(writer: Writer) -> Stored:
            return writer.file(
                judge(tree),
                id_=id_,
                patient=owner,
                release_at=kept.get("release_at", writer.now),
                labels=kept.get("labels", 0),
            ).stored

        return self.record.submit(FILING, piece).result(timeout=10)

    def entries(self) -> list[Any]:
        """Return the rows of the ledger, oldest first."""
        return list(self.record.select(audit_entry.select().order_by(audit_entry.c.seq)))

    def observation(self, value: str = "5.10", **more: Any) -> dict[str, Any]:
        """Return a result of Alan's."""
        return {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "2857-1"}]},
            "subject": {"reference": f"Patient/{self.alan}"},
            "valueString": value,
            **more,
        }

    def _app(self) -> Starlette:
        def recognise(request: Request, _request_id: str) -> Recognise:
            def who(_: Query) -> Access:
                name = request.headers.get("authorization", "").removeprefix("Bearer ")
                if name not in self.callers:
                    raise Unauthenticated.of("Who are you?")
                return self.callers[name]

            return who

        return Starlette(routes=routes(service(self.record, recognise, BASE), "/fhir"))


@pytest.fixture
def api(sqlite_url: str) -> Iterator[Api]:
    """The interface for `system`, who may do everything, and `alan`, with his own record."""
    clock, alan = Hands(), new_id()
    record = Record(open_engines(sqlite_url), clock)
    made = Api(record, clock, alan)
    made.callers = {
        "system": Access(
            Agent("client", client="lab"), "r", WholeStore(), EVERYTHING, bound_by_release=False
        ),
        "alan": Access(
            Agent("patient", user=f"Patient/{alan}"), "r", OwnRecord((alan,)), EVERYTHING
        ),
    }
    made.file({"resourceType": "Patient", "birthDate": "1955-03-01"}, id_=alan)
    yield made
    record.close()
