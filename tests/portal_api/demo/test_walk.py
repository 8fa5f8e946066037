"""The walk that is printed for developers of apps is the one that the check goes."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from portal_api.demo.accounts import APP
from portal_api.demo.walk import REDIRECT, printed

ADDRESS = "http://127.0.0.1:8000"


def test_the_printed_challenge_is_that_of_the_printed_verifier() -> None:
    lines = printed(ADDRESS)
    asked = parse_qs(urlsplit(lines[1].strip()).query)
    form = dict(
        word.split("=", 1) for word in lines[4].split() if "=" in word and not word.startswith("-")
    )
    digest = sha256(form["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == [urlsafe_b64encode(digest).decode().rstrip("=")]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["aud"] == [f"{ADDRESS}/fhir"]
    assert form == {
        "grant_type": "authorization_code",
        "client_id": APP.client_id,
        "redirect_uri": REDIRECT,
        "code": "CODE",
        "code_verifier": form["code_verifier"],
    }


def test_the_app_may_be_answered_where_the_walk_says() -> None:
    assert APP.answers_at(REDIRECT)


def test_two_walks_never_share_a_verifier() -> None:
    assert printed(ADDRESS)[4] != printed(ADDRESS)[4]
