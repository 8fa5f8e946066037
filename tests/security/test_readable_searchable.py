"""Whoever may read a resource finds it and counts it; whoever may not, does none of the three."""

from typing import Any

import pytest
from sqlalchemy import select

from auth.policy import TABLE
from auth.principal import Role
from fhir_server.access import Interaction
from fhir_server.store.tables import resource


def asker(world: Any, who: str) -> Any:
    return {
        "alan": lambda: world.as_patient(world.alan),
        "brian": lambda: world.as_patient(world.brian),
        "narrow": lambda: world.as_patient(
            world.alan, "patient/Observation.rs?code=http://loinc.org|2857-1 patient/Patient.rs"
        ),
        "nurse": lambda: world.as_clinician(world.nurse),
        "stranger": lambda: world.as_clinician(world.stranger),
        "auditor": world.as_auditor,
        "client": world.as_client,
    }[who]()


def all_ids(world: Any, resource_type: str) -> set[str]:
    statement = select(resource.c.id).where(resource.c.type == resource_type)
    return {row.id for row in world.portal.record.select(statement)}


def walked(one: Any, path: str) -> list[str]:
    """The ids on all pages of a search."""
    found, following = list[str](), path
    while following:
        bundle = one.get(following).json()
        found += [entry["resource"]["id"] for entry in bundle.get("entry", ())]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        following = links.get("next", "").rpartition("/fhir/")[2]
    return found


@pytest.mark.parametrize(
    ("who", "role"),
    [
        ("alan", Role.PATIENT),
        ("brian", Role.PATIENT),
        ("narrow", Role.PATIENT),
        ("nurse", Role.CLINICIAN),
        ("stranger", Role.CLINICIAN),
        ("auditor", Role.AUDITOR),
        ("client", Role.CLIENT),
    ],
)
def test_what_can_be_read_is_what_is_found_and_what_is_counted(
    world: Any, who: str, role: Role
) -> None:
    one = asker(world, who)
    seen = 0
    # Every look adds to the ledger, so that no two looks at it can agree.
    for resource_type in sorted(TABLE[role].keys() - {"AuditEvent"}):
        ids = all_ids(world, resource_type)
        readable = [id_ for id_ in ids if one.get(f"{resource_type}/{id_}").status_code == 200]
        counted = one.get(f"{resource_type}?_summary=count")
        if Interaction.SEARCH not in TABLE[role][resource_type] or counted.status_code == 403:
            assert counted.status_code == 403
            continue
        assert sorted(walked(one, f"{resource_type}?_count=2")) == sorted(readable)
        assert counted.json()["total"] == len(readable)
        seen += len(readable)
    assert (seen > 0) == (who != "auditor")
