"""Every fault with the database it strikes, how often, and the mutants that it has to catch."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.faults import mutants
from tests.faults.cuts import through_cuts
from tests.faults.databases import through_restarts
from tests.faults.disk import mounted
from tests.faults.kills import through_kills
from tests.faults.reckoning import Kind
from tests.faults.scene import Seen
from tests.faults.stage import Stage

Mutant = Callable[[], None]
Told = Callable[[], None]
Play = Callable[[Stage, random.Random, int, Told, Mutant | None], Seen]
"""So many faults on one fresh database; told of each; on a portal that is sound, or broken so."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault: how often it strikes in all and on each database, and what it has to catch."""

    fault: str
    engine: str
    runs: int
    at_once: int
    play: Play
    catches: tuple[tuple[Mutant, Kind], ...]


def trials(kills: int, cuts: int) -> tuple[Trial, ...]:
    """Return all trials, of a long run with so many kills and power cuts in all."""
    too_soon, success = mutants.acknowledge_too_soon, mutants.acknowledge_what_was_not_kept
    few = max(cuts // 10, 2)
    return (
        Trial(
            "kill -9", "SQLite", kills // 2, 50, partial(killed, "sqlite"), ((too_soon, "lost"),)
        ),
        Trial(
            "kill -9",
            "PostgreSQL",
            kills - kills // 2,
            50,
            partial(killed, "postgresql"),
            ((too_soon, "lost"),),
        ),
        Trial("power cut", "SQLite", cuts, 20, cut, ((mutants.sync_now_and_then, "lost"),)),
        Trial("server stopped", "PostgreSQL", few, 10, restarted, ((success, "lost"),)),
    )


def killed(
    engine: str, stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Kill the portal."""
    folder = stage.place()
    portal = stage.program(stage.database(engine, folder), folder, mutant)
    return through_kills(portal, chance, runs, told)


def cut(stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None) -> Seen:
    """Cut the power of the portal, its embedded database and its folder."""
    folder = stage.place()
    with mounted(folder / "disk") as disk:
        url = stage.sqlite(disk.path)
        portal = stage.program(url, folder, mutant, data_dir=disk.path / "var")
        return through_cuts(portal, disk, chance, runs, told)


def restarted(
    stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Stop the server at once and start it again, under a portal that goes on."""
    folder = stage.place()
    portal = stage.program(stage.postgresql(), folder, mutant)
    return through_restarts(portal, stage.cluster, chance, runs, told)
