"""Row 37 of the hostile inputs at the interface: a document is data inside JSON, no more."""

from base64 import b64encode
from typing import Any

import pytest

from fhir_server.model import json

HTML = b"<html><script>fetch('/fhir/Patient')</script></html>"


def report_of(world: Any) -> str:
    """File a report whose document would run in a browser; return its id."""
    data = b64encode(HTML).decode()
    message = "\r".join(
        [
            "MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|20261124091500||ORU^R01|ACTIVE|P|2.5.1",
            "PID|1||9990000018^^^NHS^NH||Example^Alan||19550301|M",
            "OBR|1||ACTIVE|11502-2^Report^LN|||20261124083000" + 15 * "|" + "20261124091500||CH|F",
            f"OBX|1|ED|11502-2^Report^LN||^TEXT^HTML^Base64^{data}||||||F|||20261124083000",
        ]
    )
    world.file(message.encode())
    nurse = world.as_clinician(world.nurse)
    for id_ in nurse.ids(f"DiagnosticReport?patient={world.alan}"):
        if b"text/html" in nurse.get(f"DiagnosticReport/{id_}").content:
            return str(id_)
    raise AssertionError("it was not filed")


@pytest.mark.parametrize("accept", ["text/html,*/*;q=0.8", "application/fhir+json", "*/*"])
def test_row_37_a_document_that_runs_leaves_as_json_that_no_browser_sniffs(
    world: Any, accept: str
) -> None:
    report = report_of(world)
    answer = world.as_clinician(world.nurse).get(
        f"DiagnosticReport/{report}", headers={"Accept": accept}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] in {
        "application/fhir+json",
        "application/json",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    (form,) = json.decode(answer.content)["presentedForm"]
    assert (form["contentType"], form["data"]) == ("text/html", b64encode(HTML).decode())
    assert b"<script" not in answer.content


def test_row_37_it_is_not_the_patients_until_somebody_has_looked(world: Any) -> None:
    report = report_of(world)
    alan = world.as_patient(world.alan)
    assert alan.get(f"DiagnosticReport/{report}").status_code == 404
    assert report not in alan.ids("DiagnosticReport")


def test_row_37_no_address_gives_out_the_bytes_alone(world: Any) -> None:
    report = report_of(world)
    nurse = world.as_clinician(world.nurse)
    for path in (f"Binary/{report}", "Binary", f"DiagnosticReport/{report}/presentedForm"):
        assert nurse.get(path).status_code in {403, 404}
    refused = nurse.get(f"DiagnosticReport/{report}?_format=html")
    assert refused.status_code == 406
