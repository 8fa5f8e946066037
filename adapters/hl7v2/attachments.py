"""ED and RP to Attachment: the bytes found, decoded, and named by what they are.

The content decides what a document is, not what the sender says it is. Nothing is fetched and
nothing is run: what could run is held until a person has looked. Source: HL7 v2 chapter 2A (ED,
RP); https://hl7.org/fhir/R4/datatypes.html#Attachment
"""

import binascii
import hashlib
import re
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.hl7v2.composite import Composite, first, text_of
from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.conversion import Document, Tree
from adapters.hl7v2.er7 import Segment

ACTIVE = "document-active"
DIFFERS = "type-differs"
BROKEN = "document-broken"

_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"{\\rtf", "application/rtf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"PK\x03\x04", "application/zip"),
    (b"GIF8", "image/gif"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
_MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!doctype html|<html|<svg)", re.IGNORECASE)
_INLINE = frozenset({"application/pdf", "image/png", "image/jpeg", "text/plain"})
_RUNS = frozenset({"application/zip", "application/x-ole-storage", "application/xml"})
# `#4a` is a way to write a letter of a PDF name.
_PDF_ACTION = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm)\b")
_PDF_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_PDF_OBJECTS = re.compile(rb"/ObjStm\b.*?stream\r?\n", re.DOTALL)
_PDF_TAIL = 2048
_SHORTEST = 32  # characters of data in a component that is meant for something else
_MOST_INFLATED = 16 * 1024 * 1024
_BLANKS = str.maketrans("", "", " \t\r\n\v\f")
_URL_ALPHABET = str.maketrans("-_", "+/")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\\]+")


@dataclass(frozen=True, slots=True)
class Attached:
    """An Attachment of a report, and what the release policy has to know of it."""

    tree: Tree
    document: Document


def encapsulated(obx: Segment, context: Context, title: str, created: str) -> Attached:
    """Return the document in an OBX of type ED.

    The data are taken from OBX-5.5, else .3, else .1; base64 of either alphabet with any line
    ends, or hexadecimal where .4 says so. Refuses what can't be decoded or is cut short (AE 102,
    `document-broken`); flags a type other than the declared one.
    """
    sent = first(obx, 5)
    content, text = _content(sent, obx)
    if is_cut(content):
        raise refusal(102, BROKEN, obx.address(5), "The PDF is cut short: its end is missing.")
    found, hold = recognised(content)
    declared = _declared(sent)
    if declared and declared != found:
        context.flag(DIFFERS, obx.address(5))
    if hold == ACTIVE:
        context.flag(ACTIVE, obx.address(5))
    return attached(content, found, title, created, hold, text=text)


def recognised(content: bytes) -> tuple[str, str]:
    """Return what a document is by its bytes, and why a person must look first, else ""."""
    found = _sniffed(content)
    if found == "application/pdf":
        return found, ACTIVE if _is_active(content) else ""
    if found in _RUNS or found == "text/html":
        return found, ACTIVE
    return found, "" if found in _INLINE else DIFFERS


def is_cut(content: bytes) -> bool:
    """Tell whether *content* is a PDF whose end is missing."""
    return _head(content).startswith(b"%PDF-") and b"%%EOF" not in content[-_PDF_TAIL:]


def attached(
    content: bytes,
    content_type: str,
    title: str,
    created: str,
    hold: str = "",
    *,
    text: str = "",
) -> Attached:
    """Return *content* as an Attachment; *hold* says why a person must look at it first.

    *text* is what was decoded to *content*: a document is large, and need not be encoded again.
    """
    # FHIR R4 asks for SHA-1 here; nothing relies on its strength.
    digest = hashlib.sha1(content, usedforsecurity=False).digest()
    tree: Tree = {
        "contentType": content_type,
        "data": _base64(content, text),
        "size": len(content),
        "hash": b64encode(digest).decode("ascii"),
    }
    return _titled(tree, title, created, len(content), hold)


def pointed(obx: Segment, context: Context, title: str, created: str) -> Attached | None:
    """Return the document that an OBX of type RP points to; None where it is no address.

    The address is kept and never visited.
    """
    sent = first(obx, 5)
    if not _URI.fullmatch(sent[1]):
        context.flag("pointer-unread", obx.address(5))
        return None
    tree: Tree = {"url": sent[1]}
    kind = _media_type(sent[3], sent[4])
    if kind:
        tree = {"contentType": kind, **tree}
    return _titled(tree, title, created, 0, "document-elsewhere")


