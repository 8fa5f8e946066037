"""The certificates of the TLS door: our own, and the authorities that sign our senders'.

They are read again when a file has changed, for the connections that come after; files that can't
be used then leave the earlier ones in use, and are told of once.
"""

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

log = logging.getLogger(__name__)

Name = Literal["certificate", "key", "client_ca"]


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where they lie, each as PEM.

    *certificate* is the portal's own with what stands between it and its root, *key* its private
    key, without a password; *client_ca* the authorities whose certificates senders may show.
    """

    certificate: Path
    key: Path
    client_ca: Path


class FileWrong(Exception):
    """A file can't be used: which one, and why, as the rest of a sentence."""

    def __init__(self, name: Name, why: str) -> None:
        super().__init__(f"{name} {why}")
        self.name: Name = name
        self.why = why


def server_context(files: CertificateFiles) -> ssl.SSLContext:
    """Return a context that takes TLS 1.2 or later, and nobody without a certificate.

    No session is ever resumed: each connection proves its certificate anew. Raises FileWrong.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0
    _load(context, files.client_ca, "client_ca")
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), files.certificate, "certificate")
    try:
        context.load_cert_chain(files.certificate, files.key, password=lambda: "")
    except (OSError, ValueError):
        raise FileWrong(
            "key", f"names no key without a password that fits the certificate: {files.key}"
        ) from None
    return context


def renewed(files: CertificateFiles) -> Callable[[], ssl.SSLContext]:
    """Return a function that gives the context of *files* as they are now. Raises FileWrong."""
    held, seen = server_context(files), _state(files)

    def current() -> ssl.SSLContext:
        nonlocal held, seen
        state = _state(files)
        if state != seen:
            seen = state
            try:
                held = server_context(files)
            except FileWrong as wrong:
                log.error("the certificates of the TLS door stay as they were: %s", wrong)  # noqa: TRY400 - it says all
        return held

    return current


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a certificate (DER) in lower-case hexadecimal."""
    return sha256(certificate).hexdigest()


def _load(context: ssl.SSLContext, path: Path, name: Name) -> None:
    try:
        context.load_verify_locations(path)
    except OSError:
        raise FileWrong(name, f"names no file with a certificate as PEM: {path}") from None


def _state(files: CertificateFiles) -> tuple[tuple[int, int, int], ...]:
    return tuple(map(_stat, (files.certificate, files.key, files.client_ca)))


def _stat(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino
