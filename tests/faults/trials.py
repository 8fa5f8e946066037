"""Every fault with the database it strikes, how often, and the mutants that it has to catch."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults import mutants
from tests.faults.cuts import through_cuts, through_cuts_of_a_server
from tests.faults.databases import through_restarts, through_silences
from tests.faults.disk import mounted
from tests.faults.failures import through_failures
from tests.faults.fullness import through_full_disks
from tests.faults.kills import through_kills
from tests.faults.networks import (
    through_a_cut_server,
    through_a_dark_server,
    through_cut_lines,
)
from tests.faults.program import Program
from tests.faults.reckoning import Kind
from tests.faults.scene import Seen
from tests.faults.stage import Stage, on_disk

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
    no_error = mutants.take_no_error_for_an_answer
    rarely = mutants.sync_now_and_then
    again = mutants.forget_what_came
    half = kills // 2
    sqlite, postgresql = partial(killed, "sqlite"), partial(killed, "postgresql")
    return (
        Trial("kill -9", "SQLite", half, 50, sqlite, ((too_soon, "lost"),)),
        Trial("kill -9", "PostgreSQL", kills - half, 50, postgresql, ((too_soon, "lost"),)),
        Trial("power cut", "SQLite", cuts, 20, cut, ((rarely, "lost"),)),
        Trial("power cut", "PostgreSQL", few, 10, server_lost_power, ((rarely, "lost"),)),
        Trial("sync fails", "SQLite", few, 5, sync_failed, ((no_error, "lost"),)),
        Trial("disk full", "SQLite", few, 5, filled, ((success, "lost"),)),
        Trial("disk full", "PostgreSQL", few, 5, server_filled, ((success, "lost"),)),
        Trial("server stopped", "PostgreSQL", few, 10, restarted, ((success, "lost"),)),
        Trial("server silent", "PostgreSQL", few, 5, silenced, ((success, "lost"),)),
        Trial("line cut", "SQLite", cuts, 50, line_cut, ((again, "double"),)),
        Trial("line to server cut", "PostgreSQL", cuts, 50, server_cut, ((success, "lost"),)),
        Trial("line to server dark", "PostgreSQL", few, 5, server_dark, ((success, "lost"),)),
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


def server_lost_power(
    stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Cut the power of PostgreSQL, and of the portal with it."""
    folder = stage.place()
    with mounted(folder / "disk") as disk, on_disk(stage, disk) as cluster:
        portal = stage.program(cluster.url, folder, mutant)
        return through_cuts_of_a_server(portal, (cluster, disk), chance, runs, told)


def server_filled(
    stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Let PostgreSQL's disk be full for a moment, under a portal that goes on."""
    folder = stage.place()
    with mounted(folder / "disk") as disk, on_disk(stage, disk) as cluster:
        portal = stage.program(cluster.url, folder, mutant)
        return through_full_disks(portal, disk, chance, runs, told, cluster.revive)


def sync_failed(
    stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Let the disk fail to sync, and cut the power after the next start."""
    folder = stage.place()
    with mounted(folder / "disk") as disk:
        url = stage.sqlite(disk.path)
        portal = stage.program(url, folder, mutant, data_dir=disk.path / "var")
        deaf = mutant is not None
        return through_failures(portal, disk, chance, runs, told, is_deaf=deaf)


def filled(
    stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Let the disk be full for a moment, under a portal that goes on."""
    folder = stage.place()
    with mounted(folder / "disk") as disk:
        url = stage.sqlite(disk.path)
        portal = stage.program(url, folder, mutant, data_dir=disk.path / "var")
        return through_full_disks(portal, disk, chance, runs, told)


def restarted(
    stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Stop the server at once and start it again, under a portal that goes on."""
    folder = stage.place()
    portal = stage.program(stage.postgresql(), folder, mutant)
    return through_restarts(portal, stage.cluster, chance, runs, told)


def silenced(
    stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Let the server stand still for a while, under a portal that goes on."""
    folder = stage.place()
    portal = stage.program(stage.postgresql(), folder, mutant)
    return through_silences(portal, stage.cluster, chance, runs, told)


def line_cut(
    stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Stall, cut and swallow what goes between the hospital and the portal."""
    folder = stage.place()
    portal = stage.program(stage.sqlite(folder), folder, mutant)
    return through_cut_lines(portal, chance, runs, told)


def server_cut(
    stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Stall, cut and swallow what goes between the portal and PostgreSQL."""
    portal, ends = _behind_a_line(stage, mutant)
    return through_a_cut_server(portal, ends, chance, runs, told)


def server_dark(
    stage: Stage, chance: random.Random, runs: int, told: Told, mutant: Mutant | None
) -> Seen:
    """Lose without a word what goes between the portal and PostgreSQL."""
    portal, ends = _behind_a_line(stage, mutant)
    return through_a_dark_server(portal, ends, chance, runs, told)


def _behind_a_line(stage: Stage, mutant: Mutant | None) -> tuple[Program, tuple[Path, Path]]:
    """Return a portal that reaches its server by a socket of its own, and both sockets."""
    folder = stage.place()
    url, _, sockets = stage.postgresql().partition("?host=")
    portal = stage.program(f"{url}?host={folder}", folder, mutant)
    return portal, (Path(sockets) / _SOCKET, folder / _SOCKET)


_SOCKET = ".s.PGSQL.5432"
