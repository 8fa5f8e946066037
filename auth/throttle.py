"""How often one caller may try, within one process."""

import math
import threading
import time
from collections import OrderedDict

REMEMBERED = 10_000
"""The most callers that are remembered; the one that was quiet longest is forgotten first."""

_ROUNDING = 1e-6


class Throttle:
    """*limit* attempts at once, and after that as many as fit evenly into each *seconds*.

    Keeps one number a caller: the moment until which its attempts, evenly spaced, would last
    (the generic cell rate algorithm, ITU-T I.371).
    """

    def __init__(self, *, limit: int, seconds: int) -> None:
        self._spacing, self._seconds = seconds / limit, seconds
        self._until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, caller: str) -> int:
        """Count an attempt of *caller*; return 0, or the whole seconds before the next may come."""
        now = time.monotonic()
        with self._lock:
            until = max(self._until.get(caller, now), now) + self._spacing
            excess = until - now - self._seconds
            if excess > _ROUNDING:
                return math.ceil(excess)
            self._until[caller] = until
            self._until.move_to_end(caller)
            while len(self._until) > REMEMBERED:
                self._until.popitem(last=False)
        return 0
