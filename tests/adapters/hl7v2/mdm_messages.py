"""MDM messages for tests, built from a few segments, and what they became."""

from base64 import b64decode
from typing import Any

from adapters.hl7v2.dialect import STANDARD, Dialect
from adapters.hl7v2.er7 import read
from adapters.hl7v2.letter import Letter
from adapters.hl7v2.mdm_to_letter import convert

PID = "PID|1||9990000018^^^NHS^NH||Ashdown^Alan||19550302|M"
TXA = (
    "TXA|1|CN^Clinic letter^L|TX|202608031000||20260803140000|||"
    "G9999991^Okafor^Ngozi^^^Dr^^^GMC|||D1||P1|F1|letter.txt|AU|U|AV"
)
OBX = "OBX|1|TX|BODY^Letter^L||Dear Mr Ashdown||||||F"


def msh(event: str = "T02", sent: str = "20260803140507") -> str:
    return rf"MSH|^~\&|EPR|NMH|PORTAL|PFH|{sent}||MDM^{event}|M1|P|2.5.1"


def mdm(*segments: str) -> bytes:
    """The bytes of a message; without *segments*, of a signed letter of one line."""
    return "\r".join((*(segments or (msh(), PID, TXA, OBX)), "")).encode()


def converted(*segments: str, dialect: Dialect = STANDARD, **options: Any) -> Letter:
    return convert(read(mdm(*segments)), dialect, **options)


def texts(letter: Letter) -> list[str]:
    """The texts and files of a letter; a dash for what is elsewhere, or only announced."""
    attachments = [one["attachment"] for one in letter.document.tree["content"]]
    return [b64decode(one["data"]).decode() if "data" in one else "-" for one in attachments]
