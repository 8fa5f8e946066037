"""Attacks by what is in a body: cases 104 to 107, against the real socket.

What can't be read changes nothing, is told in an OperationOutcome, and is on the ledger.
"""

import gzip
from typing import Any

from fhir_server.model.validate import judge

FHIR = {"Content-Type": "application/fhir+json"}
HEAD = '{"resourceType":"Observation","status":"final","code":{"text":"x"},'
BOMB = gzip.compress(b"[" * 50_000_000, 1)


def whole(world: Any, more: str) -> bytes:
    """Return a result of Alan's with *more* in it, valid but for that."""
    return f'{HEAD}"subject":{{"reference":"Patient/{world.alan}"}},{more}}}'.encode(
        errors="surrogatepass"
    )


def nested(depth: int) -> str:
    inner = '{"url":"https://x.example","valueString":"x"}'
    for _ in range(depth):
        inner = f'{{"url":"https://x.example","extension":[{inner}]}}'
    return f'"extension":[{inner}]'


def refused(world: Any, name: str, content: bytes, status: int, **headers: str) -> str:
    """Send *content* as a result; return what is said of it, after looking at everything else."""
    sent = FHIR | {key.replace("_", "-"): value for key, value in headers.items()}
    system = world.as_client()
    before = world.entries()
    response = system.ask("POST", "Observation", content=content, headers=sent)
    assert response.status_code == status, (name, response.status_code, response.text)
    outcome = judge(response.content, "OperationOutcome")
    (newest,) = world.newest()
    assert world.entries() == before + 1, name
    assert (newest.subtype, newest.outcome, newest.patient) == ("create", "4", ""), name
    assert newest.request_id == response.headers["x-request-id"], name
    return str(outcome["issue"][0]["details"]["text"])


def test_case_104_what_nests_too_deeply_is_refused_before_it_is_parsed(world: Any) -> None:
    for name, content in {
        "2000 arrays": b"[" * 2000 + b"]" * 2000,
        "2000 objects": b'{"a":' * 2000 + b"1" + b"}" * 2000,
        "a million open": b"[" * 1_000_000,
        "150 extensions": whole(world, nested(150)),
        "65 extensions": whole(world, nested(65)),
        "brackets in a key": b'{"' + b"[" * 5000 + b'":' + b"[" * 100,
    }.items():
        assert refused(world, name, content, 400).startswith("The JSON nests deeper than 64")
    assert world.as_client().ask(
        "POST", "Observation", content=whole(world, '"note":[{"text":"[[[[{{{{"}]'), headers=FHIR
    ).status_code == 201  # fmt: skip


def test_case_105_a_key_that_stands_twice_is_refused_wherever_it_stands(world: Any) -> None:
    theirs = f'"subject":{{"reference":"Patient/{world.brian}"}}'
    for name, more in {
        "two subjects": theirs,
        "escaped": theirs.replace("subject", "\\u0073ubject"),
        "deep inside": '"note":[{"text":"a","text":"b"}]',
        "two types": '"resourceType":"Patient"',
        "in an extension": '"extension":[{"url":"https://x.example","url":"https://y.example"}]',
    }.items():
        said = refused(world, name, whole(world, more), 400)
        assert said == "The same key stands twice in one JSON object."
    for patient in (world.alan, world.brian):
        found = world.as_client().get(f"Observation?patient={patient}&code:text=x")
        assert found.status_code == 400
        assert len(world.as_client().ids(f"Observation?patient={patient}&status=final")) == 3


def test_case_106_what_is_no_exact_value_is_refused(world: Any) -> None:
    value = '"valueQuantity":{{"value":{}}}'.format
    text = '"valueString":"{}"'.format
    for name, more in {
        "NaN": value("NaN"),
        "Infinity": value("Infinity"),
        "-Infinity": value("-Infinity"),
        "5000 digits": value("1" * 5000),
        "5000 decimals": value("0." + "1" * 5000),
        "1e400": value("1e400"),
        "1e-400": value("1e-400"),
        "1e999999999999": value("1e999999999999"),
        "01": value("01"),
        "hex": value("0x10"),
        "high surrogate": text("\\ud800"),
        "low surrogate": text("\\udc00"),
        "turned surrogates": text("\\udc00\\ud800"),
        "raw surrogate": text("\ud800"),
        "escaped NUL": text("\\u0000"),
        "escaped ESC": text("\\u001b[31m"),
        "raw NUL": text("\x00"),
        "raw newline": text("a\nb"),
        "a comment": '"valueString":"a"/* "status":"amended" */',
        "a trailing comma": '"valueString":"a",',
        "single quotes": "'valueString':'a'",
    }.items():
        refused(world, name, whole(world, more), 400)


def test_case_106_what_is_no_text_of_ours_is_refused(world: Any) -> None:
    plain = whole(world, '"valueString":"a"')
    for name, content in {
        "a byte order mark": b"\xef\xbb\xbf" + plain,
        "UTF-16": plain.decode().encode("utf-16"),
        "latin-1": plain.replace(b'"a"', b'"\xe9"'),
        "overlong": plain.replace(b'"a"', b'"\xc0\xaf"'),
        "two documents": plain + plain,
        "a document and a half": plain + b"{",
        "nothing": b"",
        "white space": b"  \n ",
        "NDJSON": plain + b"\n" + plain,
    }.items():
        refused(world, name, content, 400)
    for name, content in {"a list": b"[" + plain + b"]", "a text": b'"x"', "null": b"null"}.items():
        refused(world, name, content, 422)


def test_case_106_what_is_too_large_or_packed_is_refused(world: Any) -> None:
    ten = whole(world, '"valueString":"{}"'.format("x" * 10_000_000))
    said = refused(world, "a text of 10 MB", ten, 422)
    assert said.startswith("Observation.valueString must be")
    refused(world, "17 MB", b" " * (17 * 1024 * 1024), 413)
    refused(world, "a bomb", BOMB, 415, Content_Encoding="gzip")
    refused(world, "a bomb by stealth", BOMB, 400)
    refused(world, "deflate", b"x", 415, Content_Encoding="deflate")
    refused(world, "identity and gzip", b"x", 415, Content_Encoding="identity, gzip")


def test_case_107_xml_is_not_read_however_it_is_called(world: Any) -> None:
    entity = (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">'
        b'<!ENTITY b "&a;&a;">]><Patient xmlns="http://hl7.org/fhir">&b;</Patient>'
    )
    for kind in ("application/fhir+xml", "application/xml", "text/xml", "xml", "text/html"):
        refused(world, kind, entity, 415, Content_Type=kind)
    said = refused(world, "called JSON", entity, 400)
    assert "root:" not in said
    for asked in ({"Accept": "application/fhir+xml"}, {"Accept": "text/xml;q=1.0"}):
        response = world.as_client().get("Observation", headers=asked)
        assert response.status_code == 406
        assert b"<" not in response.content


def test_a_fault_is_told_without_what_was_sent(world: Any) -> None:
    secret = "Sigrid-Undset-1955"
    for more in (
        f'"valueString":"{secret}",',
        f'"{secret}":1',
        f'"status":"{secret}"',
        f'"valueQuantity":{{"value":"{secret}"}}',
        f'"performer":[{{"reference":"{secret} {secret}"}}],"effectiveDateTime":"{secret}"',
    ):
        content = whole(world, more)
        response = world.as_client().ask("POST", "Observation", content=content, headers=FHIR)
        assert response.status_code in {400, 422}
        assert secret not in response.text
        assert secret.encode() not in bytes(world.newest()[0].body)
