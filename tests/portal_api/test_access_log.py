"""The ledger's entries as a patient reads them."""

import secrets
from datetime import UTC, datetime

import pytest

from fhir_server.access import Agent
from fhir_server.audit.event import AccessEvent, encode
from fhir_server.clock import micros
from fhir_server.model import json
from portal_api.access_entry import access
from portal_api.access_log import sentence

NURSE = Agent(
    "clinician",
    user=f"Practitioner/{'1' * 32}",
    name="Priya Shah",
    organization="Northgate Hospital",
    client="portal",
    purpose="TREAT",
    network="192.0.2.1",
)
ALAN = Agent("patient", user=f"Patient/{'a' * 32}", client="portal")
FEED = Agent("feed", user="feed:north", organization="Northgate Hospital", network="192.0.2.9")
APP = Agent("patient", user=f"Patient/{'a' * 32}", client="Health Diary")
SYSTEM = Agent("client", client="research-export", organization="Wirralside")
REFUSED = "tried to open your name and details, and was refused"
REPORT = f"DiagnosticReport/{'b' * 32}"


def entry(agent, subtype="read", entity=REPORT, outcome="0", **also):
    """An entry of the ledger, read back."""
    event = AccessEvent(
        subtype=subtype,
        outcome=outcome,
        recorded=micros(datetime(2026, 11, 24, 9, 5, tzinfo=UTC)),
        agent=agent,
        request_id="r-1",
        entity=entity,
        **also,
    )
    return access(json.decode(encode(event, id_="c" * 32, nonce=secrets.token_bytes(16))))


@pytest.mark.parametrize(
    ("agent", "told", "words"),
    [
        (NURSE, {}, "A clinician from Northgate Hospital looked at your results."),
        (
            NURSE,
            {"subtype": "release"},
            "A clinician from Northgate Hospital opened a result for you.",
        ),
        (
            NURSE,
            {"outcome": "4", "entity": f"Patient/{'a' * 32}"},
            f"A clinician from Northgate Hospital {REFUSED}.",
        ),
        (
            NURSE,
            {"subtype": "search-type", "entity": "Communication", "query": "status=in-progress"},
            "A clinician from Northgate Hospital looked at your messages.",
        ),
        (ALAN, {}, "You looked at your results."),
        (APP, {}, "You, with the app Health Diary, looked at your results."),
        (ALAN, {"subtype": "create", "entity": "Communication/x"}, "You sent a message."),
        (
            FEED,
            {"subtype": "message-filed"},
            "The laboratory at Northgate Hospital added a result.",
        ),
        (
            SYSTEM,
            {"subtype": "search-type", "entity": "Observation"},
            "The computer system research-export at Wirralside looked at your results.",
        ),
    ],
)
def test_an_entry_reads_as_a_plain_sentence(agent, told, words):
    assert sentence(entry(agent, **told)) == words


def test_an_entry_keeps_what_an_auditor_asks_for():
    found = entry(NURSE, patient="a" * 32, relationship="CareTeam/t", reason="")
    assert (found.role, found.name, found.organization) == (
        "clinician",
        "Priya Shah",
        "Northgate Hospital",
    )
    assert (found.client, found.purpose, found.entity) == ("portal", "TREAT", REPORT)
    assert (found.patient, found.relationship) == ("a" * 32, "CareTeam/t")
    assert (found.request_id, found.outcome, found.user) == ("r-1", "0", NURSE.user)


def test_what_was_searched_for_is_not_shown():
    found = entry(NURSE, subtype="search-type", entity="Patient", query="identifier=9990000018")
    assert found.entity == "Patient"
    assert "999" not in sentence(found)
