"""A small PDF that is one: lines of text on a page, its cross-reference table right to the byte.

ISO 32000-1, 7.5 (file structure) and 9.4 (text objects). No font is embedded: Courier is one of the
standard fourteen, and keeps the columns of a report.
"""

from collections.abc import Sequence

_PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R "
    b"/Resources << /Font << /F1 4 0 R >> >> >>"
)
_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"


def pdf(lines: Sequence[str]) -> bytes:
    """Return a page of A4 with *lines* on it, in Windows-1252; what that lacks becomes `?`."""
    text = b"".join(b"(" + _literal(line) + b") Tj T*\n" for line in lines)
    content = b"BT /F1 11 Tf 14 TL 56 780 Td\n" + text + b"ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        _PAGE,
        _FONT,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    )
    made, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(made + b"startxref\n%d\n%%%%EOF\n" % start)


def _literal(line: str) -> bytes:
    octets = line.encode("cp1252", "replace")
    return octets.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
