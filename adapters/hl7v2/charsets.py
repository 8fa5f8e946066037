"""Which characters the bytes of a message are: declared, or found out and flagged.

MSH-18 names the set (HL7 v2.8 chapter 2, 2.14.9.18, table 0211), in every spelling that
senders have found for it. What the declared set can't decode goes down a chain: UTF-8, which
hardly ever decodes by accident, then Windows-1252.
"""

from dataclasses import dataclass

from adapters.hl7v2.refusal import Refused

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CHAIN = ("utf-8", "cp1252")

# Letters and digits of a name, in capitals → codec. ISO 8859-1 and its like leave 0x80 to 0x9F
# undefined: Python's codecs fill them with control characters, which decode_strictly refuses.
_CODECS = {
    "ASCII": "ascii",
    "USASCII": "ascii",
    "ISOIR6": "ascii",
    **{f"8859{part}": f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))},
    **{f"ISO8859{part}": f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))},
    "LATIN1": "iso8859-1",
    "ISOIR100": "iso8859-1",
    "WINDOWS1252": "cp1252",
    "CP1252": "cp1252",
    "ANSI": "cp1252",
    "UNICODEUTF8": "utf-8",
    "UTF8": "utf-8",
    "UTF8UNICODE": "utf-8",
    "ISOIR192": "utf-8",
    "UNICODEUTF16": "utf-16",
    "UTF16": "utf-16",
    "UNICODEUTF32": "utf-32",
    "UTF32": "utf-32",
    "UNICODE": "utf-16",
    "ISOIR14": "iso2022_jp",
    "ISOIR87": "iso2022_jp",
    "ISOIR159": "iso2022_jp_1",
    "GB180302000": "gb18030",
    "GB18030": "gb18030",
    "KSX1001": "euc_kr",
    "BIG5": "big5",
}
_WIDE = frozenset({"utf-16", "utf-32"})
_UNDEFINED = bytes(range(0x80, 0xA0))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the codec that gave it, and the flags that the operator should see."""

    text: str
    charset: str
    flags: tuple[str, ...]


def codec_named(name: str) -> str:
    """Return the Python codec for a character set's *name*, "" for a name nobody knows.

    Only the first repetition and component count; case, spaces and punctuation do not.
    """
    first = name.partition("~")[0].partition("^")[0]
    return _CODECS.get("".join(filter(str.isalnum, first)).upper(), "")


def decode(raw: bytes, declared: str, default_charset: str = "") -> Decoded:
    """Return *raw* as text: by MSH-18 (*declared*), by the feed's default, or down the chain.

    A byte order mark is dropped, and means UTF-8 where MSH-18 is empty. Flags: `charset-guessed`
    where nobody named the set of a message that is not plain ASCII; `charset-mismatch` where the
    named one can't decode it, or where UTF-8 stands under another name; `charset-unknown` where
    MSH-18 holds a name that nobody knows. Raises Refused: AR 102 `charset-utf16` for zero bytes in
    the first segment, AE 102 `charset-unreadable` where the whole chain fails.
    """
    refuse_wide(raw)
    marked = raw.startswith(BYTE_ORDER_MARK)
    octets = raw[len(BYTE_ORDER_MARK) :] if marked else raw
    named = codec_named(declared)
    flags = ("charset-unknown",) if declared and not named else ()
    expected = named or ("utf-8" if marked and not declared else codec_named(default_charset))
    if octets.isascii() and not expected.startswith("iso2022"):
        wrong = ("charset-mismatch",) if expected in _WIDE else ()
        return Decoded(
            octets.decode("ascii"), expected if not wrong and expected else "ascii", flags + wrong
        )
    text = None if expected in _WIDE or not expected else _decode_strictly(octets, expected)
    if text is not None:
        one_byte = expected == "cp1252" or expected.startswith("iso8859")
        doubted = one_byte and _decode_strictly(octets, "utf-8") is not None
        return Decoded(text, expected, flags + (("charset-mismatch",) if doubted else ()))
    reason = "charset-mismatch" if expected else "charset-guessed"
    for codec in _CHAIN:
        text = _decode_strictly(octets, codec)
        if text is not None:
            return Decoded(text, codec, (*flags, reason))
    raise Refused(
        "AE",
        102,
        "charset-unreadable",
        "MSH.18",
        "The bytes are no text in the declared character set, UTF-8 or Windows-1252.",
    )


def refuse_wide(raw: bytes) -> None:
    """Raise Refused (AR 102, `charset-utf16`) where the first segment holds a zero byte.

    Two or four bytes a character can't be framed: 0x0D and 0x1C are halves of many of them.
    """
    head = raw[: first_end(raw)]
    if b"\0" in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused(
            "AR",
            102,
            "charset-utf16",
            "MSH.18",
            "The message is in UTF-16 or UTF-32, which cannot be framed. Send UTF-8.",
        )


def first_end(raw: bytes) -> int:
    """Return where the first line of *raw* ends: at CR, at LF, or with the bytes."""
    ends = [end for end in (raw.find(b"\r"), raw.find(b"\n")) if end >= 0]
    return min(ends, default=len(raw))


def _decode_strictly(octets: bytes, codec: str) -> str | None:
    if codec.startswith("iso8859") and octets.translate(None, _UNDEFINED) != octets:
        return None
    try:
        return octets.decode(codec)
    except UnicodeDecodeError:
        return None
