"""The network fails in the middle of a feed: what was answered is there, the rest comes again."""

import random

import pytest

from tests.faults import mutants
from tests.faults.stage import Stage
from tests.faults.trials import line_cut, server_cut

CUTS = 4


def nothing() -> None:
    """Tell nobody of a fault."""


@pytest.mark.durable
def test_a_line_that_stalls_and_breaks_costs_no_message(
    stage: Stage, chance: random.Random
) -> None:
    seen = line_cut(stage, chance, CUTS, nothing, None)
    assert seen.findings == ()
    assert seen.otherwise == {}


@pytest.mark.durable
def test_a_message_taken_for_a_new_one_is_noticed(stage: Stage, chance: random.Random) -> None:
    seen = line_cut(stage, chance, CUTS, nothing, mutants.forget_what_came)
    assert seen.number("double") > 0


@pytest.mark.durable
def test_a_line_to_the_server_that_stalls_and_breaks_costs_no_message(
    stage: Stage, chance: random.Random
) -> None:
    seen = server_cut(stage, chance, CUTS, nothing, None)
    assert seen.findings == ()
    assert set(seen.otherwise) <= {"AR 207"}


@pytest.mark.durable
def test_an_answer_of_success_without_a_server_is_noticed(
    stage: Stage, chance: random.Random
) -> None:
    seen = server_cut(stage, chance, CUTS, nothing, mutants.acknowledge_what_was_not_kept)
    assert seen.number("lost") > 0
