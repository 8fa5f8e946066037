"""A folder into which a site drops files: which of them are complete, and where each goes.

A complete file is moved to `working/`, handed in, its answers written to `done/` or `failed/` as
`<name>.ack`, and then moved there, too. A crash leaves it in `working/`, from where it is handed in
again; as the same messages get the same answers, nothing is lost and nothing is there twice.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

WORKING, DONE, FAILED = "working", "done", "failed"
_LOCK = ".watched"
_TEMPORARY = frozenset({".tmp", ".temp", ".part", ".partial", ".filepart", ".writing", ".ack"})
_ENDS = frozenset({b"\r", b"\n", b"\x1c"})
_UNENDED = 12
"""How much longer a file has to rest whose last segment does not end."""
_LONGEST_NAME = 200
_ENDING = 16


class InUse(Exception):
    """Somebody else watches the folder."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a file was when it was looked at, and since when (seconds) it has been like that."""

    state: tuple[int, int, int, int]
    since: float


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Make the folders below *folder*, and watch it alone. Raises InUse, and OSError."""
    for name in (WORKING, DONE, FAILED):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"Another process watches {folder} already.") from None
        yield
    finally:
        os.close(descriptor)


def look(folder: Path, before: dict[Path, Seen], now: float) -> dict[Path, Seen]:
    """Return the files in *folder* as they are *now* (seconds), given how they were *before*.

    Folders, links, hidden files and those with a name for what is still being written are none.
    """
    found: dict[Path, Seen] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith(".") or path.suffix.lower() in _TEMPORARY:
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(status.st_mode):
                continue
            state = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            known = before.get(path)
            found[path] = known if known and known.state == state else Seen(state, now)
    return found


def complete(seen: dict[Path, Seen], settle: float, now: float) -> list[Path]:
    """Return the files that have rested for *settle* seconds, those written first first.

    One whose last byte ends no segment may be half of a file, and has to rest twelve times as long.
    """
    resting = [
        (one.state[2], path)
        for path, one in seen.items()
        if (rested := now - one.since) >= settle
        and (rested >= settle * _UNENDED or _is_ended(path))
    ]
    return [path for _, path in sorted(resting)]


def claimed(folder: Path) -> list[Path]:
    """Return what a crash, or a portal that could not write, has left in `working/`."""
    return sorted((folder / WORKING).iterdir(), key=lambda path: (path.stat().st_mtime_ns, path))


def claim(folder: Path, path: Path) -> Path:
    """Take *path* out of its sender's reach, and return where it is now."""
    target = _free(folder / WORKING, path, _plain(path.name))
    path.replace(target)
    return target


def put_away(folder: Path, path: Path, answers: bytes, *, is_taken: bool) -> Path:
    """Write the answers to the file at *path* where it goes, move it there, and return where."""
    target = _free(folder / (DONE if is_taken else FAILED), path, path.name)
    answer = target.with_name(f"{target.name}.ack")
    half = target.with_name(f".{target.name}.ack")
    with half.open("wb") as file:
        file.write(answers)
        file.flush()
        os.fsync(file.fileno())
    half.replace(answer)
    _flush(target.parent)
    path.replace(target)
    _flush(target.parent)
    return target


def _free(folder: Path, path: Path, name: str) -> Path:
    """Return where *path* goes in *folder* as *name*; with a piece of its hash by a namesake."""
    target = folder / name
    if not target.exists():
        return target
    digest = sha256(path.read_bytes()).hexdigest()[:16]
    return folder / f"{target.stem}.{digest}{target.suffix}"


def _plain(name: str) -> str:
    """Return *name* in printable UTF-8, and so short that ours can be made of it."""
    text = os.fsencode(name).decode("utf-8", "replace")
    text = "".join(one if one.isprintable() else "_" for one in text)
    if len(text.encode()) <= _LONGEST_NAME:
        return text
    ending = Path(text).suffix[-_ENDING:]
    room = _LONGEST_NAME - len(ending.encode())
    return text.encode()[:room].decode("utf-8", "ignore") + ending


def _is_ended(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            if not file.tell():
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) in _ENDS
    except OSError:
        return False


def _flush(folder: Path) -> None:
    """Have the disk keep what was moved into *folder*."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
