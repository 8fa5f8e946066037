"""Ports for a server that has to name its address before it listens."""

import random
import socket

_BELOW_WHAT_SYSTEMS_GIVE_OUT = range(20_000, 32_000)
"""Linux gives connections that name no port one from 32768 on, macOS and Windows from 49152 on."""
_TRIES = 100


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens.

    Not one that the system gives out: between this and the listening, it would give it to the
    next connection that asks for any. Raises OSError where none is found.
    """
    for _ in range(_TRIES):
        port = random.choice(_BELOW_WHAT_SYSTEMS_GIVE_OUT)  # noqa: S311 - no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("127.0.0.1 has no free port")
