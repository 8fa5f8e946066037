"""Trials played side by side, on a stage of its own for each core; a broken one stops no other."""

import random
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Queue

from tests.faults.program import Kiln, kiln
from tests.faults.scene import Seen
from tests.faults.stage import Stage, stage
from tests.faults.trials import Trial

TRIES = 5
"""Databases on which a mutant is tried until it is caught, with few faults on each."""
FAULTS_FOR_A_MUTANT = 3

Job = Callable[[Stage], None]


@dataclass(slots=True)
class Played:
    """What came of one trial so far: of the sound portal, of its mutants, and of the test itself.

    *broken* says what else went wrong: a portal that did not start, a wait that had no end.
    """

    trial: Trial
    left: int = 0
    seen: Seen = field(default_factory=lambda: Seen(0, 0, {}, ()))
    caught: int = 0
    broken: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Crew:
    """The trials, what is to be played of them, and who is told."""

    played: Sequence[Played]
    seed: int
    told: Callable[[Played], None]
    """Hears of each fault."""
    finished: Callable[[Played], None]
    """Hears of each trial that is done."""
    _jobs: "Queue[tuple[Played, Job]]" = field(default_factory=Queue)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _schema: threading.Lock = field(default_factory=threading.Lock)

    def play(self, hands: int) -> None:
        """Play all, so many at a time."""
        for one in self.played:
            for job in _jobs(one, self.seed, self.told, self._lock):
                one.left += 1
                self._jobs.put((one, job))
        with kiln() as warm:
            threads = [threading.Thread(target=self._work, args=(warm,)) for _ in range(hands)]
            for thread in threads:
                thread.start()
            try:
                for thread in threads:
                    thread.join()
            except KeyboardInterrupt:
                self._jobs = Queue()  # what was begun is ended properly
                for thread in threads:
                    thread.join()
                raise

    def _work(self, warm: Kiln) -> None:
        with stage(warm, self._schema) as place, suppress(Empty):
            while True:
                played, job = self._jobs.get_nowait()
                try:
                    job(place)
                # Whatever is wrong with one is told at the end; the others go on.
                except Exception as error:  # noqa: BLE001
                    where = traceback.extract_tb(error.__traceback__)[-1]
                    text = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
                    with self._lock:
                        played.broken.append(text)
                with self._lock:
                    played.left -= 1
                    if not played.left:
                        self.finished(played)


def _jobs(
    played: Played, seed: int, told: Callable[[Played], None], lock: threading.Lock
) -> Iterator[Job]:
    trial = played.trial
    dice = (random.Random(f"{seed} {trial.fault} {trial.engine} {n}") for n in range(1 << 20))
    for first in range(0, trial.runs, trial.at_once):
        yield _sound(played, min(trial.at_once, trial.runs - first), next(dice), (told, lock))
    for place in range(len(trial.catches)):
        yield _broken(played, place, next(dice), lock)


def _sound(
    played: Played,
    runs: int,
    chance: random.Random,
    telling: tuple[Callable[[Played], None], threading.Lock],
) -> Job:
    told, lock = telling

    def job(stage: Stage) -> None:
        seen = played.trial.play(stage, chance, runs, lambda: told(played), None)
        with lock:
            played.seen += seen

    return job


def _broken(played: Played, place: int, chance: random.Random, lock: threading.Lock) -> Job:
    mutant, kind = played.trial.catches[place]

    def job(stage: Stage) -> None:
        caught = any(
            played.trial.play(stage, chance, FAULTS_FOR_A_MUTANT, lambda: None, mutant).number(kind)
            for _ in range(TRIES)
        )
        with lock:
            played.caught += caught

    return job
