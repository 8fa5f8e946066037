"""An app's way to a patient's results, as its developer goes it: authorization code with PKCE.

RFC 7636 and SMART App Launch 2.2. The lines that are printed for people come from the same
functions as the requests that the check makes.
"""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from fhir_server.model import json
from portal_api.demo.accounts import APP, PASSWORD
from portal_api.demo.browser import Browser, PageWrong

Tree = dict[str, Any]

REDIRECT = "http://127.0.0.1:8765/callback"
"""Where a developer's own program would listen; the port is free to choose."""
SCOPE = "launch/patient offline_access patient/*.rs patient/Communication.c"
PSA = "http://loinc.org|2857-1"


@dataclass(frozen=True, slots=True)
class Pair:
    """A code verifier and its S256 challenge. RFC 7636, sections 4.1 and 4.2."""

    verifier: str
    challenge: str


@dataclass(frozen=True, slots=True)
class Connected:
    """What the app was given: the token and the patient whose record it opens."""

    token: str
    patient: str
    answer: Tree


def new_pair() -> Pair:
    """Return a fresh verifier with its challenge."""
    verifier = secrets.token_urlsafe(48)
    digest = sha256(verifier.encode()).digest()
    return Pair(verifier, urlsafe_b64encode(digest).decode().rstrip("="))


def authorize_path(address: str, pair: Pair, state: str) -> str:
    """Return the path to which the app sends the patient's browser at the portal at *address*."""
    asked = {
        "response_type": "code",
        "client_id": APP.client_id,
        "redirect_uri": REDIRECT,
        "scope": SCOPE,
        "state": state,
        "aud": f"{address}/fhir",
        "code_challenge": pair.challenge,
        "code_challenge_method": "S256",
    }
    return f"/authorize?{urlencode(asked)}"


def token_request(code: str, verifier: str) -> dict[str, str]:
    """Return the form that exchanges *code* for a token."""
    return {
        "grant_type": "authorization_code",
        "client_id": APP.client_id,
        "redirect_uri": REDIRECT,
        "code": code,
        "code_verifier": verifier,
    }


def connect(address: str, login: str) -> Connected:
    """Go the whole way as *login*: sign in, allow everything that is asked for, take the token."""
    pair = new_pair()
    code = allowed(address, login, pair)
    answer = httpx.post(f"{address}/token", data=token_request(code, pair.verifier))
    if answer.status_code != 200:
        raise PageWrong(f"POST /token was answered with {answer.status_code}.")
    given: Tree = json.decode(answer.content)
    return Connected(given["access_token"], given["patient"], given)


def allowed(address: str, login: str, pair: Pair) -> str:
    """Sign in and consent as *login*; return the code with which the browser was sent back."""
    state = secrets.token_urlsafe(12)
    with Browser(address) as browser:
        sign_in = browser.open(authorize_path(address, pair, state))
        consent = browser.send(sign_in, "/sign-in", {"login": login, "password": PASSWORD})
        location = browser.redirected(consent, "/decision", {"decision": "allow"})
    back = parse_qs(urlsplit(location).query)
    if not location.startswith(REDIRECT) or back.get("state") != [state] or "code" not in back:
        raise PageWrong("Consent did not lead back to the app with a code.")
    return back["code"][0]


def printed(address: str) -> list[str]:
    """Return the walk as lines for a person with a browser and a shell."""
    pair = new_pair()
    form = token_request("CODE", pair.verifier)
    options = " ".join(f"-d {name}={value}" for name, value in form.items())
    search = urlencode({"patient": "PATIENT", "code": PSA, "_sort": "-date"})
    return [
        "1. Open this, sign in as a patient, and allow it:",
        f"   {address}{authorize_path(address, pair, 'tide')}",
        f"2. The browser goes to {REDIRECT}?code=CODE&… where nothing listens: copy the code.",
        "3. Within a minute, exchange it; the answer names TOKEN and PATIENT:",
        f"   curl -s {address}/token {options}",
        "4. Read:",
        f"   curl -s -H 'Authorization: Bearer TOKEN' '{address}/fhir/Observation?{search}'",
    ]
