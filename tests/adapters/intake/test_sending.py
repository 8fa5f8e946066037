"""Sending as a hospital does: an answer to each message, both where two are owed, none for none."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters.hl7v2.mllp import Frame, Framer, wrap
from adapters.intake.sending import NoAnswer, code_of, send

MESSAGE = b"MSH|^~\\&|A|B|C|D|20261124||ORU^R01|%b|P|2.5.1|||%b\r"


def ack(code: bytes, control_id: bytes) -> bytes:
    return b"MSH|^~\\&|C|D|A|B\rMSA|%b|%b\r" % (code, control_id)


@contextmanager
def receiver(answers: list[list[bytes]]) -> Iterator[int]:
    """Answer each frame with the next of *answers*, then hang up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            framer, waiting = Framer(100_000), iter(answers)
            with connection:
                while chunk := connection.recv(65_536):
                    for event in framer.feed(chunk):
                        if isinstance(event, Frame):
                            sent = next(waiting, None)
                            if sent is None:
                                return
                            connection.sendall(b"".join(map(wrap, sent)))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def test_each_message_gets_its_own_answer() -> None:
    with (
        receiver([[ack(b"AA", b"1")], [ack(b"AE", b"2")]]) as port,
        send("127.0.0.1", port) as exchange,
    ):
        assert exchange(MESSAGE % (b"1", b"")) == ack(b"AA", b"1")
        assert code_of(exchange(MESSAGE % (b"2", b""))) == "AE"


def test_both_answers_of_enhanced_mode_are_of_the_same_message() -> None:
    both = [ack(b"CA", b"1"), ack(b"AE", b"1")]
    with (
        receiver([both, [ack(b"CR", b"2")], [ack(b"CA", b"3")]]) as port,
        send("127.0.0.1", port) as exchange,
    ):
        assert exchange(MESSAGE % (b"1", b"AL|AL")) == b"".join(both)
        assert code_of(exchange(MESSAGE % (b"2", b"AL|AL"))) == "CR"
        assert code_of(exchange(MESSAGE % (b"3", b"AL|NE"))) == "CA"


def test_who_asks_for_no_answer_waits_for_none() -> None:
    with receiver([[], [ack(b"AA", b"2")]]) as port, send("127.0.0.1", port) as exchange:
        assert exchange(MESSAGE % (b"1", b"NE|NE")) == b""
        assert code_of(exchange(MESSAGE % (b"2", b""))) == "AA"


def test_an_end_without_an_answer_is_told() -> None:
    with (
        receiver([]) as port,
        send("127.0.0.1", port) as exchange,
        pytest.raises(NoAnswer, match="ended"),
    ):
        exchange(MESSAGE % (b"1", b""))


def test_silence_is_told() -> None:
    with (
        receiver([[]]) as port,
        send("127.0.0.1", port, seconds=0.2) as exchange,
        pytest.raises(NoAnswer, match=r"0\.2 seconds"),
    ):
        exchange(MESSAGE % (b"1", b""))


def test_other_delimiters_do_not_hide_the_code() -> None:
    assert code_of(b"MSH#^~\\&#C\rMSA#AR#1\r") == "AR"
    assert code_of(b"no answer") == ""
