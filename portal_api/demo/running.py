"""The demonstration as it runs: one process with everything in it, to which hospitals then send.

The portal is the real one. What is played to it comes over its own sockets, from threads beside
the event loop.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import uvloop

from fhir_server.errors import Invalid, NotFound
from portal_api import running
from portal_api.app import build
from portal_api.commands import commands
from portal_api.control import Carry
from portal_api.demo import activity, seeding
from portal_api.demo.cast import Cast
from portal_api.demo.crowd import next_order
from portal_api.demo.hospital_link import Answered, send_all, send_clinic, send_one
from portal_api.demo.orders import Order
from portal_api.portal import Portal

Tree = dict[str, Any]
_LIVE_EVERY = 4.0
"""Seconds between two messages of the live feed."""
_SEED = 7


@dataclass(frozen=True, slots=True)
class Told:
    """Whom the demonstration tells how far it is: *begun* with the number of messages to come."""

    begun: Callable[[int], None]
    sent: Callable[[], None]
    ready: Callable[[], None]
    live: Callable[[Answered], None] = lambda _: None


@dataclass(slots=True)
class Stage:
    """How far each story has been told; one at a time moves it on."""

    cast: Cast
    steps: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the portal stops: no more messages then."""


def run(portal: Portal, stage: Stage, then: Callable[[Portal, Stage], None], told: Told) -> None:
    """Run *portal*, set everything up in it, call *then* in a thread, and go on until stopped.

    What goes wrong in setting up or in *then* ends the portal, and is raised here.
    """
    failed: list[BaseException] = []

    async def play() -> None:
        try:
            await asyncio.to_thread(set_up, portal, stage.cast, told)
            await asyncio.to_thread(then, portal, stage)
        # The portal has to be stopped whatever went wrong, and the error told by whoever ran it.
        except Exception as error:  # noqa: BLE001
            failed.append(error)
            signal.raise_signal(signal.SIGTERM)
        finally:
            stage.over.set()

    known = {**commands(portal), **_commands(portal, stage)}
    work = running.run(portal, build(portal), running.Parts(), known, play)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
    if failed:
        raise failed[0]


def seed(portal: Portal) -> None:
    """Tell the portal, before its doors open, of hospitals, staff and the developers' app."""
    seeding.before(portal.record, portal.demo_accounts)


def set_up(portal: Portal, cast: Cast, told: Told) -> None:
    """Send all history, put patients into care, and let people do what they did."""
    history, recent = cast.history, cast.recent
    told.begun(len(history) + len(recent) + len(cast.clinic))
    mllp = portal.settings.mllp
    send_all(mllp, history, told.sent)
    seeding.after(portal.record, cast, portal.demo_accounts)
    send_all(mllp, recent, told.sent)
    send_clinic(mllp, cast.clinic, told.sent)
    activity.people_were_here(portal.settings.public_url, portal.record, cast)
    told.ready()


def live_feed(portal: Portal, stage: Stage, told: Told) -> None:
    """Send a message about a generated patient every few seconds, until all is over."""
    random = Random(_SEED)  # noqa: S311 - plausible values, nothing secret
    place = 0
    while not stage.over.wait(_LIVE_EVERY):
        place += 1
        patient = random.choice(stage.cast.crowd)
        order = next_order(random, patient, place, portal.record.clock())
        told.live(send_one(portal.settings.mllp, order))


def step(portal: Portal, stage: Stage, name: str) -> Answered:
    """Send the next message of the story *name*.

    Raises NotFound where there is no such story, Invalid where it has been told to its end.
    """
    story = stage.cast.story(name)
    telling = [one.name for one in stage.cast.stories if one.steps]
    if story is None or not story.steps:
        raise NotFound.of(f"Nothing is still to come of {name!r}; try {', '.join(telling)}.")
    with stage.lock:
        place = stage.steps.get(name, 0)
        if place == len(story.steps):
            raise Invalid.of(f"The story of {name} has been told to its end.")
        answered = send_one(portal.settings.mllp, story.steps[place](portal.record.clock()))
        stage.steps[name] = place + 1
    return answered


def _commands(portal: Portal, stage: Stage) -> Mapping[str, Carry]:
    async def carry(request: Tree, _user: str) -> Tree:
        answered = await asyncio.to_thread(step, portal, stage, str(request["name"]))
        return {"sent": described(answered.order), "answer": answered.code}

    return {"demo-step": carry}


def described(order: Order) -> str:
    """Return in words what a message reports, for whoever watches the demonstration."""
    status = {"P": "preliminary", "F": "final", "C": "corrected"}[order.status]
    values = ", ".join(f"{one.assay.name} {one.value} {one.assay.unit}" for one in order.results)
    person = order.person
    return f"{person.given} {person.family}: {values or order.profile.name}, {status}"
