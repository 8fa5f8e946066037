"""A process that has read the whole program, and becomes a portal each time it is asked to.

To import the program takes a thousand times as long as to kill it. So one process imports it once
and forks: the portal that comes of it runs the same `main` with arguments and environment of its
own, and is killed and waited for like any other. Run as `python -m tests.faults.warm SOCKET`.

A request is one line of JSON: `arguments`, `environment`, `before` (Python that breaks the program
on purpose, run first) and `log` (a file for stderr). On the same connection come back the line
`pid N`, whatever the portal says, and `ended STATUS` once it is gone.
"""

import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from adapters.hl7v2.dialect import Dialect
from adapters.intake.preview import preview
from portal_api.cli.main import main as portal_fhir
from tests.faults.hospital import message

LONGEST = 1024 * 1024


def serve(path: str) -> None:
    """Become a portal for whoever connects to *path*, until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are not waited for
    preview(message(0, "9990000018").raw, Dialect(), "http://127.0.0.1")  # compiles what it needs
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as door, selectors.DefaultSelector() as awaited:
        door.bind(f"{path}.bound")
        door.listen(64)
        Path(f"{path}.bound").rename(path)  # whoever waits for it finds it answering
        awaited.register(door, selectors.EVENT_READ)
        awaited.register(sys.stdin, selectors.EVENT_READ)
        while door in [key.fileobj for key, _ in awaited.select()]:
            visitor, _ = door.accept()
            if os.fork() == 0:
                door.close()
                _keep(visitor)
            visitor.close()
    os.killpg(0, signal.SIGKILL)


def _keep(visitor: socket.socket) -> None:
    """Fork the portal, tell its number, wait for its end and tell its status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with visitor, visitor.makefile("rwb", buffering=0) as line:
        asked = json.loads(line.readline(LONGEST))
        portal = os.fork()
        if portal == 0:
            _become(asked, visitor)
        line.write(f"pid {portal}\n".encode())
        _, status = os.waitpid(portal, 0)
        line.write(f"ended {os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(asked: dict[str, Any], visitor: socket.socket) -> None:
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for mine, standard in ((nothing, 0), (visitor.fileno(), 1), (log, 2)):
        os.dup2(mine, standard)
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["portal-fhir", *asked["arguments"]]
    status = 1
    try:
        exec(asked["before"], {"__name__": "before"})
        portal_fhir()
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # noqa: BLE001 - what an interpreter does with what nobody caught
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


if __name__ == "__main__":
    serve(str(Path(sys.argv[1])))
