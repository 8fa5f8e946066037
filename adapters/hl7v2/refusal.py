"""A message that can't be taken as it stands, said so that the sender can mend it."""

from typing import Literal

RefusalAck = Literal["AE", "AR"]


class Refused(Exception):
    """The message is answered AE or AR; it carries all that the answer and the error queue need.

    *ack* is `AR` where the message is not for us to read (its head is at fault) and `AE` where
    its content must be corrected. *hl7_code* is of HL7 table 0357 (HL7 v2.8 chapter 2.C).
    *code* is the stable name by which refusals are counted and found (`delimiters-bad`).
    *field* is the address of the culprit (`MSH.2`, `OBX[3].5`), and empty only where no field is
    to blame. *text* is a sentence without patient data.
    """

    def __init__(self, ack: RefusalAck, hl7_code: int, code: str, field: str, text: str) -> None:
        super().__init__(f"{code} at {field}: {text}")
        self.ack: RefusalAck = ack
        self.hl7_code = hl7_code
        self.code = code
        self.field = field
        self.text = text
