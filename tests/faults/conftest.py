"""What faults are made with: dice whose seed is printed, and a stage."""

import os
import random
from collections.abc import Iterator

import pytest

from tests.faults.program import Kiln
from tests.faults.stage import Stage, stage


@pytest.fixture
def chance() -> random.Random:
    """The dice of this run. `FAULTS_SEED=…` throws them again as they fell."""
    seed = int(os.environ.get("FAULTS_SEED") or random.randrange(2**32))
    print(f"FAULTS_SEED={seed}")  # noqa: T201 - pytest shows it where a test fails
    return random.Random(seed)


@pytest.fixture(scope="session", name="stage")
def _stage(warm: Kiln) -> Iterator[Stage]:
    """Warm programs and durable databases, shared by all scenes."""
    with stage(warm) as made:
        yield made
