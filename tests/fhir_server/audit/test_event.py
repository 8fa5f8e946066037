"""AuditEvents: valid FHIR, the shape of IHE BALP, and nothing in them that does not belong."""

import base64
from hashlib import sha256

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.access import Agent
from fhir_server.audit import verify
from fhir_server.audit.columns import columns
from fhir_server.audit.event import NONCE, QUERY_LIMIT, AccessEvent, encode
from fhir_server.audit.subtypes import SUBTYPES, Subtype
from fhir_server.model import json
from fhir_server.model.validate import judge

PATIENT, TEAM, OBSERVATION = "0a" * 16, "0c" * 16, "0b" * 16
RECORDED = 1_764_000_000_123_456
CLINICIAN = Agent(
    role="clinician",
    user="Practitioner/" + "0d" * 16,
    name="Dr Ada Bell",
    organization="RXX",
    client="portal",
    token_id="t-1",
    purpose="TREAT",
    network="192.0.2.7",
)
APPLICATION = Agent(role="client", client="app-1", token_id="t-2", network="192.0.2.8")
NOBODY = Agent(role="unknown", network="192.0.2.9")
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DCM = "http://dicom.nema.org/resources/ontology/DCM"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

QUERIES = {Subtype.SEARCH, Subtype.SEARCH_TYPE, Subtype.SEARCH_SYSTEM}
PATTERNS = {
    "Read": {Subtype.READ, Subtype.VREAD},
    "Query": QUERIES,
    "Create": {Subtype.CREATE},
    "Update": {Subtype.UPDATE, Subtype.PATCH},
    "Delete": {Subtype.DELETE},
}

texts = st.text(max_size=300) | st.text(alphabet="\x00\x1b\r\n\u202e\u2028\ud800 a", max_size=20)
agents = st.builds(
    Agent,
    role=st.sampled_from(["patient", "clinician", "auditor", "operator", "feed", "client"]),
    user=st.just("") | st.just("Practitioner/" + "0d" * 16) | texts,
    name=texts,
    organization=texts,
    client=texts,
    token_id=texts,
    purpose=texts,
    network=texts,
    behind=texts,
)
events = st.builds(
    AccessEvent,
    subtype=st.sampled_from(list(Subtype)),
    outcome=st.sampled_from(["0", "4", "8"]),
    recorded=st.integers(0, 4_102_444_800_000_000),
    agent=agents,
    request_id=texts,
    patient=st.sampled_from(["", PATIENT]),
    entity=st.sampled_from(["", "Observation", f"Observation/{OBSERVATION}/_history/2"]) | texts,
    query=texts,
    relationship=texts,
    reason=texts,
)


def event(subtype="read", agent=CLINICIAN, **changes):
    written = subtype in {"create", "update", "patch", "delete"}
    values = {
        "outcome": "0",
        "recorded": RECORDED,
        "request_id": "r-1",
        "patient": PATIENT,
        "entity": f"Observation/{OBSERVATION}" + ("/_history/1" if written else ""),
        "relationship": f"CareTeam/{TEAM}",
    }
    if subtype in QUERIES:
        values |= {"entity": "Observation", "query": "code=1&_count=5"}
    return AccessEvent(subtype=subtype, agent=agent, **(values | changes))


def made(access, **changes):
    return json.decode(encode(access, id_="0f" * 16, nonce=bytes(range(16)), **changes))


