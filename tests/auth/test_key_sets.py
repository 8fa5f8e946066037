"""The key sets that applications publish: fetched within limits, and from nowhere else."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest

from auth import clients, key_sets
from auth.key_sets import KeySets, NotFetched, fault
from tests.auth.signing import BOTH, EC, OTHER, Signer, key_set, laboratory, member


@dataclass
class Publisher:
    """A hospital's web server, which counts who asks."""

    address: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = BOTH.encode()
    asked: list[str] = field(default_factory=list)
    stalls: threading.Event | None = None


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    told = Publisher()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            told.asked.append(f"{self.headers['Host']}{self.path}")
            if told.stalls is not None:
                told.stalls.wait(10)
            self.send_response(told.status)
            for name, text in told.headers.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        told.address = f"http://127.0.0.1:{server.server_port}/keys.json"
        yield told
        server.shutdown()
        thread.join()


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def turned() -> Clock:
    return Clock()


@pytest.fixture
def sets(turned) -> KeySets:
    return KeySets(loopback=True, monotonic=turned)


def names(sets, publisher, kid="ec-1"):
    return [key.kid for key in asyncio.run(sets.of(publisher.address, kid))]


def refused(sets, publisher, kid="ec-1"):
    with pytest.raises(NotFetched) as told:
        names(sets, publisher, kid)
    return str(told.value)


def test_a_set_is_fetched_once_and_kept(sets, publisher):
    for kid in ("ec-1", "rsa-1", "ec-1"):
        assert names(sets, publisher, kid) == ["ec-1", "rsa-1"]
    host = publisher.address.split("/")[2]
    assert publisher.asked == [f"{host}/keys.json"]


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("", 300),
        ("max-age=60", 60),
        ("public, max-age=60, must-revalidate", 60),
        ("max-age=86400", 3600),
        ("s-maxage=5", 300),
    ],
)
def test_o6_17_it_is_kept_no_longer_than_it_says_and_for_an_hour_at_most(
    sets, turned, publisher, cache_control, seconds
):
    publisher.headers = {"Cache-Control": cache_control}
    names(sets, publisher)
    turned.now += seconds - 1
    names(sets, publisher)
    assert len(publisher.asked) == 1
    turned.now += 1
    names(sets, publisher)
    assert len(publisher.asked) == 2


@pytest.mark.parametrize("cache_control", ["no-store", "no-cache", "max-age=0"])
def test_o6_17_what_may_not_be_kept_is_fetched_each_time(sets, publisher, cache_control):
    publisher.headers = {"Cache-Control": cache_control}
    for _ in range(3):
        names(sets, publisher)
    assert len(publisher.asked) == 3


def test_o6_18_a_new_key_is_found_while_the_old_set_is_kept(sets, publisher):
    names(sets, publisher)
    publisher.body = key_set(member(OTHER, "ec-2")).encode()
    assert names(sets, publisher, "ec-2") == ["ec-2"]
    assert len(publisher.asked) == 2


def test_unknown_names_do_not_make_us_ask_again_and_again(sets, publisher):
    names(sets, publisher)
    for number in range(2):
        assert names(sets, publisher, f"unknown-{number}") == ["ec-1", "rsa-1"]
    for number in range(20):
        why = refused(sets, publisher, f"unknown-{number}")
        assert why == "its key set was fetched too often, or the key is not in it"
    assert len(publisher.asked) == 3
    assert names(sets, publisher) == ["ec-1", "rsa-1"]


def test_many_who_ask_at_once_wait_for_the_same_set(sets, publisher):
    async def all_at_once():
        return await asyncio.gather(*(sets.of(publisher.address, "ec-1") for _ in range(20)))

    assert len(asyncio.run(all_at_once())) == 20
    assert len(publisher.asked) == 1


def test_a_set_that_has_run_out_is_not_used_where_it_cant_be_fetched(sets, turned, publisher):
    names(sets, publisher)
    publisher.status = 500
    assert names(sets, publisher) == ["ec-1", "rsa-1"]
    turned.now += 300
    assert refused(sets, publisher) == "its key set is not there"


