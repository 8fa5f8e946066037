"""Reads by id per second, each with its token looked up and its entry on the ledger, against the
same server answering fixed bytes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.intake.feeds import LOOPBACK
from adapters.intake.reception import receive
from auth import tokens
from auth.principal import Role
from auth.tokens import Holder
from fhir_server.access import Access, Agent, Interaction, WholeStore
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id
from fhir_server.record import Writer
from fhir_server.search.query import parse
from fhir_server.searching import search
from portal_api.app import FHIR, build
from portal_api.opening import opened
from portal_api.portal import Portal
from portal_api.running import settle_memory
from portal_api.settings import Address, Settings
from tests.bench.messages import nhs_numbers, oru
from tests.bench.stores import Fresh, Tasks, in_a_loop, load

CONNECTIONS = 64
SECONDS, ROUNDS = 2.0, 3
MESSAGES, RESULTS = 20, 5
WHOLE = Access(
    Agent("operator", user="os:bench"),
    "bench",
    WholeStore(),
    {"Observation": frozenset(Interaction)},
    bound_by_release=False,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Answers a second: reads of a patient's results by id, and fixed bytes."""

    reads: float
    fixed: float


def measure(fresh: Fresh) -> Reading:
    """Ask for both in turn; return the medians of the rounds after the first."""
    with _portal(fresh()) as portal:
        token, ids = _seeded(portal)
        asked = {"fixed": ["/fixed"], "reads": [f"{FHIR}/Observation/{one}" for one in ids]}
        rates: dict[str, list[float]] = {name: [] for name in asked}
        with in_a_loop(lambda tasks: _serve(portal, tasks)) as port:
            for _ in range(ROUNDS + 1):
                for name, paths in asked.items():
                    answers = load("http", port, CONNECTIONS, SECONDS, token, *paths)
                    rates[name].append(answers / SECONDS)
    return Reading(median(rates["reads"][1:]), median(rates["fixed"][1:]))


async def _serve(portal: Portal, tasks: Tasks) -> int:
    app = build(portal)
    settle_memory()
    _add_fixed(app, b"x" * 1200)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    tasks.add(asyncio.create_task(server.main_loop()))
    return int(server.servers[0].sockets[0].getsockname()[1])


def _add_fixed(app: Any, content: bytes) -> None:
    """Put a route with fixed bytes where those of the FHIR interface are."""

    async def fixed(_request: Request) -> Response:
        return Response(content, media_type="application/fhir+json")

    while hasattr(app, "_app"):
        app = app._app
    routes = app.router.routes
    place = next(i for i, one in enumerate(routes) if getattr(one, "path", "").startswith(FHIR))
    routes.insert(place, Route("/fixed", fixed))


@contextmanager
def _portal(url: str) -> Iterator[Portal]:
    with TemporaryDirectory(prefix="portal-bench-") as folder:
        nowhere = Address("127.0.0.1", 0)
        settings = Settings(url, nowhere, nowhere, "http://127.0.0.1", Path(folder))
        with opened(settings) as portal:
            yield portal


def _seeded(portal: Portal) -> tuple[str, list[str]]:
    """Return a patient's token, and the ids of their results."""
    record, (person,) = portal.record, nhs_numbers(1)
    for number in range(MESSAGES):
        receive(record, (LOOPBACK,), oru(number, RESULTS, person), "127.0.0.1").result(30)
    patient = derived_id(record.id_key, "Patient", NHS_NUMBER, person)
    holder = Holder(Role.PATIENT, "bench", person=f"Patient/{patient}", patient=patient)

    def piece(writer: Writer) -> str:
        return tokens.issue_for_operator(writer, holder, "patient/*.rs")

    token = record.submit(WHOLE, piece).result(30)
    query = parse("Observation", [("_count", "100")], "http://127.0.0.1/fhir")
    return token, [one.id for one in search(record, WHOLE, query, "").result(30).matches]
