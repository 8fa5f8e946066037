"""Rounds: what is asked in one turn of the loop goes together, and everybody is answered."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from fhir_server import looks
from fhir_server.access import Access, Agent, NoRecord
from fhir_server.errors import NotFound, Unavailable
from fhir_server.looks import Asking
from fhir_server.model.ids import new_id
from fhir_server.rest.rounds import Rounds

ACCESS = Access(Agent("client"), "r", NoRecord(), {})


def asking() -> Asking:
    return looks.by(ACCESS, looks.at("Observation", new_id()))


def test_what_is_asked_in_one_turn_is_one_round_with_each_answer_for_who_asked() -> None:
    handed: list[Sequence[Asking]] = []

    def ask_all(askings: Sequence[Asking]) -> "Future[list[Any]]":
        handed.append(askings)
        future: Future[list[Any]] = Future()
        refusal = NotFound.of("There is no such resource.")
        future.set_result([one.look if n else refusal for n, one in enumerate(askings)])
        return future

    async def talk() -> tuple[list[Asking], list[Any], Any]:
        rounds = Rounds(ask_all)
        asked = [asking() for _ in range(3)]
        answers = await asyncio.gather(*map(rounds.ask, asked), return_exceptions=True)
        later = asking()
        with pytest.raises(NotFound):
            await rounds.ask(later)
        return asked, answers, later

    asked, answers, later = asyncio.run(talk())
    assert [list(one) for one in handed] == [asked, [later]]
    assert isinstance(answers[0], NotFound)
    assert answers[1:] == [one.look for one in asked[1:]]


@pytest.mark.parametrize("error", [Unavailable.of("Too much is waiting."), KeyError("a fault")])
@pytest.mark.parametrize("later", [False, True])
def test_what_goes_wrong_with_a_round_is_everybodys_answer(error: Exception, later: bool) -> None:
    def ask_all(_: Sequence[Asking]) -> "Future[list[Any]]":
        if not later:
            raise error
        future: Future[list[Any]] = Future()
        future.set_exception(error)
        return future

    async def talk() -> list[Any]:
        rounds = Rounds(ask_all)
        asked = [rounds.ask(asking()) for _ in range(2)]
        return await asyncio.gather(*asked, return_exceptions=True)

    assert asyncio.run(talk()) == [error, error]


def test_who_gave_up_costs_nobody_else_an_answer() -> None:
    waiting: Future[list[Any]] = Future()

    async def talk() -> list[Any]:
        rounds = Rounds(lambda _: waiting)
        asked = [rounds.ask(asking()) for _ in range(2)]
        await asyncio.sleep(0)
        asked[0].cancel()
        waiting.set_result(["one", "two"])
        return await asyncio.gather(*asked, return_exceptions=True)

    gone, answer = asyncio.run(talk())
    assert isinstance(gone, asyncio.CancelledError)
    assert answer == "two"


def test_a_round_of_a_loop_that_was_closed_holds_up_no_other() -> None:
    def ask_all(askings: Sequence[Asking]) -> "Future[list[Any]]":
        future: Future[list[Any]] = Future()
        future.set_result(["answered"] * len(askings))
        return future

    rounds = Rounds(ask_all)

    async def leave() -> None:
        rounds.ask(asking())

    async def stay() -> Any:
        return await rounds.ask(asking())

    loop = asyncio.new_event_loop()
    left = loop.create_task(leave())
    left.add_done_callback(lambda _: loop.stop())
    loop.run_forever()
    loop.close()
    assert asyncio.run(stay()) == "answered"
