"""The power goes in the middle of a feed: what was acknowledged had been synced before."""

import random

import pytest

from tests.faults import mutants
from tests.faults.cuts import through_cuts
from tests.faults.disk import mounted
from tests.faults.stage import Stage

CUTS = 8


@pytest.mark.durable
def test_what_is_sent_through_power_cuts_is_there_once_and_in_order(
    stage: Stage, chance: random.Random
) -> None:
    folder = stage.place()
    with mounted(folder / "disk") as disk:
        portal = stage.program(stage.sqlite(disk.path), folder, data_dir=disk.path / "var")
        seen = through_cuts(portal, disk, chance, CUTS)
        assert seen.findings == ()
        assert seen.otherwise == {}
        assert seen.acknowledged > CUTS


@pytest.mark.durable
def test_a_commit_that_does_not_reach_the_disk_is_noticed(
    stage: Stage, chance: random.Random
) -> None:
    folder = stage.place()
    with mounted(folder / "disk") as disk:
        url = stage.sqlite(disk.path)
        portal = stage.program(url, folder, mutants.sync_now_and_then, disk.path / "var")
        seen = through_cuts(portal, disk, chance, 3)
        assert seen.number("lost") > 0
