"""Documents: found wherever they stand, named by what they are, held where they could do harm."""

import binascii
import zlib
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha1

import pytest

from adapters.hl7v2.conversion import Document, Flag
from adapters.hl7v2.er7 import Refused
from tests.adapters.hl7v2.oru_messages import with_results

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
RTF = b"{\\rtf1 Report of a scan, long enough}"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
ZIP = b"PK\x03\x04" + bytes(40)


def document(field, kind="ED"):
    conversion = with_results(f"OBX|1|{kind}|DOC^Full report^L||{field}||||||F")
    return conversion, conversion.groups[0]


def base64(content):
    return b64encode(content).decode()


@pytest.mark.parametrize(
    "field",
    [
        f"^application^pdf^Base64^{base64(PDF)}",
        f"LAB^AP^PDF^BASE64^{base64(PDF)}",
        f"^^^^{base64(PDF)}",
        f"^^^A^{base64(PDF)}",
        f"^^{base64(PDF)}",
        base64(PDF),
        f"^AP^PDF^Hex^{binascii.hexlify(PDF).decode()}",
        f"^AP^PDF^Base64^{urlsafe_b64encode(PDF).decode()}",
        f"^AP^PDF^Base64^{base64(PDF).rstrip('=')}",
        f"^AP^PDF^Base64^{base64(PDF)[:40]}\\X0D0A\\{base64(PDF)[40:]}",
        f"^AP^PDF^Base64^{base64(PDF)[:40]}\\.br\\{base64(PDF)[40:]}",
    ],
)
def test_a_pdf_is_found_and_decoded_wherever_and_however_it_was_put(field):
    conversion, group = document(field)
    assert group.report.tree["presentedForm"] == [
        {
            "contentType": "application/pdf",
            "data": base64(PDF),
            "size": len(PDF),
            "hash": base64(sha1(PDF).digest()),
            "title": "Full report",
            "creation": "2026-08-03T14:05:00+01:00",
        }
    ]
    assert group.documents == (Document("Full report", "application/pdf", len(PDF), ""),)
    assert (conversion.flags, group.holds, group.observations) == ((), (), ())


@pytest.mark.parametrize(
    ("content", "kind", "hold"),
    [
        (RTF, "application/rtf", "type-differs"),
        (b"II*\x00" + bytes(40), "image/tiff", "type-differs"),
        (PNG, "image/png", ""),
        (b"\xff\xd8\xff" + bytes(40), "image/jpeg", ""),
        (b"A report in plain words, long enough.", "text/plain", ""),
        (ZIP, "application/zip", "document-active"),
        (b"<html><script>alert(1)</script></html>", "text/html", "document-active"),
        (b"<?xml version='1.0'?><ClinicalDocument/>", "application/xml", "document-active"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40), "application/x-ole-storage", "document-active"),  # noqa: E501
        (bytes(range(256)), "application/octet-stream", "type-differs"),
    ],
)  # fmt: skip
def test_the_content_decides_what_a_document_is_whatever_it_claims(content, kind, hold):
    conversion, group = document(f"^application^pdf^Base64^{base64(content)}")
    assert group.report.tree["presentedForm"][0]["contentType"] == kind
    assert group.documents[0].hold == hold
    assert group.holds == ((hold,) if hold else ())
    assert Flag("type-differs", "OBX[1].5") in conversion.flags


def pdf_with(body):
    return b"%PDF-1.7\n" + body + b"\ntrailer<<>>\n%%EOF\n"


@pytest.mark.parametrize(
    "body",
    [
        b"<</S/JavaScript/JS(app.alert\\(1\\))>>",
        b"<</S/J#61vaScript>>",
        b"<</S/Launch/F(cmd.exe)>>",
        b"<</Type/EmbeddedFile>>",
        b"<</Names<</EmbeddedFiles 3 0 R>>>>",
        b"<</AcroForm<</XFA 3 0 R>>>>",
        b"5 0 obj<</Type/ObjStm/Filter/FlateDecode>>stream\n"
        + zlib.compress(b"1 0 <</S/JavaScript>>")
        + b"\nendstream",
    ],
)
def test_a_pdf_that_could_run_something_is_held(body):
    conversion, group = document(f"^AP^PDF^Base64^{base64(pdf_with(body))}")
    assert group.holds == ("document-active",)
    assert Flag("document-active", "OBX[1].5") in conversion.flags


@pytest.mark.parametrize(
    "body",
    [
        b"<</Type/Page>>",
        b"(a text about JavaScript)",
        b"5 0 obj<</Type/ObjStm/Filter/FlateDecode>>stream\n"
        + zlib.compress(b"1 0 <</Type/Page>>")
        + b"\nendstream",
    ],
)
def test_a_pdf_that_only_shows_something_is_not_held(body):
    assert document(f"^AP^PDF^Base64^{base64(pdf_with(body))}")[1].holds == ()


@pytest.mark.parametrize(
    "field",
    [
        f"^AP^PDF^Base64^{base64(PDF)[:-30]}",
        f"^AP^PDF^Base64^{base64(PDF)[:41]}",
        "^AP^PDF^Base64^this is not base64!",
        "^AP^PDF^Hex^zz",
        "^AP^PDF^Base64^",
    ],
)
def test_a_document_cut_short_or_undecodable_refuses_the_message(field):
    with pytest.raises(Refused) as caught:
        document(field)
    refused = caught.value
    assert (refused.ack, refused.hl7_code, refused.code, refused.field) == (
        "AE",
        102,
        "document-broken",
        "OBX[1].5",
    )


def test_a_pointer_is_kept_and_held_and_never_visited():
    _, group = document("https://pacs.example/1^PACS^application^pdf", kind="RP")
    assert group.report.tree["presentedForm"] == [
        {
            "contentType": "application/pdf",
            "url": "https://pacs.example/1",
            "title": "Full report",
            "creation": "2026-08-03T14:05:00+01:00",
        }
    ]
    assert group.holds == ("document-elsewhere",)


def test_a_pointer_that_is_no_address_is_left_out_and_flagged():
    conversion, group = document(r"\E\\E\server\E\share", kind="RP")
    assert "presentedForm" not in group.report.tree
    assert conversion.flags == (Flag("pointer-unread", "OBX[1].5"),)


def test_a_document_taken_back_is_no_longer_shown():
    conversion = with_results(
        "OBX|1|NM|T^Test^L||5|||||||F".replace("|||||||F", "||||||F"),
        f"OBX|2|ED|DOC^Full report^L||^AP^PDF^Base64^{base64(PDF)}||||||W",
    )
    group = conversion.groups[0]
    assert "presentedForm" not in group.report.tree
    assert conversion.flags == (Flag("document-withdrawn", "OBX[2]"),)
    assert group.status == "final"


def test_a_report_whose_only_document_is_taken_back_is_taken_back():
    conversion = with_results("OBX|1|ED|DOC^Full report^L||||||||W")
    assert conversion.groups[0].status == "entered-in-error"


def test_ten_megabytes_of_pdf_are_carried_whole():
    content = pdf_with(b"stream\n" + b"x" * 10_000_000 + b"\nendstream")
    _, group = document(f"^AP^PDF^Base64^{base64(content)}")
    form = group.report.tree["presentedForm"][0]
    assert (form["size"], form["data"]) == (len(content), base64(content))
