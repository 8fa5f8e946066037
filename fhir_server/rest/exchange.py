"""One request, one answer: who asks, what is asked, the ledger, then the answer.

An interaction first says what it asks (`Ask`), having read the request; what goes wrong up to
there is noted on the ledger here. What goes wrong afterwards was noted by `Record`.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fhir_server.access import UNKNOWN, Access, Agent, NoRecord
from fhir_server.errors import FhirError, Invalid, Unauthenticated, Unavailable, traced
from fhir_server.looks import Asking, Look, by
from fhir_server.record import Asked, Recognise, Record
from fhir_server.rest.formats import FHIR_JSON, answer_type
from fhir_server.rest.headers import header, headers, network
from fhir_server.rest.outcome import refusal
from fhir_server.rest.rounds import BUSY, DEADLINE, Rounds

log = logging.getLogger(__name__)

RecogniseBy = Callable[[Request, str], Recognise]
"""Request and request id to the looking up of who asks."""

_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_ONCE = (b"authorization", b"content-type", b"content-encoding", b"if-match", b"if-none-exist")


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the record, and how its answer becomes a response."""

    call: Callable[[], "Future[Any]"]
    render: Callable[[Any], Response]


@dataclass(frozen=True, slots=True)
class Service:
    """What the FHIR interface needs: the record, who is asking, and its own address."""

    record: Record
    recognise: RecogniseBy
    base: str
    """Absolute address of the FHIR interface, without a slash at its end; never from a header."""
    rounds: Rounds


def service(record: Record, recognise: RecogniseBy, base: str) -> Service:
    """Return the service of *record* at *base*."""
    return Service(record, recognise, base, Rounds(record.ask_all))


class Plan(NamedTuple):
    """A short look, which the address tells all of, and how its answer becomes a response."""

    look: Look
    render: Callable[[Any], Response]


Interact = Callable[[Service, Request, Access], Awaitable[Ask]]
Planned = Callable[[Request], Plan]
Answer = Callable[[Request], Awaitable[Response]]


def endpoint(service: Service, subtype: str, interact: Interact) -> Answer:
    """Return the endpoint that carries out *interact* and leaves its entries on the ledger."""

    async def answer(request: Request, stranger: Access) -> Response:
        return await _answer(service, request, stranger, subtype, interact)

    return _rim(answer)


def reading_endpoint(service: Service, subtype: str, plan: Planned) -> Answer:
    """Return the endpoint that takes a short look: who asks is recognised with it, in one go."""
    rounds = service.rounds

    async def interact(service: Service, request: Request, access: Access) -> Ask:
        planned = plan(request)
        return Ask(partial(service.record.ask, by(access, planned.look)), planned.render)

    async def answer(request: Request, stranger: Access) -> Response:
        try:
            refuse_repeated_headers(request)
            content_type, planned = answer_type(request), plan(request)
        # Who asks comes first: a stranger is not told what else is wrong.
        except Exception:  # noqa: BLE001 - it comes again on the longer way, and is noted there
            return await _answer(service, request, stranger, subtype, interact)
        who = service.recognise(request, stranger.request_id)
        found = await rounds.ask(Asking(who, stranger, planned.look))
        return _in_type(planned.render(found), content_type)

    return _rim(answer)


def _rim(answer: Callable[[Request, Access], Awaitable[Response]]) -> Answer:
    """Return *answer* with whatever goes wrong turned into FHIR, and the request's id on it."""

    async def answered(request: Request) -> Response:
        request_id = request_id_of(request)
        stranger = Access(_unknown(network(request)), request_id, NoRecord(), {})
        try:
            response = await answer(request, stranger)
        except FhirError as error:
            response = refusal(error)
        # The rim: whatever is wrong in here, the caller gets FHIR, and learns nothing of it.
        except Exception as error:  # noqa: BLE001
            log.error("request %s failed: %s", request_id, traced(error))  # noqa: TRY400
            response = refusal(FhirError.of("Something is wrong in this server."))
        response.raw_headers.append((b"x-request-id", request_id.encode("latin-1")))
        return response

    return answered


@lru_cache(maxsize=1024)
def _unknown(network: str) -> Agent:
    return Agent(UNKNOWN, network=network)


def request_id_of(request: Request) -> str:
    """Return an id of our own; the caller's, if it has a safe form, is kept behind it."""
    own, theirs = secrets.token_hex(8), header(request.scope, b"x-request-id")
    return f"{own}.{theirs}" if theirs and _CLIENT_ID.fullmatch(theirs) else own


async def _answer(
    service: Service, request: Request, access: Access, subtype: str, interact: Interact
) -> Response:
    try:
        refuse_repeated_headers(request)
        who = service.recognise(request, access.request_id)
        access = await run_in_threadpool(who, service.record.select)
        content_type = answer_type(request)
        ask = await interact(service, request, access)
        future = await run_in_threadpool(ask.call)
    except Unavailable:
        raise
    except Exception as error:
        await noted(service.record, access, subtype, request, error)
        raise
    return _in_type(ask.render(await within_deadline(future)), content_type)


def _in_type(response: Response, content_type: str) -> Response:
    if content_type != FHIR_JSON and response.body:
        response.headers["Content-Type"] = content_type
    return response


async def noted(
    record: Record, access: Access, subtype: str, request: Request, error: Exception
) -> None:
    """Leave the refusal on the ledger before it is given out; Unavailable where that fails."""
    asked = Asked(subtype)
    # What a stranger names is not kept: it could be anything.
    if access.agent.is_known:
        query = query_of(request) if subtype.startswith("search") else ""
        asked = Asked(subtype, _entity(request), query)
    await within_deadline(record.refuse(access, asked, error))


def query_of(request: Request) -> str:
    """Return all parameters of a search as they were sent: those of the address, then the form's.

    The form counts once it was read and put into the request's state by `keep_form`.
    """
    address = request.scope["query_string"].decode("latin-1")
    return "&".join(filter(None, (address, getattr(request.state, "form", ""))))


def keep_form(request: Request, form: str) -> None:
    """Keep *form*, the parameters in the body of a search, for `query_of` and so for the ledger."""
    request.state.form = form


async def within_deadline(future: "Future[Any]") -> Any:
    """Await the committer's answer; Unavailable past the deadline, the piece being dropped."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()
    deadline = loop.call_later(DEADLINE, _expire, answer)
    future.add_done_callback(partial(_pass_on, loop, answer))
    try:
        return await answer
    finally:
        deadline.cancel()
        future.cancel()


def _pass_on(
    loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[Any]", done: "Future[Any]"
) -> None:
    # Nobody waits any more where the loop was closed.
    if not loop.is_closed():
        loop.call_soon_threadsafe(_tell, answer, done)


def _tell(answer: "asyncio.Future[Any]", done: "Future[Any]") -> None:
    if answer.done():
        return
    if done.cancelled():
        answer.cancel()
    elif (error := done.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(done.result())


def _expire(answer: "asyncio.Future[Any]") -> None:
    if not answer.done():
        answer.set_exception(Unavailable.of(BUSY))


def refuse_repeated_headers(request: Request) -> None:
    """Raise Invalid where two readers of the request could each see another one. RFC 9110 5.3."""
    names = [name for name, _ in request.scope["headers"]]
    if len(set(names)) == len(names):
        return
    for name in _ONCE:
        if len(headers(request.scope, name)) > 1:
            kind = Unauthenticated if name == b"authorization" else Invalid
            raise kind.of(f"The header {name.decode()} is sent twice.")


def _entity(request: Request) -> str:
    given = request.path_params
    names = ("rest", "type") if "patient" in given else ("rest", "type", "id")
    parts = [given[name] for name in names if name in given]
    version = ["_history", given["version"]] if "version" in given else []
    return "/".join((*parts, *version))[:200]
