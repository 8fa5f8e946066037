"""What a hospital wrote is shown on a terminal, and not obeyed by it."""

from collections.abc import Callable

import pytest

from portal_api.cli.terminal import inert
from tests.faults.program import Program
from tests.portal_api.cli.results import psa

Done = Callable[..., str]
Written = Callable[[str, str], str]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\x08\x7f\x00", "a\\rb\\x08\\x7f\\x00"),
        ("7.3\u202e9.1\u2066", "7.3\\u202e9.1\\u2066"),
        ("one\n\ttwo £ é 😀", "one\n\ttwo £ é 😀"),
    ],
)
def test_case_109_orders_to_a_terminal_are_written_out(sent: str, shown: str) -> None:
    assert inert(sent) == shown


def test_row_22_a_message_that_would_order_a_terminal_about_is_shown(
    running: Program, done: Done, written: Written
) -> None:
    wicked = psa(1).replace("Example", "Ex\x1b]0;owned\x07ample")
    path = written("wicked.hl7", wicked)
    said = done("convert", path) + done("check", path)
    said += done("send", path, "--to", f"127.0.0.1:{running.mllp}") + done("trace", "M1")
    assert "\x1b" not in said
    assert "Ex\\x1b]0;owned\\x07ample" in said