def _titled(tree: Tree, title: str, created: str, size: int, hold: str) -> Attached:
    if title:
        tree["title"] = title
    if created:
        tree["creation"] = created
    return Attached(tree, Document(title, tree.get("contentType", ""), size, hold))


def _base64(content: bytes, text: str) -> str:
    """Return *content* in base64: *text*, which decoded to it, where that is what comes out."""
    tail = len(content) % 3 or 3
    length, end = -(-len(content) // 3) * 4, b64encode(content[-tail:]).decode("ascii")
    # Base64 without blanks in it can differ in nothing but its last letters.
    if len(text) == length and text.endswith(end) and _BASE64.fullmatch(text):
        return text
    return b64encode(content).decode("ascii")


def _content(sent: Composite, obx: Segment) -> tuple[bytes, str]:
    """Return the document, and the text that it was decoded from."""
    encoding = sent[4].upper()
    for number in (5, 3, 1):
        part = sent.parts[number - 1] if number <= len(sent.parts) else ""
        # A line end that a sender escaped is one; in base64 it means nothing.
        text = text_of(part, sent.delimiters)
        if number != 5 and len(text) < _SHORTEST:
            continue
        decoded = _decoded(text, encoding)
        if decoded:
            return decoded, text
    raise refusal(102, BROKEN, obx.address(5), "The document can't be decoded, or is cut short.")


def _decoded(sent: str, encoding: str) -> bytes:
    if encoding == "HEX":
        try:
            return bytes.fromhex(sent)
        except ValueError:
            return b""
    text = sent
    if not _BASE64.fullmatch(sent):
        text = sent.translate(_BLANKS).translate(_URL_ALPHABET)
    if not _BASE64.fullmatch(text) or (encoding == "A" and " " in sent):
        return sent.encode() if encoding == "A" else b""
    missing = -len(text) % 4
    if missing == 3 or (missing and text.endswith("=")):
        return b""
    try:
        # Not `b64decode`, which makes a copy of a text first.
        return binascii.a2b_base64(text + "=" * missing, strict_mode=True)
    except binascii.Error:
        return b""


def _head(content: bytes) -> bytes:
    return content[:1024].lstrip(b"\xef\xbb\xbf\r\n\t ")


def _sniffed(content: bytes) -> str:
    head = _head(content)
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if _MARKUP.match(head):
        return "application/xml" if head[:5].lower() == b"<?xml" else "text/html"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain" if "\0" not in text else "application/octet-stream"


def _declared(sent: Composite) -> str:
    # ED.2 and .3 may hold the data itself, in senders that left the fields before it out.
    return _media_type(sent[2], sent[3])


def _media_type(kind: str, subtype: str) -> str:
    kind, subtype = kind.lower(), subtype.lower()
    if len(kind) > 20 or len(subtype) > 60:
        return ""
    if "/" in subtype:
        return subtype
    known = {
        "pdf": "application/pdf",
        "rtf": "application/rtf",
        "tiff": "image/tiff",
        "jpeg": "image/jpeg",
        "png": "image/png",
        "plain": "text/plain",
        "zip": "application/zip",
        "html": "text/html",
        "gif": "image/gif",
    }
    return known.get(subtype) or known.get(kind) or ""


def _is_active(pdf: bytes) -> bool:
    return any(_PDF_ACTION.search(_plain_names(part)) for part in (pdf, *_hidden_objects(pdf)))


def _plain_names(pdf: bytes) -> bytes:
    if b"#" not in pdf:
        return pdf
    return _PDF_ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), pdf)


def _hidden_objects(pdf: bytes) -> Iterator[bytes]:
    """Yield the inflated object streams of a PDF, in which names can hide, up to a ceiling."""
    left = _MOST_INFLATED
    for match in _PDF_OBJECTS.finditer(pdf):
        try:
            inflated = zlib.decompressobj().decompress(pdf[match.end() :], left)
        except zlib.error:
            continue
        left -= len(inflated)
        yield inflated
        if left <= 0:
            yield b"/JavaScript"  # too much to look through: nobody can vouch for it
            return
