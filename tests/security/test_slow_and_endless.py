"""Whoever sends without end, or byte by byte, is hung up on: in a head and in a body (80, 104)."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fhir_server.model.validate import judge
from fhir_server.rest import body
from portal_api import http_server

START = b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n"


@contextmanager
def connected(world: Any) -> Iterator[socket.socket]:
    host, _, port = world.base.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        yield connection


def answer(connection: socket.socket) -> bytes:
    """Return what comes until the server hangs up, politely or not."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize(
    "chunk",
    [b"X-Header: " + b"a" * 50_000 + b"\r\n", b"X-Endless: " + b"a" * 50_000, b"a" * 50_000],
)
def test_a_head_without_end_is_cut_off(world: Any, chunk: bytes) -> None:
    sent = 0
    with connected(world) as connection:
        connection.sendall(START)
        try:
            while sent < 50_000_000:
                connection.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass
    assert sent < 50_000_000


def test_a_head_that_is_too_large_is_told_so(world: Any) -> None:
    with connected(world) as connection:
        connection.sendall(START + b"X-Header: " + b"a" * http_server.HEAD_LIMIT)
        told = answer(connection)
    assert told.startswith(b"HTTP/1.1 400 ")
    assert told.endswith(b"The head of the request is too large.")


def test_a_head_that_fits_is_answered_whatever_its_length(world: Any) -> None:
    with connected(world) as connection:
        headers = b"X-Header: " + b"a" * 60_000 + b"\r\nConnection: close\r\n\r\n"
        connection.sendall(START + headers)
        assert answer(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("sent", [b"", b"G", START, START + b"X-Slow: a"])
def test_a_head_that_does_not_come_is_waited_for_no_longer_than_the_deadline(
    world: Any, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(http_server, "HEAD_DEADLINE", 0.05)
    with connected(world) as connection:
        connection.sendall(sent)
        assert answer(connection) == b""


def test_requests_on_one_connection_are_each_counted_afresh(world: Any) -> None:
    with connected(world) as connection:
        for last in (False, False, True):
            closing = b"Connection: close\r\n" if last else b""
            connection.sendall(START + closing + b"X: " + b"a" * 40_000 + b"\r\n\r\n")
            if not last:
                assert connection.recv(20).startswith(b"HTTP/1.1 200 ")
                connection.recv(1_000_000)
        assert b"HTTP/1.1 200 " in answer(connection)


def test_a_body_that_does_not_come_is_408_and_on_the_ledger(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "BODY_DEADLINE", 0.05)
    token = world.as_client().token
    with connected(world) as connection:
        connection.sendall(
            b"POST /fhir/Observation HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
            b"Content-Type: application/fhir+json\r\nAuthorization: Bearer "
            + token.encode()
            + b'\r\n\r\n{"resourceType":'
        )
        head, _, content = answer(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert judge(content, "OperationOutcome")["issue"][0]["code"] == "timeout"
    (entry,) = world.newest()
    assert (entry.subtype, entry.outcome) == ("create", "4")


@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect", "/sign-in", "/authorize"])
def test_a_strangers_form_that_does_not_come_is_waited_for_no_longer_than_the_deadline(
    world: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(body, "BODY_DEADLINE", 0.05)
    before = world.entries()
    with connected(world) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\na=".encode()
        )
        assert answer(connection).startswith(b"HTTP/1.1 408 ")
    assert world.entries() == before + 1


def test_a_caller_who_hangs_up_in_the_middle_of_a_body_is_on_the_ledger(world: Any) -> None:
    token, before = world.as_client().token, world.entries()
    with connected(world) as connection:
        connection.sendall(
            b"POST /fhir/Observation HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
            b"Content-Type: application/fhir+json\r\nAuthorization: Bearer "
            + token.encode()
            + b"\r\n\r\n{"
        )
    alan = world.as_patient(world.alan)
    while not any(one.subtype == "create" for one in world.newest(10)):
        assert world.entries() < before + 500
        alan.get(f"Patient/{world.alan}")
    assert any((one.subtype, one.outcome) == ("create", "4") for one in world.newest(10))


def test_a_body_of_a_stranger_is_not_read_at_all(world: Any) -> None:
    with connected(world) as connection:
        connection.sendall(
            b"POST /fhir/Observation HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n"
            b"Content-Type: application/fhir+json\r\nConnection: close\r\n\r\n{"
        )
        assert answer(connection).startswith(b"HTTP/1.1 401 ")
