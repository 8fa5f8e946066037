"""The process: HTTP, MLLP and work on one event loop, begun and ended together.

A stop (SIGTERM, Ctrl-C) closes the doors first, lets what was begun be committed and answered, and
then ends; a frame that was not committed gets no answer. After a failed disk nothing is served.
"""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from adapters.intake.certificates import FileWrong, renewed
from adapters.intake.desk import at_desk
from adapters.intake.feeds import Feed
from adapters.intake.listener import Limits, Reception, hang_up, listen
from adapters.intake.tls import TlsDoor, listen_tls
from fhir_server import notary as notaries
from fhir_server.audit.publication import PublicationRefused, Published
from fhir_server.clock import micros
from fhir_server.errors import FhirError, traced
from portal_api import control, http_server, silence, tidying
from portal_api.control import Carry
from portal_api.portal import Portal
from portal_api.settings import Address

log = logging.getLogger(__name__)

GRACE = 20.0
"""Seconds that a stop waits for what was begun."""
FEEDS_READ_EVERY = 1.0
"""Seconds until a change that another process made holds here; one's own holds at once."""
CHECKPOINT_LOOKED_FOR_EVERY = 2.0
FAILURE_LOOKED_FOR_EVERY = 0.2


class NotStarted(Exception):
    """The portal can't start as it is set; the text says what to change."""


class DiskFailed(Exception):
    """The disk failed while the portal ran; it has to be started again."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What this process does; all of it by default."""

    http: bool = True
    mllp: bool = True
    work: bool = True


async def run(
    portal: Portal,
    app: ASGIApp,
    parts: Parts,
    commands: Mapping[str, Carry],
    started: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Serve until a stop is asked for. *started* runs once every door is open.

    Raises DiskFailed, with every door closed, once a write to the disk has failed.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    settle_memory()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with AsyncExitStack() as doors:
        if parts.mllp or parts.http:
            await doors.enter_async_context(_background(_reread(portal)))
        if parts.mllp:
            await doors.enter_async_context(_mllp(portal))
        await doors.enter_async_context(_background(_serve_control(portal, commands)))
        if parts.work:
            await doors.enter_async_context(_background(_work(portal)))
            await doors.enter_async_context(_background(silence.watch(portal.record)))
            await doors.enter_async_context(_background(tidying.watch(portal.record)))
        if parts.http:
            await doors.enter_async_context(_http(portal, app, stop))
        if started is not None:
            await doors.enter_async_context(_background(started()))
        await doors.enter_async_context(_background(_stop_when_failed(portal, stop)))
        await stop.wait()
    if portal.record.failed:
        raise DiskFailed(portal.record.failed)


def settle_memory() -> None:
    """Take what was loaded at the start out of the garbage collector's sight, and let it look less.

    It went through all of it again and again, for a tenth of what a read costs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


async def _stop_when_failed(portal: Portal, stop: asyncio.Event) -> None:
    while not portal.record.failed:  # noqa: ASYNC110 - the committer's thread knows no event loop
        await asyncio.sleep(FAILURE_LOOKED_FOR_EVERY)
    stop.set()


@asynccontextmanager
async def _background(coroutine: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run *coroutine* for as long as the block does, and cancel it at its end."""
    task = asyncio.create_task(coroutine)
    task.add_done_callback(_told)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _told(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("a part of the portal ended: %s", traced(error))


@asynccontextmanager
async def _http(portal: Portal, app: ASGIApp, stop: asyncio.Event) -> AsyncIterator[None]:
    address = portal.settings.http
    config = http_server.config(app, address, grace=GRACE, log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    serving.add_done_callback(lambda _: stop.set())
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has but a flag
        await asyncio.sleep(0.01)
    if serving.done():
        raise NotStarted(f"Nothing can listen on PORTAL_HTTP_ADDRESS={address}: is it in use?")
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


@asynccontextmanager
async def _mllp(portal: Portal) -> AsyncIterator[None]:
    reception = at_desk(portal.record, portal.feeds, Limits(), portal.tally)
    with _bound("PORTAL_MLLP_ADDRESS", portal.settings.mllp):
        _refuse_open_door(portal)
        server = await listen(reception, portal.settings.mllp.host, portal.settings.mllp.port)
    guarded = await _over_tls(portal, reception)
    try:
        yield
    finally:
        server.close()
        if guarded is not None:
            guarded.close()
        hang_up(portal.tally)
        await _drained(portal)


async def _over_tls(portal: Portal, reception: Reception) -> TlsDoor | None:
    tls = portal.settings.mllp_tls
    if tls is None:
        return None
    if not tls.address.is_loopback:
        _refuse_unnamed(feed for feed in portal.feeds() if feed.certificates)
    try:
        context = renewed(tls.files)
    except FileWrong as wrong:
        raise NotStarted(f"PORTAL_MLLP_TLS_{wrong.name.upper()} {wrong.why}.") from None
    with _bound("PORTAL_MLLP_TLS_ADDRESS", tls.address):
        return await listen_tls(reception, tls.address.host, tls.address.port, context)


@contextmanager
def _bound(setting: str, address: Address) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise NotStarted(f"Nothing can listen on {setting}={address}: is it in use?") from None


def _refuse_open_door(portal: Portal) -> None:
    if portal.settings.mllp.is_loopback:
        return
    feeds = portal.feeds()
    if not feeds:
        raise NotStarted(
            "PORTAL_MLLP_ADDRESS is not a loopback address, and no feed is agreed on: "
            "add one with portal-fhir feed add or feed import."
        )
    _refuse_unnamed(feeds)


def _refuse_unnamed(feeds: Iterable[Feed]) -> None:
    for feed in feeds:
        if not feed.names_its_sender():
            raise NotStarted(
                f"Off loopback the feed {feed.name} has to name sources, sending_application, "
                "sending_facility, receiving_application and receiving_facility."
            )


async def _reread(portal: Portal) -> None:
    while True:
        await asyncio.sleep(FEEDS_READ_EVERY)
        try:
            await asyncio.to_thread(portal.feeds.reread)
        except FhirError:
            log.warning("the feeds could not be read again; those known stay")


async def _drained(portal: Portal) -> None:
    """Wait until what was received is committed and answered, or the grace is over."""
    for _ in range(int(GRACE * 20)):
        if not (portal.record.waiting or portal.tally.unanswered or portal.tally.connections):
            return
        await asyncio.sleep(0.05)


async def _serve_control(portal: Portal, commands: Mapping[str, Carry]) -> None:
    server = await control.listen(portal.settings.data_dir, commands)
    async with server:
        await server.serve_forever()


async def _work(portal: Portal) -> None:
    """Publish checkpoints while the portal runs, and a last one when it stops."""
    published = await asyncio.to_thread(notaries.latest, portal.notary)
    made = 0
    while True:
        try:
            published, made = await asyncio.to_thread(_checkpoint, portal, published, made)
        except PublicationRefused as refused:
            log.critical("the ledger was changed; no checkpoint is signed: %s", refused)
        except FhirError:
            log.warning("a checkpoint could not be made; the next one covers it")
        await asyncio.sleep(CHECKPOINT_LOOKED_FOR_EVERY)


def _checkpoint(portal: Portal, published: Published, made: int) -> tuple[Published, int]:
    following = notaries.publish_if_due(portal.notary, published, made)
    if following is published:
        return published, made
    return following, micros(portal.record.clock())
