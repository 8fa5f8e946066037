"""`kill -9` in the middle of a feed: what was acknowledged is there once, nothing is half filed."""

import random

import pytest

from tests.faults import mutants
from tests.faults.kills import through_kills
from tests.faults.stage import Stage

KILLS = 5


@pytest.mark.durable
def test_what_is_sent_through_kills_is_there_once_and_in_order(
    stage: Stage, engine_name: str, chance: random.Random
) -> None:
    folder = stage.place()
    portal = stage.program(stage.database(engine_name, folder), folder)
    seen = through_kills(portal, chance, KILLS)
    assert seen.findings == ()
    assert seen.otherwise == {}
    assert seen.acknowledged > KILLS


@pytest.mark.durable
def test_an_answer_before_the_commit_is_noticed(stage: Stage, chance: random.Random) -> None:
    folder = stage.place()
    portal = stage.program(stage.sqlite(folder), folder, mutants.acknowledge_too_soon)
    seen = through_kills(portal, chance, 1)
    assert seen.number("lost") > 0
