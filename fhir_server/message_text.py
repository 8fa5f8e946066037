"""The text of a message: plain, bounded, and without characters that hide or turn round others.

HTML stays as it was written: it is text, and every page escapes it. Bidirectional and zero-width
controls are taken out (Unicode Technical Report 36, section 2): they could make a sentence read
as another.
"""

import re
from typing import Any

from fhir_server.errors import TooLarge, Unprocessable

LONGEST = 4000
"""Characters in a message."""
LONGEST_SUBJECT = 100
"""Characters in a subject."""

_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def plain(text: str) -> str:
    """Return *text* with line feeds only, no hidden controls, and no blank edge."""
    return _HIDDEN.sub(
        "", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    ).strip()


def body(tree: dict[str, Any]) -> str:
    """Return the text of the Communication *tree*.

    Raises Unprocessable unless it has one payload of text that is not blank, TooLarge above
    4,000 characters.
    """
    payload = tree.get("payload", ())
    if len(payload) != 1 or set(payload[0]) != {"contentString"}:
        raise Unprocessable.of(
            "A message has one payload, and it is text.",
            expression="Communication.payload",
            diagnostics="Send contentString; attachments and references are not accepted.",
            code="business-rule",
        )
    text = plain(payload[0]["contentString"])
    place = "Communication.payload[0].content"
    if not text:
        raise Unprocessable.of("The message is empty.", expression=place, code="required")
    if len(text) > LONGEST:
        raise TooLarge.of(f"A message has at most {LONGEST} characters.", expression=place)
    return text


def subject(tree: dict[str, Any]) -> str:
    """Return the subject of the Communication *tree*: its topic on one line, or the empty text.

    Raises TooLarge above 100 characters.
    """
    text = " ".join(plain(tree.get("topic", {}).get("text", "")).split())
    if len(text) > LONGEST_SUBJECT:
        raise TooLarge.of(
            f"A subject has at most {LONGEST_SUBJECT} characters.",
            expression="Communication.topic.text",
        )
    return text
