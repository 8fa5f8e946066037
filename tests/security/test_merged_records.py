"""A merge shows a record to whoever may see the survivor's, and no byte of it to anybody else."""

from collections.abc import Callable
from typing import Any

import httpx

from fhir_server.linking import join, part
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import bucket_of, derived_id, new_id
from fhir_server.record import Writer
from tests.world import OPERATOR

Asked = Callable[[httpx.Response], tuple[int, dict[str, str], bytes]]
CAROL, DAVE = "9990000034", "9990000042"
TYPES = (
    *("Patient", "Observation", "DiagnosticReport", "ServiceRequest", "Provenance", "CareTeam"),
)


def write(world: Any, piece: Callable[[Writer], Any]) -> Any:
    return world.portal.record.submit(OPERATOR, piece).result(30)


def person(world: Any, number: str) -> str:
    return str(derived_id(world.portal.record.id_key, "Patient", NHS_NUMBER, number))


def team(world: Any, patient: str, practitioner: str) -> None:
    tree = {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": f"Patient/{patient}"},
        "participant": [{"member": {"reference": f"Practitioner/{practitioner}"}}],
    }
    id_ = new_id(bucket_of(patient))
    write(world, lambda writer: writer.file(tree, id_=id_, patient=patient, release_at=writer.now))


def views(asked: Asked, asker: Any, *names: str) -> list[Any]:
    """What somebody gets who asks for everything, and for these people's records by name."""
    paths = [f"{kind}?_count=100&_sort=_id" for kind in TYPES]
    paths += [
        f"Observation?{query}"
        for name in names
        for query in (f"patient={name}", f"patient={name}&_summary=count", f"subject={name}")
    ]
    paths += [f"Patient/{name}{rest}" for name in names for rest in ("", "/_history")]
    return [asked(asker.get(path)) for path in paths]


def ids(asker: Any) -> dict[str, set[str]]:
    return {kind: set(asker.ids(f"{kind}?_count=100")) for kind in TYPES}


def united(*views: dict[str, set[str]]) -> dict[str, set[str]]:
    return {kind: set().union(*(view[kind] for view in views)) for kind in TYPES}


def test_a_merge_shows_the_record_to_whom_the_survivor_is_shown_and_to_nobody_else(
    world: Any, asked: Asked, result: Callable[..., bytes]
) -> None:
    for number, filler in ((CAROL, "C1"), (DAVE, "D1"), (DAVE, "D2")):
        world.file(result(number, filler))
    carol, dave = person(world, CAROL), person(world, DAVE)
    team(world, carol, world.stranger)
    theirs = new_id()
    team(world, dave, theirs)
    alan, retired = world.as_patient(world.alan), world.as_patient(dave)
    nurse, ward = world.as_clinician(world.nurse), world.as_clinician(theirs)
    strangers = (
        *(world.as_patient(world.brian), world.as_patient(carol)),
        *(world.as_clinician(world.stranger), world.as_clinician(new_id())),
    )
    names = (world.alan, dave)
    before = [views(asked, one, *names) for one in strangers]
    own, other, cared, warded = map(ids, (alan, retired, nurse, ward))

    write(world, lambda writer: join(writer, dave, world.alan, "A40"))

    assert [views(asked, one, *names) for one in strangers] == before
    assert ids(alan) == ids(retired) == united(own, other)
    assert ids(nurse) == united(cared, warded)
    held = set(ids(ward)["Observation"]) - set(ids(alan)["Observation"])
    assert len(held) == 1  # Alan's histology: who cares for Dave cares for Alan now
    assert alan.get(f"Observation/{held.pop()}").status_code == 404
    one = other["Observation"].pop()
    other["Observation"].add(one)
    for path in (f"Observation/{one}", f"Observation/{one}/_history", f"Patient/{dave}"):
        assert alan.get(path).status_code == 200
    found = alan.get(f"Observation?_id={one}&_include=Observation:subject").json()["entry"]
    assert [each["resource"]["id"] for each in found] == [one, world.alan]

    write(world, lambda writer: part(writer, dave, "A37"))

    assert [views(asked, one, *names) for one in strangers] == before
    assert [ids(one) for one in (alan, retired, nurse, ward)] == [own, other, cared, warded]
    never = new_id(bucket_of(dave))
    for path in ("Observation/{}", "Observation/{}/_history"):
        theirs_now, nobodys = (alan.get(path.format(each)) for each in (one, never))
        assert asked(theirs_now) == asked(nobodys)
