"""What a message raises that is for a human to decide on."""

from typing import Literal


class Unclear(Exception):
    """The message waits for a person; it carries the answer's code and the field to blame.

    *ack* is None where the feed's own agreement decides between AA and AE.
    """

    def __init__(
        self, ack: Literal["AE"] | None, hl7_code: int, code: str, address: str, text: str
    ) -> None:
        super().__init__(f"{code} at {address}: {text}")
        self.ack = ack
        self.hl7_code = hl7_code
        self.code = code
        self.address = address
        self.text = text
