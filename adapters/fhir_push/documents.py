"""Documents in a report: named by what they are, held where they could run, never fetched.

The content decides what a document is, not what the sender says it is.
https://hl7.org/fhir/R4/datatypes.html#Attachment
"""

import binascii
from typing import Any

from adapters.hl7v2.attachments import ACTIVE, BROKEN, DIFFERS, attached, is_cut, recognised
from adapters.hl7v2.conversion import Document, Flag
from adapters.hl7v2.refusal import Refused

Tree = dict[str, Any]

_ELSEWHERE = "document-elsewhere"


def document_of(sent: Tree, where: str, flags: list[Flag]) -> tuple[Tree, Document] | None:
    """Return an Attachment as it is filed, and what the release policy has to know of it.

    None where it holds nothing, flagged. Raises Refused (AE 102, `document-broken`) for what can't
    be decoded, is cut short, or has another hash than was sent.
    """
    title = sent.get("title", "")
    if "data" not in sent:
        if "url" not in sent:
            flags.append(Flag("document-empty", where))
            return None
        return sent, Document(title, sent.get("contentType", ""), 0, _ELSEWHERE)
    content = _decoded(sent["data"], f"{where}.data")
    if is_cut(content):
        raise _broken(f"{where}.data", "The PDF is cut short: its end is missing.")
    found, hold = recognised(content)
    made = attached(content, found, title, sent.get("creation", ""), hold, text=sent["data"])
    if sent.get("hash", made.tree["hash"]) != made.tree["hash"]:
        raise _broken(f"{where}.hash", "The document is another one than was hashed.")
    declared = sent.get("contentType", found).partition(";")[0].strip().lower()
    if declared != found:
        flags.append(Flag(DIFFERS, f"{where}.contentType"))
    if hold == ACTIVE:
        flags.append(Flag(ACTIVE, where))
    language = {"language": sent["language"]} if "language" in sent else {}
    return made.tree | language, made.document


def _decoded(text: str, where: str) -> bytes:
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except binascii.Error:
        raise _broken(where, "The document can't be decoded.") from None


def _broken(where: str, text: str) -> Refused:
    return Refused("AE", 102, BROKEN, where, text)
