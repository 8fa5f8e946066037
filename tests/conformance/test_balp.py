"""Every AuditEvent of a broad walk is valid, and keeps the rules of the profile that it claims."""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from sqlalchemy import select

from fhir_server.model import json
from fhir_server.model.ids import new_id
from fhir_server.model.validate import judge
from fhir_server.store.tables import audit_entry
from tests.conformance.balp import PROFILE, faults

FHIR = {"Content-Type": "application/fhir+json"}
Tree = dict[str, Any]


def everything(world: Any) -> None:
    """Do, and try to do, all that leaves an entry through the FHIR interface."""
    alan, nurse = world.as_patient(world.alan), world.as_clinician(world.nurse)
    auditor, system = world.as_auditor(), world.as_client()
    tree = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{world.alan}"},
    }
    made = system.post("Observation", tree).json()
    path = f"Observation/{made['id']}"
    system.put(path, made | {"status": "amended"})
    organization = system.post("Organization", {"resourceType": "Organization", "name": "x"}).json()
    for asker in (alan, nurse, auditor, system):
        for address in (
            *(path, f"{path}/_history", f"{path}/_history/1", f"Patient/{world.alan}"),
            *("Observation", "Observation?code=2857-1", "AuditEvent", "Observation?foo=1"),
            *(f"Patient/{world.brian}", f"Observation/{new_id()}", "Medication", "$export"),
            *(f"Organization/{organization['id']}", "Organization?name=x", "CareTeam"),
            "DiagnosticReport?_include=DiagnosticReport:subject&_summary=false",
        ):
            asker.get(address)
        asker.put(path, made)
        asker.post("Observation", {"resourceType": "Observation"})
        asker.ask("DELETE", path)
        asker.ask("POST", "Observation/_search", data={"code": "x", "name": "Sigrid\nUndset"})
    for id_ in auditor.ids("AuditEvent?_count=2"):
        auditor.get(f"AuditEvent/{id_}")
    world.client.get(f"{world.base}/fhir/Patient/{world.alan}")


def events(world: Any) -> list[Tree]:
    rows = world.portal.record.select(select(audit_entry).order_by(audit_entry.c.seq))
    return [judge(bytes(row.body), "AuditEvent") for row in rows]


def test_every_entry_of_a_broad_walk_keeps_the_rules(world: Any) -> None:
    everything(world)
    met, claims = Counter[tuple[str, str]](), Counter[str]()
    for event in events(world):
        assert faults(event) == [], json.encode(event)
        met[event["subtype"][0]["code"], event["outcome"]] += 1
        claims.update(event.get("meta", {}).get("profile", ["none"]))
    for subtype in ("read", "vread", "history-instance", "search-type", "create", "update"):
        assert met[subtype, "0"], subtype
        assert met[subtype, "4"] or subtype == "history-instance", subtype
    assert met["request", "4"]
    assert met["message-filed", "0"]
    assert {one.removeprefix(PROFILE) for one in claims} == {
        *("Create", "Read", "Query", "none"),
        *("PatientCreate", "PatientRead", "PatientUpdate", "PatientQuery"),
    }


def test_an_entry_served_is_the_entry_kept(world: Any) -> None:
    everything(world)
    auditor, kept = world.as_auditor(), {one["id"]: one for one in events(world)}
    path, served = "AuditEvent?_count=100", dict[str, Tree]()
    while path:
        bundle = judge(auditor.get(path).content, "Bundle")
        served |= {one["resource"]["id"]: one["resource"] for one in bundle.get("entry", [])}
        following = [one["url"] for one in bundle["link"] if one["relation"] == "next"]
        path = following[0].split("/fhir/")[1] if following else ""
    assert kept.items() <= served.items()


BREACHES: dict[str, Callable[[Tree], object]] = {
    "action": lambda one: one.update(action="U"),
    "outcome": lambda one: one.update(outcome="4"),
    "type": lambda one: one["type"].update(code="object"),
    "subtype": lambda one: one["subtype"][0].update(code="update"),
    "two subtypes": lambda one: one["subtype"].append(one["subtype"][0]),
    "no observer": lambda one: one["source"].pop("observer"),
    "no server": lambda one: one["agent"].pop(),
    "a stranger": lambda one: one["agent"].append(deepcopy(one["agent"][0])),
    "no network": lambda one: one["agent"][-1].pop("network"),
    "the person's network": lambda one: one["agent"][0].update(network={"address": "x"}),
    "two requestors": lambda one: one["agent"][1].update(requestor=True),
    "no request": lambda one: one["entity"].pop(),
    "no patient": lambda one: one["entity"].pop(-2),
    "no thing": lambda one: one["entity"].pop(0),
    "two things": lambda one: one["entity"].append(one["entity"][0]),
    "no profile": lambda one: one["meta"].pop("profile"),
    "another profile": lambda one: one["meta"].update(profile=["https://x.example"]),
}


def test_each_rule_is_seen_to_catch(world: Any) -> None:
    world.as_clinician(world.nurse).get(f"Patient/{world.alan}")
    event = events(world)[-1]
    assert faults(event) == []
    for name, breach in BREACHES.items():
        changed = deepcopy(event)
        breach(changed)
        assert faults(changed), name


@pytest.mark.parametrize("subtype", ["search-type", "create"])
def test_the_rules_of_searches_and_writes_are_seen_to_catch(world: Any, subtype: str) -> None:
    everything(world)
    event = next(
        one
        for one in events(world)
        if one["subtype"][0]["code"] == subtype and one["outcome"] == "0"
    )
    assert faults(event) == []
    changed = deepcopy(event)
    if subtype == "create":
        reference = changed["entity"][0]["what"]["reference"]
        changed["entity"][0]["what"]["reference"] = reference.partition("/_history")[0]
    else:
        changed["entity"][0]["what"] = {"reference": "Observation/x"}
    assert faults(changed)
