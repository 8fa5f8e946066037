"""`make faults`: every fault, many times over, and a table of what was lost."""

import os
import random
import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from tests.faults.crew import Crew, Played
from tests.faults.reckoning import KINDS
from tests.faults.trials import trials

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
    played = [Played(trial) for trial in trials(kills, cuts)]
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console,
    )  # fmt: skip
    bars = {id(one): progress.add_task(_name(one), total=one.trial.runs) for one in played}
    with progress:
        crew = Crew(
            played,
            seed,
            told=lambda one: progress.advance(bars[id(one)]),
            finished=lambda one: _ended(progress, bars[id(one)], one),
        )
        crew.play(hands=os.cpu_count() or 1)
    table = Table(
        *("fault", "database", "runs", "acknowledged", "lost", "double", "out of order", "other"),
        "mutants caught",
        title="Portal FHIR under faults",
    )
    for one in played:
        table.add_row(*_row(one))
    console.print(table)
    wrong = [text for one in played for text in _wrong(one)]
    for text in wrong[:SHOWN]:
        console.print(text, markup=False)
    sys.exit(bool(wrong))


def _ended(progress: Progress, bar: TaskID, one: Played) -> None:
    """Say so in a line, for whoever has no terminal to see the bars in."""
    progress.stop_task(bar)
    lost, double = one.seen.number("lost"), one.seen.number("double")
    said = f"{one.seen.runs:,} times, {one.seen.acknowledged:,} acknowledged, {lost} lost"
    verdict = "wrong" if list(_wrong(one)) else "well"
    progress.console.print(f"{_name(one)}: {said}, {double} double: {verdict}", markup=False)


def _name(one: Played) -> str:
    return f"{one.trial.fault}, {one.trial.engine}"


def _wrong(one: Played) -> list[str]:
    """Return what is wrong with the trial, in words; nothing where all is well."""
    found = [f"{_name(one)}: {finding.text}" for finding in one.seen.findings]
    found += [f"{_name(one)}: {text}" for text in one.broken]
    if one.seen.runs < one.trial.runs:
        found.append(f"{_name(one)}: struck {one.seen.runs} of {one.trial.runs} times")
    if one.caught < len(one.trial.catches):
        found.append(f"{_name(one)}: a mutant was not caught")
    return found


def _row(one: Played) -> list[str]:
    seen = one.seen
    numbers = (seen.runs, seen.acknowledged, *map(seen.number, KINDS))
    return [
        one.trial.fault,
        one.trial.engine,
        *(f"{number:,}" for number in numbers),
        f"{one.caught} of {len(one.trial.catches)}",
    ]


if __name__ == "__main__":
    main()
