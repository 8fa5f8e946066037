"""Where tests keep their files: in memory, where there is room; on the disk it takes longer.

What needs a disk that really writes makes its folders elsewhere: `tests.faults`.
"""

import os
from pathlib import Path

SHARED = Path("/dev/shm")
ENOUGH = 2 * 1024**3
"""Bytes: two servers, their write-ahead logs, and what a few hundred tests keep at a time."""


def folder() -> Path | None:
    """Return a folder in memory with room for all tests; None where there is none."""
    if not (SHARED.is_dir() and os.access(SHARED, os.R_OK | os.W_OK | os.X_OK)):
        return None
    system = os.statvfs(SHARED)
    return SHARED if system.f_bavail * system.f_frsize >= ENOUGH else None