def balp_faults(tree):
    """Compare an AuditEvent with the element table of the BALP pattern that it claims."""
    profile = tree["meta"]["profile"][0].removeprefix(BALP)
    pattern = profile.removeprefix("Patient")
    agents = {each["type"]["coding"][0]["code"]: each for each in tree["agent"]}
    client, server, user_types, action = {
        "Read": ("110152", "110153", {"IRCP"}, "R"),
        "Query": ("110153", "110152", {"IRCP"}, "E"),
        "Create": ("110153", "110152", {"AUT", "INF", "CST"}, "C"),
        "Update": ("110153", "110152", {"AUT", "INF", "CST"}, "U"),
        "Delete": ("110150", "custodian", {"AUT", "INF", "CST"}, "D"),
    }[pattern]
    kinds = {
        (each["type"]["code"], each.get("role", {}).get("code")): each for each in tree["entity"]
    }
    users = [each for code, each in agents.items() if code in user_types]
    holds = {
        "type": tree["type"]["code"] == "rest",
        "subtype": tree["subtype"][0]["code"] in PATTERNS[pattern],
        "action": tree["action"] == action,
        "outcome": tree["outcome"] == "0",
        "recorded": "recorded" in tree,
        "source": "observer" in tree["source"],
        "client": {"who", "network"} <= agents[client].keys() and "media" not in agents[client],
        "server": {"who", "network"} <= agents[server].keys() and "media" not in agents[server],
        "user": len(users) <= 1 and not any("network" in user for user in users),
        "requestor": [each["requestor"] for each in tree["agent"]].count(True) == 1,
        "agents": len(tree["agent"]) == 2 + len(users),
        "transaction": "value" in kinds[("XrequestId", None)]["what"]["identifier"],
    }
    if pattern == "Query":
        query = kinds[("2", "24")]
        holds["query"] = "query" in query and not query.keys() & {"what", "lifecycle", "detail"}
    else:
        what = kinds[("2", "4")]["what"]["reference"]
        holds["data"] = pattern == "Read" or "/_history/" in what
    if profile.startswith("Patient"):
        holds["patient"] = kinds[("1", "1")]["what"]["reference"].startswith("Patient/")
    else:
        holds["patient"] = ("1", "1") not in kinds
    return [name for name, held in holds.items() if not held]


def test_an_audit_event_has_the_form_that_it_always_had():
    body = encode(event(), id_="0f" * 16, nonce=bytes(range(16)))

    assert (
        sha256(body).hexdigest()
        == "e0f714e28b499ebfa9db86d45a572e0ef61b872994d27b09dd5adeaa6617a715"
    )


def test_a_doctors_read_says_who_looked_at_what_when_why_and_through_which_application():
    assert made(event(), server="https://portal.example/fhir") == {
        "resourceType": "AuditEvent",
        "id": "0f" * 16,
        "meta": {
            "versionId": "1",
            "lastUpdated": "2025-11-24T16:00:00.123456Z",
            "profile": [BALP + "PatientRead"],
        },
        "extension": [{"url": NONCE, "valueBase64Binary": "AAECAwQFBgcICQoLDA0ODw=="}],
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest",
            "display": "RESTful Operation",
        },
        "subtype": [
            {
                "system": "http://hl7.org/fhir/restful-interaction",
                "code": "read",
                "display": "read",
            }
        ],
        "action": "R",
        "recorded": "2025-11-24T16:00:00.123456Z",
        "outcome": "0",
        "agent": [
            {
                "extension": [
                    {
                        "url": "https://portal-fhir.example/StructureDefinition/audit-organization",
                        "valueString": "RXX",
                    }
                ],
                "type": {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]},
                "role": [
                    {
                        "coding": [
                            {
                                "system": "https://portal-fhir.example/CodeSystem/agent-role",
                                "code": "clinician",
                            }
                        ]
                    }
                ],
                "who": {"reference": CLINICIAN.user},
                "name": "Dr Ada Bell",
                "requestor": True,
                "policy": ["urn:ietf:params:oauth:jti:t-1"],
                "purposeOfUse": [
                    {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
                                "code": "TREAT",
                            }
                        ]
                    }
                ],
            },
            {
                "type": {
                    "coding": [{"system": DCM, "code": "110152", "display": "Destination Role ID"}]
                },
                "who": {"identifier": {"value": "portal"}},
                "requestor": False,
                "network": {"address": "192.0.2.7", "type": "2"},
            },
            {
                "type": {
                    "coding": [{"system": DCM, "code": "110153", "display": "Source Role ID"}]
                },
                "who": {"identifier": {"value": "https://portal.example/fhir"}},
                "requestor": False,
                "network": {"address": "https://portal.example/fhir", "type": "5"},
            },
        ],
        "source": {
            "observer": {"identifier": {"value": "https://portal.example/fhir"}},
            "type": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                    "code": "4",
                }
            ],
        },
        "entity": [
            {
                "what": {"reference": f"Observation/{OBSERVATION}"},
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "2",
                },
                "role": {
                    "system": "http://terminology.hl7.org/CodeSystem/object-role",
                    "code": "4",
                },
            },
            {
                "what": {"reference": f"Patient/{PATIENT}"},
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "1",
                },
                "role": {
                    "system": "http://terminology.hl7.org/CodeSystem/object-role",
                    "code": "1",
                    "display": "Patient",
                },
                "detail": [{"type": "relationship", "valueString": f"CareTeam/{TEAM}"}],
            },
            {
                "what": {"identifier": {"value": "r-1"}},
                "type": {
                    "system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
                    "code": "XrequestId",
                },
            },
        ],
    }


