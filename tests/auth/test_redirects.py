"""Redirect addresses: what can be registered, and what matches it."""

import pytest

from auth import redirects

REGISTERED = "https://app.example/signed-in"


@pytest.mark.parametrize(
    "asked",
    [
        "https://app.example/signed-in/",
        "https://app.example/signed-in/more",
        "https://app.example/signed-in?next=1",
        "https://app.example/signed-in#part",
        "https://app.example/Signed-in",
        "https://APP.example/signed-in",
        "https://app.example:443/signed-in",
        "https://app.example:8443/signed-in",
        "https://app.example/signed%2din",
        "https://app.example/x/../signed-in",
        "https://app.example@evil.example/signed-in",
        "https://user@app.example/signed-in",
        "https://app.example\\@evil.example/signed-in",
        "https://app.example.evil.example/signed-in",
        "https://app.example/signed-in%00",
        "https://аpp.example/signed-in",  # noqa: RUF001 - a Cyrillic letter
        "http://app.example/signed-in",
        "HTTPS://app.example/signed-in",
        "//app.example/signed-in",
        "https:/app.example/signed-in",
        " https://app.example/signed-in",
        "https://app.example/signed-in\n",
        "javascript:alert(1)",
        "https://app.example",
        "",
    ],
)
def test_case_89_an_address_that_is_not_the_registered_one_does_not_match(asked):
    assert not redirects.matches(REGISTERED, asked)


def test_the_registered_address_matches():
    for address in (REGISTERED, "uk.nhs.example:/signed-in", "http://127.0.0.1/cb"):
        assert redirects.matches(address, address)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_a_native_application_on_loopback_may_be_answered_on_any_port(host):
    for registered in (f"http://{host}/cb", f"http://{host}:8080/cb"):
        for asked in (f"http://{host}:51004/cb", f"http://{host}/cb", f"http://{host}:8080/cb"):
            assert redirects.matches(registered, asked)


@pytest.mark.parametrize(
    "asked",
    [
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004/cb?x=1",
        "http://127.0.0.1:51004/cb#x",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:5100x/cb",
        "http://127.0.0.1.evil.example:51004/cb",
        "http://127.0.0.1:51004@evil.example/cb",
        "http://localhost:51004/cb",
        "http://[::1]:51004/cb",
        "http://127.0.0.2:51004/cb",
        "http://0177.0.0.1:51004/cb",
        "https://127.0.0.1:51004/cb",
        "http://127.0.0.1:51004/cb\\x",
    ],
)
def test_only_the_port_is_free_on_loopback(asked):
    assert not redirects.matches("http://127.0.0.1/cb", asked)


def test_a_port_is_free_on_loopback_only():
    assert not redirects.matches("https://app.example/cb", "https://app.example:51004/cb")


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example/signed-in?from=portal",
        "https://app.example:8443/",
        "http://127.0.0.1/cb",
        "http://[::1]:9000/cb",
        "http://localhost:3000/",
        "uk.nhs.example:/signed-in",
        "com.example.app://signed-in",
    ],
)
def test_addresses_that_can_be_registered(address):
    assert redirects.fault(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example/cb",
        "https://app.example/cb#part",
        "https://*.app.example/cb",
        "https://user@app.example/cb",
        "https://app.example/a/../cb",
        "https://App.example/cb",
        "https://app.example\\cb",
        'https://app.example/"cb',
        "https://app.example/c b",
        "javascript:/alert(1)",
        "data:text/html,x",
        "app:/signed-in",
        "file:///etc/passwd",
        "https:///cb",
        "cb",
        "https://app.example/" + "x" * 2048,
    ],
)
def test_addresses_that_cannot_be_registered(address):
    assert redirects.fault(address) != ""


@pytest.mark.parametrize(
    ("address", "shown", "target"),
    [
        ("https://app.example/cb", "app.example", "https://app.example"),
        ("http://127.0.0.1:51004/cb", "127.0.0.1:51004", "http://127.0.0.1:51004"),
        ("http://[::1]:51004/cb", "[::1]:51004", "http:"),
        ("uk.nhs.example:/signed-in", "uk.nhs.example:", "uk.nhs.example:"),
    ],
)
def test_a_person_and_a_browser_are_told_where_the_answer_goes(address, shown, target):
    assert redirects.shown(address) == shown
    assert redirects.form_target(address) == target
