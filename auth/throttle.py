"""How often one caller may try, within one process."""

import threading
import time
from collections import OrderedDict, deque

REMEMBERED = 10_000
"""The most callers that are remembered; the one that was quiet longest is forgotten first."""


class Throttle:
    """At most *limit* attempts of a caller within any *seconds*."""

    def __init__(self, *, limit: int, seconds: int) -> None:
        self._limit, self._seconds = limit, seconds
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, caller: str) -> int:
        """Count an attempt of *caller*; return 0, or the whole seconds before the next may come."""
        now = time.monotonic()
        with self._lock:
            attempts = self._attempts.setdefault(caller, deque())
            self._attempts.move_to_end(caller)
            while attempts and attempts[0] <= now - self._seconds:
                attempts.popleft()
            if len(attempts) >= self._limit:
                return int(attempts[0] + self._seconds - now) + 1
            attempts.append(now)
            while len(self._attempts) > REMEMBERED:
                self._attempts.popitem(last=False)
        return 0
