"""What others wrote, on a terminal: shown, and never obeyed.

A message may hold what a terminal takes for an order (to clear itself, to write elsewhere, to turn
the line round). Such a character is shown as Python would write it.
"""

import re

import typer

_ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters but for tab and line end (ISO 6429), and those that turn a line (UAX 9)."""


def inert(text: str) -> str:
    """Return *text* with every character that a terminal would obey written out."""
    return _ORDERS.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: str, *, end: bool = True) -> None:
    """Print *text*, which others wrote in part."""
    typer.echo(inert(text), nl=end)
