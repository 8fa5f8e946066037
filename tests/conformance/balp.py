"""The element table of IHE Basic Audit Log Patterns, as a function from an AuditEvent to faults.

https://profiles.ihe.net/ITI/BALP/
"""

from base64 import b64decode
from typing import Any

Tree = dict[str, Any]

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
INTERACTION = "http://hl7.org/fhir/restful-interaction"
PATTERNS: dict[str, tuple[str, set[str], str, str, str, set[str]]] = {
    # pattern: action, subtypes, client, server, person's part
    "Create": ("C", {"create"}, "110153", "110152", "what", {"AUT", "INF", "CST"}),
    "Read": ("R", {"read", "vread"}, "110152", "110153", "what", {"IRCP"}),
    "Update": ("U", {"update", "patch"}, "110153", "110152", "what", {"AUT", "INF", "CST"}),
    "Delete": ("D", {"delete"}, "110150", "custodian", "what", {"AUT", "INF", "CST"}),
    "Query": (
        "E",
        {"search", "search-type", "search-system"},
        "110153",
        "110152",
        "query",
        {"IRCP"},
    ),
}


def faults(event: Tree) -> list[str]:
    """Return a sentence for each rule that *event* breaks, those of the profile that it claims."""
    claimed = event.get("meta", {}).get("profile", [])
    interaction = event["subtype"][0]["code"] if event["subtype"] else ""
    wanted = next((name for name, one in PATTERNS.items() if interaction in one[1]), "")
    if not claimed:
        done = event["outcome"] == "0" and wanted and _has_network(event)
        return [f"a {interaction} that was done claims no profile"] if done else []
    pattern = claimed[0].removeprefix(PROFILE)
    if pattern.removeprefix("Patient") not in PATTERNS:
        return [f"{claimed[0]} is no profile of BALP"]
    return [
        *_events_faults(event, pattern.removeprefix("Patient")),
        *_agents_faults(event["agent"], PATTERNS[pattern.removeprefix("Patient")]),
        *_entities_faults(event, pattern),
    ]


def _has_network(event: Tree) -> bool:
    return all("network" in one for one in event["agent"] if _part(one) not in {"AUT", "IRCP"})


def _events_faults(event: Tree, pattern: str) -> list[str]:
    action, subtypes, *_ = PATTERNS[pattern]
    holds = {
        "type is rest": event["type"]["code"] == "rest",
        "one subtype of the interaction": [
            one["code"] in subtypes for one in event["subtype"] if one["system"] == INTERACTION
        ]
        == [True],
        "action": event["action"] == action,
        "only what was done claims success": event["outcome"] == "0",
        "recorded": "recorded" in event,
        "source.observer": "observer" in event["source"],
    }
    return [name for name, true in holds.items() if not true]


def _agents_faults(agents: list[Tree], pattern: tuple[Any, ...]) -> list[str]:
    _, _, client, server, _, persons = pattern
    clients = [one for one in agents if _part(one) == client]
    servers = [one for one in agents if _part(one) == server]
    people = [one for one in agents if _part(one) in persons]
    holds = {
        "one client": len(clients) == 1,
        "one server": len(servers) == 1,
        "client and server have who and network, and no media": all(
            "who" in one and "network" in one and "media" not in one for one in clients + servers
        ),
        "one person at most, with who, without network and media": len(people) <= 1
        and all("who" in one and not {"network", "media"} & one.keys() for one in people),
        "the person, if there is one, is the requestor": all(one["requestor"] for one in people),
        "one requestor": [one["requestor"] for one in agents].count(True) == 1,
        "nobody else": len(agents) == len(clients) + len(servers) + len(people),
    }
    return [name for name, true in holds.items() if not true]


def _entities_faults(event: Tree, pattern: str) -> list[str]:
    kinds = [
        (one["type"]["code"], one.get("role", {}).get("code", ""), one) for one in event["entity"]
    ]
    things = [one for kind, role, one in kinds if kind == "2" and role in {"3", "4", "20"}]
    queries = [one for kind, role, one in kinds if (kind, role) == ("2", "24")]
    patients = [one for kind, role, one in kinds if (kind, role) == ("1", "1")]
    requests = [one for kind, _, one in kinds if kind == "XrequestId"]
    base = pattern.removeprefix("Patient")
    versioned = all("/_history/" in one["what"]["reference"] for one in things)
    holds = {
        "the request's id": len(requests) == 1 and bool(requests[0]["what"]["identifier"]["value"]),
        "one thing with its reference, or one query": (len(things), len(queries))
        == ((0, 1) if base == "Query" else (1, 0)),
        "what was written is named by its version": base not in {"Create", "Update"} or versioned,
        "a query is kept raw, and nothing of its results": all(
            b"?" in b64decode(one["query"]) and not {"what", "lifecycle", "detail"} & one.keys()
            for one in queries
        ),
        "one patient, by reference, or none": len(patients)
        == (1 if pattern.startswith("Patient") else 0)
        and all(one["what"]["reference"].startswith("Patient/") for one in patients),
        "nothing else": len(kinds) == len(things) + len(queries) + len(patients) + len(requests),
    }
    return [name for name, true in holds.items() if not true]


def _part(agent: Tree) -> str:
    return str(agent["type"]["coding"][0]["code"])
