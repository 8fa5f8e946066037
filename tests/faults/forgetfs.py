"""A file system that forgets: after a simulated power cut, what was written but not synced is gone.

Killing a process never tests fsync, because the kernel keeps what the process wrote. This file
system, served with FUSE, holds each file twice in memory: as written, and as last synced. A cut
puts the synced bytes back. It carries a SQLite database, or a whole PostgreSQL data directory.
A sync can be made to fail, as on a broken disk, and the room be made small.

`tests.faults.disk` mounts it. From a shell, `python -m tests.faults.forgetfs MOUNT` serves until
`fusermount3 -u MOUNT`; a word written to `MOUNT/.control` is done (`cut`, `keep`, which syncs all
there is, `fail N`, `room BYTES`), and reading it names the files that the last cut took bytes from.
Needs Linux with /dev/fuse, the Debian package fuse3 and the Python package mfusepy. Mounted by
root, every user may enter.

What it does not imitate: creating, renaming and removing count as durable at once; un-synced bytes
are forgotten all together, never in part or out of order; sync(2), syncfs(2) and
sync_file_range(2) make nothing durable. There are no symbolic links.
"""

import errno
import os
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CONTROL = "/.control"
Attributes = dict[str, int]


@dataclass(slots=True)
class Node:
    """A file, as written and as last synced; or a directory, which has no bytes."""

    mode: int
    uid: int
    gid: int
    written: bytearray = field(default_factory=bytearray)
    synced: bytearray = field(default_factory=bytearray)
    unsynced: list[tuple[int, int]] = field(default_factory=list)
    """Start and stop of each change since the last sync."""
    changed: int = field(default_factory=time.time_ns)

    def put(self, data: bytes, offset: int) -> None:
        """Write *data* at *offset*; a gap before it reads as zeros."""
        if offset > len(self.written):
            self.resize(offset)
        stop = offset + len(data)
        self.written[offset:stop] = data
        self._note(offset, stop)

    def resize(self, length: int) -> None:
        """Cut off at *length*, or fill up to it with zeros."""
        before = len(self.written)
        del self.written[length:]
        self.written.extend(bytes(max(0, length - before)))
        self._note(min(before, length), max(before, length))

    def sync(self) -> None:
        """Make all that was written survive a cut, at the cost of what has changed."""
        del self.synced[len(self.written) :]
        self.synced.extend(bytes(len(self.written) - len(self.synced)))
        for start, stop in self.unsynced:
            self.synced[start:stop] = self.written[start:stop]
        self.unsynced.clear()

    def fail(self) -> None:
        """Fail to sync, as Linux does: what was written counts as clean, and is never synced."""
        self.unsynced.clear()
        raise OSError(errno.EIO, "the disk failed")

    def forget(self) -> bool:
        """Put the synced bytes back, and tell whether that took anything away."""
        lost = self.written != self.synced
        self.written[:] = self.synced
        self.unsynced.clear()
        self.changed = time.time_ns()
        return lost

    def _note(self, start: int, stop: int) -> None:
        self.unsynced.append((start, stop))
        self.changed = time.time_ns()

    def attributes(self) -> Attributes:
        """Return what stat(2) answers, times in nanoseconds."""
        times = dict.fromkeys(("st_atime", "st_mtime", "st_ctime"), self.changed)
        links = 2 if stat.S_ISDIR(self.mode) else 1
        size = len(self.written)
        owners = {"st_uid": self.uid, "st_gid": self.gid}
        return {"st_mode": self.mode, "st_nlink": links, "st_size": size, **owners, **times}


