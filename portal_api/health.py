"""Whether the process lives, and whether it can do its work: for probes, without content."""

from collections.abc import Awaitable, Callable

from sqlalchemy import literal, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fhir_server.access import Access, Agent, NoRecord
from fhir_server.errors import FhirError
from fhir_server.model import json
from fhir_server.record import Record, Writer
from fhir_server.rest.exchange import within_deadline

Endpoint = Callable[[Request], Awaitable[Response]]


async def alive(_request: Request) -> Response:
    """Answer while the event loop turns."""
    return _json(200, {"status": "alive"})


def ready(record: Record) -> Endpoint:
    """Return the endpoint that answers 200 when the committer commits durably, else 503."""
    access = Access(Agent("operator", user="probe"), "probe", NoRecord(), {})

    def touch(writer: Writer) -> None:
        writer.select(select(literal(1)))

    async def answer(_request: Request) -> Response:
        try:
            await run_in_threadpool(record.assert_durable)
            await within_deadline(record.submit(access, touch))
        except FhirError as error:
            return _json(503, {"status": "not ready", "reason": error.issues[0].text})
        return _json(200, {"status": "ready", "waiting": record.waiting})

    return answer


def _json(status: int, content: dict[str, object]) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(json.encode(content), status, headers, media_type="application/json")
