"""Names that were tried and that nobody has: how often each, within one process."""

import threading
from collections import OrderedDict

from auth.credentials import digest

REMEMBERED = 10_000
"""The most names that are remembered; the one that was not tried for longest is forgotten first."""


class Strangers:
    """Counts failures by a hash of the name, which may be a password that was typed too early."""

    def __init__(self) -> None:
        self._tried: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def failures(self, name: str) -> tuple[int, int]:
        """Return how often *name* was tried, and when last (microseconds since 1970)."""
        with self._lock:
            return self._tried.get(digest(name), (0, 0))

    def failed(self, name: str, now: int) -> None:
        """Count one more failure of *name*."""
        key = digest(name)
        with self._lock:
            count, _ = self._tried.pop(key, (0, 0))
            self._tried[key] = (count + 1, now)
            while len(self._tried) > REMEMBERED:
                self._tried.popitem(last=False)
