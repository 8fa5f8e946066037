"""Commands that write go to the running process, over a Unix socket in the data directory.

One JSON object a line each way: `{"command": "token", …}` and `{"ok": …}` or `{"error": "…"}`. Who
may open the socket is who may read the database file: its owner. The peer's user, as the kernel
tells it, is named on the ledger.
"""

import asyncio
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from fhir_server.errors import FhirError
from fhir_server.model import json

Tree = dict[str, Any]
Carry = Callable[[Tree, str], Awaitable[Any]]
"""The request and the operating-system user behind it, to the answer."""

SOCKET = "control.sock"
_LINE_LIMIT = 1024 * 1024
_CREDENTIALS = struct.Struct("3i")


class ControlRefused(Exception):
    """The running process did not do it; the text says why."""


async def listen(folder: Path, commands: Mapping[str, Carry]) -> asyncio.Server:
    """Return the server on the control socket in *folder*, which only its owner may open."""
    path = folder / SOCKET
    path.unlink(missing_ok=True)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        user = _peer(writer.get_extra_info("socket"))
        try:
            line = await reader.readline()
            writer.write(json.encode(await _carried(commands, line, user)) + b"\n")
            await writer.drain()
        finally:
            writer.close()

    old = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(serve, str(path), limit=_LINE_LIMIT)
    finally:
        os.umask(old)


async def _carried(commands: Mapping[str, Carry], line: bytes, user: str) -> Tree:
    try:
        request = json.decode(line)
        command = commands.get(request.get("command", ""))
        if command is None:
            return {"error": "The running portal does not know this command."}
        return {"ok": await command(request, user)}
    except (FhirError, ValueError, KeyError) as error:
        return {"error": str(error)}


def _peer(connection: Any) -> str:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, _gid = _CREDENTIALS.unpack(raw)
    return user_name(uid)


def user_name(uid: int) -> str:
    """Return the name of an operating-system user, its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def ask(folder: Path, request: Tree) -> Any:
    """Return what the running process answers to *request*; None where no process listens.

    Raises ControlRefused with the reason where it declined.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        try:
            connection.connect(str(folder / SOCKET))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        connection.sendall(json.encode(request) + b"\n")
        # Our own process made it: what a hospital sent stands in it as it came.
        answer = json.reread(_line(connection))
    if "error" in answer:
        raise ControlRefused(answer["error"])
    return answer["ok"]


def _line(connection: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n"):
        chunk = connection.recv(65_536)
        if not chunk:
            break
        received += chunk
    return bytes(received)
