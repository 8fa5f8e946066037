"""Attacks by headers and by bytes: cases 109, 112 and 113, against the real socket."""

from typing import Any

import pytest

from fhir_server.model import json
from fhir_server.model.ids import new_id
from fhir_server.model.validate import judge

EVIL = "evil.example"
POST = b"POST /fhir/Observation HTTP/1.1\r\nHost: x\r\n"


def request(world: Any, line: str, *headers: bytes, asker: Any = None) -> bytes:
    """Return the bytes of a request with *headers* as they are, and a token if *asker* has one."""
    token = [f"Authorization: Bearer {asker.token}".encode()] if asker else []
    start = [f"{line} HTTP/1.1".encode("latin-1"), b"Host: portal.example", b"Connection: close"]
    return world.raw(b"\r\n".join([*start, *token, *headers, b"", b""]))


def parts(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


SPOOFED = {
    **dict.fromkeys(("Host", "X-Forwarded-Host", "X-Forwarded-For", "X-Real-IP"), EVIL),
    **dict.fromkeys(("X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Original-URL"), EVIL),
    "X-Rewrite-URL": EVIL,
    "Forwarded": f"host={EVIL};for={EVIL}",
}


@pytest.mark.parametrize("names", [["Host"], [*SPOOFED]])
def test_case_112_links_start_with_the_configured_address_whatever_a_header_says(
    world: Any, names: list[str]
) -> None:
    alan = world.as_patient(world.alan)
    spoofed = {name: SPOOFED[name] for name in names}
    for path in ("Observation?_count=1", f"Patient/{world.alan}/_history", "Observation?foo=1"):
        response = alan.get(path, headers=spoofed)
        assert EVIL not in response.text
        assert not any(EVIL in value for value in response.headers.values())
    bundle = alan.get("Observation?_count=1", headers=spoofed).json()
    addresses = [one["url"] for one in bundle["link"]] + [bundle["entry"][0]["fullUrl"]]
    assert all(one.startswith(f"{world.base}/fhir/Observation") for one in addresses)
    (entry,) = world.newest()
    agents = json.decode(bytes(entry.body))["agent"]
    assert {one["network"]["address"] for one in agents if "network" in one} == {
        "127.0.0.1",
        "portal-fhir",
    }
    made = world.as_client().ask(
        "POST",
        "Observation",
        json={
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/{world.alan}"},
        },
        headers=spoofed,
    )
    assert made.headers["location"].startswith(f"{world.base}/fhir/Observation/")
    for path in ("/fhir/metadata", "/.well-known/smart-configuration"):
        assert EVIL not in world.client.get(f"{world.base}{path}", headers=spoofed).text


def test_case_112_no_address_is_sent_on_to_where_a_header_says(world: Any) -> None:
    for path in (
        "/livez/",
        "/readyz/",
        "/fhir/metadata/",
        "/token/",
        "/fhir/Observation/",
        "//x/y",
    ):
        asked = f"GET {path} HTTP/1.1\r\nHost: {EVIL}\r\nConnection: close\r\n\r\n"
        status, headers, _ = parts(world.raw(asked.encode()))
        assert "location" not in headers
        assert status in {401, 404, 405}, path


def test_case_109_a_line_break_never_makes_a_header_or_a_line(world: Any) -> None:
    alan = world.as_patient(world.alan)
    for twisted in (
        "GET /fhir/Observation?code=x%0d%0aX-Evil:%201",
        "GET /fhir/Observation?%0d%0aX-Evil:%201=1",
        "GET /fhir/Observation/x%0d%0aX-Evil:%201",
        "GET /fhir/%0d%0aX-Evil:%201",
        "GET /fhir/Observation?_sort=%0aX-Evil",
        "GET /fhir/Observation?code=%1b%5b31mred",
        "GET /fhir/Observation?code=%e2%80%a8%e2%80%ae",
        "GET /fhir/Observation/%e2%80%ae%00",
    ):
        before = world.entries()
        status, headers, body = parts(request(world, twisted, asker=alan))
        assert status in {200, 400, 404}, twisted
        assert "x-evil" not in headers
        judge(body)
        assert world.entries() == before + 1
        (entry,) = world.newest()
        body_text = bytes(entry.body).decode()
        assert body_text.isprintable(), twisted
        assert entry.entity.isprintable()


STRANGE = (
    b"User-Agent: " + b"x" * 60_000,
    b"X-Request-Id: " + "\u2028".encode(),
    b"X-Request-Id: ../../etc/passwd",
    b"X-Request-Id: " + b"a" * 10_000,
    b"X-Request-Id: <script>",
    b"Referer: https://x.example/?token=abc",
    b"Accept-Language: en\xff\xfe",
    b"Cookie: session=\xff",
    b"Origin: https://evil.example",
    b"Origin: null",
    b"Prefer: return=\xff",
    b"If-None-Match: \xff",
    b"If-Modified-Since: \xff",
    b"Range: bytes=0-10",
    b"Expect: something",
)


def test_case_109_a_strange_header_changes_nothing_and_is_not_sent_back(world: Any) -> None:
    alan = world.as_patient(world.alan)
    path = f"GET /fhir/Patient/{world.alan}"
    _, plain, whole = parts(request(world, path, asker=alan))
    for header in STRANGE:
        before = world.entries()
        status, headers, body = parts(request(world, path, header, asker=alan))
        assert (status, body) == (200, whole), header
        assert world.entries() == before + 1
        differing = {name for name in headers if headers[name] != plain.get(name)}
        assert differing <= {"x-request-id", "date"}, header
        assert len(headers["x-request-id"]) == 16
        (entry,) = world.newest()
        assert bytes(entry.body).decode().isprintable(), header
        assert entry.request_id == headers["x-request-id"]


def test_case_116_an_id_chosen_twice_by_a_client_is_two_ids_here(world: Any) -> None:
    alan = world.as_patient(world.alan)
    seen = [
        alan.get(f"Patient/{world.alan}", headers={"X-Request-Id": "mine-1"}).headers[
            "x-request-id"
        ]
        for _ in range(2)
    ]
    assert len(set(seen)) == 2
    assert all(one.endswith(".mine-1") for one in seen)
    assert [one.request_id for one in world.newest(2)] == seen[::-1]


NO_REQUESTS = (
    b"GET /fhir/Observation?code=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /fhir/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"FOO /fhir/Observation HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /fhir/Observation?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /fhir/Observation HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nUser-Agent: \x1b[31mred\x1b[0m\r\n\r\n",
    b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\x00b\r\n\r\n",
    POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    POST + b"Content-Length: -1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 1000,
)


def test_case_109_bytes_that_are_no_request_are_refused_and_told_nothing(world: Any) -> None:
    for sent in NO_REQUESTS:
        status, headers, body = parts(world.raw(sent))
        assert (status, body) == (400, b"Invalid HTTP request received."), sent[:80]
        assert headers["connection"] == "close"
        assert headers["content-type"] == "text/plain; charset=utf-8"


def test_case_113_nothing_of_a_patient_is_ever_cached(world: Any) -> None:
    alan = world.as_patient(world.alan)
    mine = alan.ids("Observation")[0]
    for path, headers in (
        (f"Patient/{world.alan}", {}),
        (f"Observation/{mine}", {"If-None-Match": 'W/"1"'}),
        (f"Observation/{mine}/_history", {}),
        (f"Observation/{mine}/_history/1", {}),
        ("Observation", {}),
        (f"Patient/{world.brian}", {}),
        (f"Observation/{new_id()}", {}),
        ("Observation?foo=1", {}),
        ("Organization?name=x", {}),
        ("Observation", {"Accept": "text/html"}),
        ("$export", {}),
        ("", {}),
        ("Observation", {"Authorization": ""}),
        ("Observation", {"Authorization": "Bearer nonsense"}),
    ):
        for method in ("GET", "HEAD"):
            response = alan.ask(method, path, headers=headers)
            assert response.headers["cache-control"] == "no-store", path
            varying = {one.strip() for one in response.headers["vary"].split(",")}
            assert varying >= {"Authorization", "Origin", "Accept"}, path
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["referrer-policy"] == "no-referrer"
            assert "set-cookie" not in response.headers
    for method, path in (
        ("POST", "Observation"),
        ("PUT", f"Patient/{world.alan}"),
        ("DELETE", "x"),
    ):
        assert alan.ask(method, path).headers["cache-control"] == "no-store"


def test_case_94_a_token_in_an_address_is_refused_and_kept_nowhere(world: Any) -> None:
    alan = world.as_patient(world.alan)
    for query in (f"access_token={alan.token}", f"patient=x&ACCESS_TOKEN={alan.token}"):
        response = world.client.get(f"{world.base}/fhir/Observation?{query}")
        assert response.status_code == 401
        assert alan.token not in response.text
        response = alan.get(f"Observation?{query}")
        assert response.status_code == 401
        (entry,) = world.newest()
        assert alan.token.encode() not in bytes(entry.body)
        assert b"ccess_token" not in bytes(entry.body).lower()