@pytest.mark.parametrize(
    ("status", "headers", "body", "why"),
    [
        (302, {"Location": "http://127.0.0.1:1/keys"}, b"", "its key set is not there"),
        (404, {}, BOTH.encode(), "its key set is not there"),
        (200, {"Content-Encoding": "gzip"}, b"x", "its key set is not there"),
        (200, {}, b"x" * 70_000, "its key set is too large"),
        (200, {}, b"<html>", "its key set can't be read"),
        (200, {}, b'{"keys":[],"keys":[]}', "its key set can't be read"),
    ],
)
def test_o6_16_what_is_no_set_is_refused_and_nobody_is_followed(
    sets, publisher, status, headers, body, why
):
    publisher.status, publisher.headers, publisher.body = status, headers, body
    assert refused(sets, publisher) == why


def test_a_server_that_does_not_answer_is_given_up(sets, publisher, monkeypatch):
    monkeypatch.setattr(key_sets, "DEADLINE", 0.2)
    publisher.stalls = threading.Event()
    assert refused(sets, publisher) == "its key set can't be fetched"
    publisher.stalls.set()


def test_o6_16_this_machine_is_asked_in_a_demonstration_alone(publisher):
    assert "from which nothing is fetched" in refused(KeySets(), publisher)
    publisher.address = publisher.address.replace("http://", "https://")
    assert "from which nothing is fetched" in refused(KeySets(), publisher)
    assert publisher.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:0:1::1",
    ],
)  # fmt: skip
def test_o6_16_addresses_that_only_this_machine_can_reach_are_not_asked(address):
    assert not key_sets._may_be_asked(ip_address(address), loopback=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4009::1"])
def test_addresses_of_the_internet_are_asked(address):
    assert key_sets._may_be_asked(ip_address(address), loopback=False)


def test_o6_16_a_name_for_such_an_address_is_not_asked(publisher):
    publisher.address = "https://localhost/keys.json"
    assert refused(KeySets(), publisher) == (
        "its key set is in a network from which nothing is fetched"
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://lab.example/keys", "https://lab.example:8443/a?b=c", "https://[2a00::1]/keys",
    ],
)  # fmt: skip
def test_addresses_that_can_be_registered(address):
    assert fault(address, loopback=False) == ""


@pytest.mark.parametrize(
    "address",
    [
        "", "lab.example/keys", "http://lab.example/keys", "ftp://lab.example/", "file:///etc/passwd",
        "https://", "https://user@lab.example/", "https://user:word@lab.example/keys",
        "https://lab.example/#x", "https://Lab.example/", "https://lab.example:0/",
        "https://lab.example:99999/", "https://lab.example/a b", "https://é.example/",
        "https://lab.example\\@evil.example/", "http://127.0.0.1/", "https://[::1", "https://lab\t.x/",
        "https://lab.example/" + "x" * 3000,
    ],
)  # fmt: skip
def test_addresses_that_cant_be_registered(address):
    assert fault(address, loopback=False)


def test_in_a_demonstration_a_key_set_may_stand_on_this_machine_without_tls():
    assert fault("http://127.0.0.1:9000/keys", loopback=True) == ""
    assert fault("http://lab.example/keys", loopback=True)


def test_an_application_is_proven_by_the_keys_at_its_address(portal, publisher, sets):
    object.__setattr__(portal.services, "key_sets", sets)
    lab = laboratory(jwks_url=publisher.address)
    record = portal.services.record
    record.submit(portal.operator, lambda writer: clients.register(writer, lab)).result(10)
    signer = Signer(portal.clock)
    post = portal.another_browser().post
    good = signer.assertion({"jku": publisher.address})
    assert post("/token", data=signer.form(good)).status_code == 200
    foreign = signer.assertion({"jku": "http://127.0.0.1:1/keys"})
    assert post("/token", data=signer.form(foreign)).json()["error"] == "invalid_client"
    publisher.body = key_set(member(EC, "gone")).encode()
    publisher.status = 500
    unknown = signer.assertion({"kid": "unknown"})
    assert post("/token", data=signer.form(unknown)).json()["error"] == "invalid_client"
    assert portal.ledger("grant")[-1][-1] == "invalid_client: its key set is not there"
