"""Documents that a laboratory sent along with a report: listed for a person, and given out whole.

A document is an Attachment in the report itself (https://hl7.org/fhir/R4/datatypes.html#Attachment),
so whoever may not see the report gets the same answer as for one that never was.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fhir_server.errors import NotFound
from portal_api import london
from portal_api.caller import Caller, read

Tree = Mapping[str, Any]
_KILO = 1000


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a report as a list has it. *place* counts from 1."""

    place: int
    kind: str
    """What it is, in a word: `PDF`."""
    size: str
    """How big it is, in words: `12 KB`."""


@dataclass(frozen=True, slots=True)
class Content:
    """A document as it is given out, byte for byte as the laboratory sent it."""

    name: str
    """A file name without the patient or the test in it."""
    content_type: str
    body: bytes


_OTHER = ("file", "bin", "application/octet-stream")
_KINDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "application/pdf": ("PDF", "pdf", "application/pdf"),
        "application/rtf": ("text document", "rtf", "application/rtf"),
        "image/jpeg": ("picture", "jpg", "image/jpeg"),
        "image/png": ("picture", "png", "image/png"),
        "image/tiff": ("picture", "tif", "image/tiff"),
        "text/plain": ("text", "txt", "text/plain; charset=utf-8"),
    }
)
"""Content type to its word, its file's ending and what is told to the browser.

What could run in a browser is not among them: it goes out as bytes that nothing opens by itself.
"""


def documents_of(report: Tree) -> tuple[Document, ...]:
    """Return the documents whose bytes are in a DiagnosticReport."""
    return tuple(
        Document(place, kind_of(one)[0], size_in_words(len(one["data"]) * 3 // 4))
        for place, one in enumerate(_attachments(report), 1)
    )


async def document(caller: Caller, report_id: str, place: int) -> tuple[Content, str]:
    """Return document *place* of a report, and the report's status.

    Raises NotFound for a report that is absent or not the caller's, and where it has none there.
    """
    tree = (await read(caller, "DiagnosticReport", report_id)).tree
    found = _attachments(tree)
    if not 0 < place <= len(found):
        raise NotFound.of("There is no such document, or it is not yours to see.")
    attachment = found[place - 1]
    _, ending, content_type = kind_of(attachment)
    body = bytes_of(attachment)
    number = f"-{place}" if len(found) > 1 else ""
    return Content(f"result{_day(tree)}{number}.{ending}", content_type, body), tree["status"]


def _attachments(report: Tree) -> list[Tree]:
    return [one for one in report.get("presentedForm", ()) if one.get("data")]


def kind_of(attachment: Tree) -> tuple[str, str, str]:
    """Return what an Attachment is: in a word, as a file's ending, and for a browser."""
    media_type = attachment.get("contentType", "").partition(";")[0].strip()
    return _KINDS.get(media_type, _OTHER)


def bytes_of(attachment: Tree) -> bytes:
    """Return the bytes of an Attachment. Raises NotFound where they can't be read."""
    try:
        return b64decode(attachment["data"], validate=True)
    except binascii.Error:
        raise NotFound.of("The document cannot be read.") from None


def size_in_words(count: int) -> str:
    """Return how big *count* bytes are: `12 KB`."""
    if count < _KILO:
        return "less than 1 KB"
    if count < _KILO**2:
        return f"{count // _KILO} KB"
    return f"{count / _KILO**2:.1f} MB"


def _day(report: Tree) -> str:
    taken = report.get("effectiveDateTime") or report.get("effectivePeriod", {}).get("start", "")
    when = london.moment(taken)
    return f"-{london.calendar_day(when).isoformat()}" if when else ""
