"""`make faults`: every fault, many times over, and a table of what was lost."""

import os
import random
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.faults.program import kiln
from tests.faults.reckoning import KINDS
from tests.faults.scene import Seen
from tests.faults.stage import Stage, stage
from tests.faults.trials import Trial, trials

TRIES = 5
"""Databases on which a mutant is tried until it is caught, with few faults on each."""
FAULTS_FOR_A_MUTANT = 3
SHOWN = 20
"""Findings that are written out."""


def main() -> None:
    """Run all trials and print the table; exit with 1 where anything was lost, or not caught."""
    kills, cuts = (
        int(os.environ.get(name, most)) for name, most in (("KILLS", 1000), ("CUTS", 200))
    )
    seed = int(os.environ.get("FAULTS_SEED") or random.randrange(2**32))
    console = Console(width=118)
    console.print(f"FAULTS_SEED={seed}")
    table = Table(
        *("fault", "database", "runs", "acknowledged", "lost", "double", "out of order", "other"),
        "mutants caught",
        title="Portal FHIR under faults",
    )
    wrong: list[str] = []
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console,
    )  # fmt: skip
    with kiln() as warm, stage(warm) as place, progress:
        for trial in trials(kills, cuts):
            seen, caught = _tried(place, trial, random.Random(seed), progress)
            table.add_row(*_row(trial, seen, caught))
            wrong += [f"{trial.fault}, {trial.engine}: {one.text}" for one in seen.findings]
            if caught < len(trial.catches):
                wrong.append(f"{trial.fault}, {trial.engine}: a mutant was not caught")
    console.print(table)
    for text in wrong[:SHOWN]:
        console.print(text, markup=False)
    sys.exit(bool(wrong))


def _tried(
    place: Stage, trial: Trial, chance: random.Random, progress: Progress
) -> tuple[Seen, int]:
    task = progress.add_task(f"{trial.fault}, {trial.engine}", total=trial.runs)
    seen = Seen(0, 0, {}, ())
    while seen.runs < trial.runs:
        runs = min(trial.at_once, trial.runs - seen.runs)
        seen += trial.play(place, chance, runs, lambda: progress.advance(task), None)
    caught = 0
    for mutant, kind in trial.catches:
        progress.update(task, description=f"{trial.fault}, {trial.engine}: {mutant.__name__}")
        caught += any(
            trial.play(place, chance, FAULTS_FOR_A_MUTANT, lambda: None, mutant).number(kind)
            for _ in range(TRIES)
        )
    return seen, caught


def _row(trial: Trial, seen: Seen, caught: int) -> list[str]:
    numbers = (seen.runs, seen.acknowledged, *map(seen.number, KINDS))
    return [
        trial.fault,
        trial.engine,
        *(f"{number:,}" for number in numbers),
        f"{caught} of {len(trial.catches)}",
    ]


if __name__ == "__main__":
    main()
