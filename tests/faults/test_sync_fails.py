"""A sync fails in the middle of a feed: the portal ends, and nothing that it said is untrue."""

import random

import pytest

from tests.faults import mutants
from tests.faults.stage import Stage
from tests.faults.trials import sync_failed


def nothing() -> None:
    """Tell nobody of a fault."""


@pytest.mark.durable
def test_a_failed_sync_ends_the_portal_and_costs_no_message(
    stage: Stage, chance: random.Random
) -> None:
    seen = sync_failed(stage, chance, 2, nothing, None)
    assert seen.findings == ()
    assert set(seen.otherwise) <= {"AR 207"}


@pytest.mark.durable
def test_a_failed_sync_taken_for_success_is_noticed(stage: Stage, chance: random.Random) -> None:
    seen = sync_failed(stage, chance, 1, nothing, mutants.take_no_error_for_an_answer)
    assert seen.number("lost") > 0
