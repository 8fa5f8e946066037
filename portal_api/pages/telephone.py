"""Telephone numbers that can be tapped, in a text that a person wrote."""

import re

from markupsafe import Markup, escape

_NUMBER = re.compile(r"(?<![\w+])(?:\+44|0)[0-9 ]{8,14}[0-9](?!\w)")


def linked(text: str) -> Markup:
    """Return *text*, escaped, with each British telephone number as a link that rings it."""
    parts, end = [Markup()], 0
    for found in _NUMBER.finditer(text):
        number = found.group()
        link = Markup('<a class="portal-phone" href="tel:{}">{}</a>')
        parts += [escape(text[end : found.start()]), link.format(number.replace(" ", ""), number)]
        end = found.end()
    return Markup().join([*parts, escape(text[end:])])