class ForgettingFileSystem:
    """The FUSE operations, one call at a time.

    *caller* returns the user, group and process of the call that is being served.
    """

    use_ns = True  # read by mfusepy: times are nanoseconds

    def __init__(self, caller: Callable[[], tuple[int, int, int]]) -> None:
        self._caller = caller
        self._nodes = {"/": Node(stat.S_IFDIR | 0o777, os.getuid(), os.getgid())}
        self._report = Node(stat.S_IFREG | 0o666, os.getuid(), os.getgid())
        self._failing = 0
        self._room: int | None = None

    def _node(self, path: str) -> Node:
        node = self._report if path == CONTROL else self._nodes.get(path)
        if node is None:
            raise OSError(errno.ENOENT, path)
        return node

    def _below(self, path: str) -> list[str]:
        return [
            name for name in self._nodes if name.startswith(path.rstrip("/") + "/") and name != "/"
        ]

    def _make(self, path: str, mode: int) -> None:
        uid, gid, _ = self._caller()
        self._nodes[path] = Node(mode, uid, gid)

    def control(self, words: str) -> None:
        """Do what was written to `.control`."""
        word, _, number = words.partition(" ")
        if word == "cut":
            self.cut()
        elif word == "keep":
            for node in self._nodes.values():
                node.sync()
        elif word == "fail":
            self._failing = int(number)
        elif word == "room":
            self._room = int(number)
        else:
            raise OSError(errno.EINVAL, words)

    def _require_room(self, node: Node, length: int) -> None:
        if self._room is None or length <= len(node.written):
            return
        held = sum(len(one.written) for one in self._nodes.values())
        if held + length - len(node.written) > self._room:
            raise OSError(errno.ENOSPC, "the disk is full")

    def _sync(self, node: Node) -> None:
        if self._failing:
            self._failing -= 1
            node.fail()
        node.sync()

    def cut(self) -> None:
        """Forget every byte that was not synced; keep the names of the files that lost some."""
        lost = [path[1:] for path, node in self._nodes.items() if node.forget()]
        self._report.resize(0)
        self._report.put("".join(f"{name}\n" for name in sorted(lost)).encode(), 0)

    # Looking.
    def getattr(self, path: str, _handle: int | None = None) -> Attributes:
        return self._node(path).attributes()

    def readdir(self, path: str, _handle: int) -> list[str]:
        names = (child[len(path.rstrip("/")) + 1 :] for child in self._below(path))
        return [".", "..", *(name for name in names if "/" not in name)]

    def statfs(self, _path: str) -> dict[str, int]:
        blocks = dict.fromkeys(("f_blocks", "f_bfree", "f_bavail"), 1 << 20)
        return {"f_bsize": 4096, "f_frsize": 4096, "f_namemax": 255, **blocks}

    # Files. A handle is 1 where the file was opened with O_DSYNC or O_SYNC, whose every write is
    # durable; otherwise 0.
    def create(self, path: str, mode: int, flags: int) -> int:
        self._make(path, stat.S_IFREG | stat.S_IMODE(mode))
        return int(bool(flags & os.O_DSYNC))

    def open(self, path: str, flags: int) -> int:
        node = self._node(path)
        if flags & os.O_TRUNC and node is not self._report:  # libfuse 3 leaves it to us
            node.resize(0)
        return int(bool(flags & os.O_DSYNC))

    def read(self, path: str, size: int, offset: int, _handle: int) -> bytes:
        return bytes(self._node(path).written[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, handle: int) -> int:
        if path == CONTROL:
            self.control(data.decode().strip())
            return len(data)
        node = self._node(path)
        self._require_room(node, offset + len(data))
        node.put(data, offset)
        if handle:
            self._sync(node)
        return len(data)

    def truncate(self, path: str, length: int, _handle: int | None = None) -> None:
        if path != CONTROL:
            node = self._node(path)
            self._require_room(node, length)
            node.resize(length)

    def fsync(self, path: str, _data_only: int, _handle: int) -> None:
        self._sync(self._node(path))

    # Names: durable at once.
    def mkdir(self, path: str, mode: int) -> None:
        self._make(path, stat.S_IFDIR | stat.S_IMODE(mode))

    def mknod(self, path: str, mode: int, _device: int) -> None:
        self._make(path, mode)

    def rmdir(self, path: str) -> None:
        if self._below(path):
            raise OSError(errno.ENOTEMPTY, path)
        del self._nodes[path]

    def link(self, new: str, existing: str) -> None:
        self._nodes[new] = self._node(existing)

    def unlink(self, path: str) -> None:
        self._node(path)
        self._nodes.pop(path, None)

    def rename(self, old: str, new: str) -> None:
        for path in [old, *self._below(old)]:
            self._nodes[new + path[len(old) :]] = self._nodes.pop(path)

    def fsyncdir(self, path: str, _data_only: int, _handle: int) -> None:
        self._node(path)

    # Attributes.
    def chmod(self, path: str, mode: int) -> None:
        node = self._node(path)
        node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        node = self._node(path)
        node.uid = node.uid if uid == -1 else uid
        node.gid = node.gid if gid == -1 else gid

    def utimens(self, path: str, _times: tuple[int, int] | None = None) -> None:
        self._node(path).changed = time.time_ns()


def main() -> int:
    """Serve the mount point named on the command line until it is unmounted."""
    if len(sys.argv) != 2:
        print("usage: forgetfs MOUNT", file=sys.stderr)  # noqa: T201
        return 2
    import mfusepy  # type: ignore[import-untyped]  # noqa: PLC0415 - it loads libfuse

    mfusepy.FUSE(
        ForgettingFileSystem(mfusepy.fuse_get_context),
        sys.argv[1],
        foreground=True,
        nothreads=True,
        allow_other=os.geteuid() == 0,
        attr_timeout=0,
        entry_timeout=0,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
