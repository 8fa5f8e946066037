"""A client library of another make, fhirpy, does with this server what its users do."""

from collections.abc import Callable
from typing import Any

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import (
    AuthorizationError,
    ForbiddenError,
    MultipleResourcesFound,
    OperationOutcome,
    ResourceNotFound,
)

Connect = Callable[..., SyncFHIRClient]


@pytest.fixture
def connect(world: Any) -> Connect:
    """Makes clients for whoever asks."""

    def client(asker: Any, **headers: str) -> SyncFHIRClient:
        token = asker.token if asker else "nonsense"
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        return SyncFHIRClient(
            f"{world.base}/fhir", authorization=f"Bearer {token}", extra_headers=extra
        )

    return client


def a_result(client: SyncFHIRClient, patient: str, value: str) -> Any:
    return client.resource(
        "Observation",
        status="final",
        code={"coding": [{"system": "http://loinc.org", "code": "2857-1"}]},
        subject=client.reference("Patient", patient),
        valueString=value,
    )


def test_it_reads_a_resource_and_follows_its_references(world: Any, connect: Connect) -> None:
    client = connect(world.as_patient(world.alan))
    patient = client.reference("Patient", world.alan).to_resource()
    assert (patient["resourceType"], patient.id) == ("Patient", world.alan)
    result = client.resources("Observation").first()
    assert result["subject"].to_resource().id == world.alan
    assert result["valueQuantity"]["unit"] == "ug/L"
    before = dict(result)
    assert dict(result.refresh()) == before


def test_it_searches_sorts_counts_and_walks_the_pages(world: Any, connect: Connect) -> None:
    client = connect(world.as_clinician(world.nurse))
    results = client.resources("Observation").search(code="http://loinc.org|2857-1")
    assert len(results.fetch_all()) == 6
    assert len(results.limit(1).fetch()) == 1
    walked = [one.id for one in results.limit(4).sort("-date")]
    assert len(walked) == len(set(walked)) == 6
    of_alan = client.resources("Observation").search(patient=world.alan, date__ge="2026-11-24")
    assert {one["subject"].id for one in of_alan} == {world.alan}
    assert of_alan.fetch_raw()["total"] == 3
    assert len(client.resources("Patient").search(family="Exam").fetch()) == 2
    (alan,) = client.resources("Patient").search(_id=world.alan).fetch()
    assert client.resources("Patient").search(_id=alan.id).get().id == world.alan
    with pytest.raises(MultipleResourcesFound):
        client.resources("Patient").search(family="Example").get()


def test_it_includes_what_results_refer_to(world: Any, connect: Connect) -> None:
    client = connect(world.as_patient(world.alan))
    reports = client.resources("DiagnosticReport").include("DiagnosticReport", "result")
    bundle = reports.fetch_raw()
    kinds = [(one.resource["resourceType"], one.search.mode) for one in bundle.entry]
    assert sorted(kinds) == [
        *[("DiagnosticReport", "match")] * 2,
        *[("Observation", "include")] * 2,
    ]
    assert len(reports.fetch()) == 2


def test_it_creates_and_updates_with_the_version_that_stands(world: Any, connect: Connect) -> None:
    system = world.as_client()
    client = connect(system)
    result = a_result(client, world.alan, "5.10").create()
    assert result["meta"]["versionId"] == "1"
    result["valueString"] = "5.20"
    result.save()
    assert result["meta"]["versionId"] == "2"
    careful = connect(system, If_Match='W/"2"').resource("Observation", **result)
    careful["valueString"] = "5.30"
    assert careful.update()["meta"]["versionId"] == "3"
    careful["valueString"] = "5.40"
    with pytest.raises(MultipleResourcesFound):  # its word for 412
        careful.update()
    assert client.get("Observation", result.id)["valueString"] == "5.30"
    history = client.execute(f"Observation/{result.id}/_history", method="get")
    values = [one["resource"]["valueString"] for one in history["entry"]]
    assert values == ["5.30", "5.20", "5.10"]


def test_a_patient_writes_to_their_team_with_it(world: Any, connect: Connect) -> None:
    client = connect(world.as_patient(world.alan))
    message = client.resource(
        "Communication",
        status="in-progress",
        subject=client.reference("Patient", world.alan),
        payload=[{"contentString": "My temperature is 38.2"}],
    ).create()
    assert message["sender"].reference == f"Patient/{world.alan}"
    (seen,) = connect(world.as_clinician(world.nurse)).resources("Communication").fetch()
    assert seen.id == message.id


def test_it_understands_every_refusal(world: Any, connect: Connect) -> None:
    alan, stranger = connect(world.as_patient(world.alan)), connect(None)
    with pytest.raises(AuthorizationError):
        stranger.resources("Observation").fetch()
    with pytest.raises(ForbiddenError):
        a_result(alan, world.alan, "1").create()
    with pytest.raises(ResourceNotFound):
        alan.get("Patient", world.brian)
    with pytest.raises(ResourceNotFound):
        alan.resources("Patient").search(_id=world.brian).get()
    system = connect(world.as_client())
    refusals = {
        "required": lambda: system.resource("Observation", status="final").create(),
        "invalid": lambda: alan.resources("Observation").search(nonsense="x").fetch(),
        "value": lambda: alan.resources("Observation").search(date="yesterday").fetch(),
        "not-supported": lambda: alan.resources("Observation").search(subject__name="x").fetch(),
    }
    for code, ask in refusals.items():
        with pytest.raises(OperationOutcome) as refusal:
            ask()
        assert refusal.value.resource["issue"][0]["code"] == code
    with pytest.raises(OperationOutcome):
        system.resources("Observation").search(patient=world.alan).delete()