@pytest.mark.parametrize("agent", [CLINICIAN, APPLICATION])
@pytest.mark.parametrize("patient", ["", PATIENT])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_success_claims_the_balp_pattern_that_it_fulfils(pattern, patient, agent):
    for subtype in PATTERNS[pattern]:
        tree = made(event(subtype, agent, patient=patient))

        assert tree["meta"]["profile"] == [BALP + ("Patient" if patient else "") + pattern]
        assert balp_faults(tree) == []


@pytest.mark.parametrize("outcome", ["4", "8"])
@pytest.mark.parametrize("subtype", Subtype)
def test_a_failure_never_claims_the_pattern_of_a_success(subtype, outcome):
    tree = made(event(subtype, outcome=outcome, reason="The scope does not cover this."))

    assert "profile" not in tree["meta"]
    assert tree["outcomeDesc"] == "The scope does not cover this."


@pytest.mark.parametrize(
    "lacking",
    [
        event(agent=Agent(role="client", client="app-1")),
        event(entity=""),
        event(entity="Observation"),
        event("update", entity=f"Observation/{OBSERVATION}"),
        event("release"),
    ],
)
def test_a_success_that_lacks_what_the_pattern_asks_for_does_not_claim_it(lacking):
    assert "profile" not in made(lacking)["meta"]


@given(events)
def test_whatever_is_recorded_is_a_valid_audit_event(access):
    body = encode(access, id_="0f" * 16, nonce=bytes(16))

    assert json.encode(judge(body, "AuditEvent")) == body
    AuditEvent.model_validate_json(body)


@given(events)
def test_the_columns_can_be_made_from_the_bytes_by_whoever_has_them(access):
    body = encode(access, id_="0f" * 16, nonce=bytes(16))

    assert columns(body)._asdict() == verify.columns(body)
    assert columns(body)._asdict() | {
        "agent": "",
        "client": "",
        "entity": "",
        "entity_type": "",
    } == {
        "id": "0f" * 16,
        "recorded": access.recorded,
        "patient": access.patient,
        "agent": "",
        "client": "",
        "subtype": access.subtype,
        "outcome": access.outcome,
        "entity_type": "",
        "entity": "",
        "request_id": columns(body).request_id,
    }


@given(events)
def test_no_control_character_gets_into_an_entry(access):
    body = encode(access, id_="0f" * 16, nonce=bytes(16))

    assert body.decode().isprintable()
    assert not set(str(json.decode(body))) & set("\x00\x1b\u202e\u2028")


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (
            event(),
            {
                "agent": CLINICIAN.user,
                "client": "portal",
                "entity_type": "Observation",
                "entity": f"Observation/{OBSERVATION}",
            },
        ),
        (
            event("search-type", APPLICATION),
            {"agent": "", "client": "app-1", "entity_type": "Observation", "entity": ""},
        ),
        (
            event("create", NOBODY, outcome="4", entity="Observation", patient=""),
            {"agent": "", "client": "", "entity_type": "Observation", "entity": ""},
        ),
        (
            event("message-filed", Agent(role="feed", user="feed:mersey"), entity="message:17"),
            {"agent": "feed:mersey", "client": "", "entity_type": "", "entity": "message:17"},
        ),
        (
            event("sign-in", NOBODY, outcome="4", entity="", patient=""),
            {"agent": "", "client": "", "entity_type": "", "entity": ""},
        ),
    ],
)
def test_the_columns_say_what_the_entry_says(access, expected):
    found = columns(encode(access, id_="0f" * 16, nonce=bytes(16)))._asdict()

    assert found == {
        "id": "0f" * 16,
        "recorded": RECORDED,
        "patient": access.patient,
        "subtype": access.subtype,
        "outcome": access.outcome,
        "request_id": "r-1",
        **expected,
    }


def test_a_search_keeps_exactly_what_was_asked():
    asked = "identifier=x%7C1&_count=5&name=\udce9\n"
    query = made(event("search-type", query=asked))["entity"][0]

    assert (
        base64.b64decode(query["query"]) == b"Observation?identifier=x%7C1&_count=5&name=\\udce9\n"
    )
    assert "description" not in query


def test_a_search_that_is_too_long_says_how_long_it_was():
    query = made(event("search-type", query="x" * QUERY_LIMIT))["entity"][0]

    assert base64.b64decode(query["query"]) == b"Observation?" + b"x" * (QUERY_LIMIT - 12)
    assert query["description"] == f"The first {QUERY_LIMIT} of {QUERY_LIMIT + 12} bytes."


def test_the_person_at_the_machine_is_named_behind_a_token_of_the_command_line():
    person = Agent(role="clinician", user=CLINICIAN.user, behind="root", network="127.0.0.1")
    application = Agent(role="client", client="app-1", behind="root", network="127.0.0.1")

    assert made(event(agent=person))["agent"][0]["altId"] == "root"
    assert made(event(agent=application))["agent"][0]["altId"] == "root"


@pytest.mark.parametrize(
    "agent",
    [
        Agent(role="patient", user=f"Patient/{PATIENT}", name="Alan Story"),
        Agent(role="clinician", user=f"Patient/{PATIENT}", name="Alan Story"),
        Agent(role="patient", user="local:alan", name="Alan Story"),
    ],
)
def test_a_patients_name_is_never_written(agent):
    assert b"Alan" not in encode(event(agent=agent), id_="0f" * 16, nonce=bytes(16))


def test_one_agent_alone_is_the_requestor_and_carries_the_token():
    for agent in (CLINICIAN, APPLICATION, NOBODY):
        found = made(event(agent=agent))["agent"]

        assert [each["requestor"] for each in found] == [True] + [False] * (len(found) - 1)
        assert ["policy" in each for each in found[1:]] == [False] * (len(found) - 1)
        assert ("policy" in found[0]) is bool(agent.token_id)


def test_long_texts_are_cut_to_a_bound():
    body = encode(
        event(
            agent=Agent(role="r" * 999, user="u" * 9999, client="c" * 9999, network="n" * 9999),
            request_id="q" * 9999,
            entity="e" * 9999,
            relationship="s" * 9999,
            reason="w" * 9999,
        ),
        id_="0f" * 16,
        nonce=bytes(16),
    )

    assert len(body) < 5000
    assert json.decode(body)["outcomeDesc"] == "w" * 999 + "…"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"subtype": "peek"}, "no such subtype"),
        ({"outcome": "12"}, "an outcome is 0, 4 or 8"),
        ({"patient": "9990000018"}, "a patient is named by an id"),
        ({"agent": Agent(role=" ")}, "an agent has a role"),
    ],
)
def test_what_can_be_no_access_is_not_recorded(changes, refusal):
    with pytest.raises(ValueError, match=refusal):
        event(**changes)


@pytest.mark.parametrize("nonce", [b"", bytes(15), bytes(17)])
def test_an_entry_without_its_nonce_is_not_made(nonce):
    with pytest.raises(ValueError, match="a nonce is 16 bytes long"):
        encode(event(), id_="0f" * 16, nonce=nonce)


def test_the_nonce_keeps_two_equal_accesses_apart():
    bodies = [encode(event(), id_="0f" * 16, nonce=bytes([n] * 16)) for n in (0, 1)]

    assert bodies[0] != bodies[1]
    assert bodies[0].replace(b"A" * 22 + b"==", b"AQEBAQEBAQEBAQEBAQEBAQ==") == bodies[1]


def test_every_subtype_is_coded():
    assert set(SUBTYPES) == set(Subtype)
    assert {kind.action for kind in SUBTYPES.values()} == set("CRUDE")
    for subtype, kind in SUBTYPES.items():
        tree = made(event(subtype))
        assert tree["subtype"] == [
            {"system": kind.system, "code": str(subtype), "display": kind.display}
        ]
        assert tree["type"]["system"] == kind.type_system
