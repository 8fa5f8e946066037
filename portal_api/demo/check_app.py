"""Job 2: a patient's app signs in with PKCE and pulls results, and nothing of anyone else."""

import httpx

from fhir_server.model import json
from fhir_server.model.ids import bucket_of, new_id
from portal_api.demo.activity import signed_in
from portal_api.demo.check_hospital import patient_of, token_for
from portal_api.demo.findings import Findings, Scene
from portal_api.demo.walk import PSA, allowed, connect, new_pair, token_request

_DISCOVERY = "/.well-known/smart-configuration"


def pulls(scene: Scene, findings: Findings) -> None:
    """Check discovery, the walk, search and read, and what a stranger's id is answered with."""
    _discovery(scene, findings)
    _pkce_is_needed(scene, findings)
    connected = connect(scene.address, "alan")
    findings.expect(
        "the token names the patient",
        found=connected.patient,
        wanted=patient_of(scene, scene.stage.cast.person("alan").number),
    )
    _results(scene, findings, connected.token, connected.patient)
    _others(scene, findings, connected.token)
    _held(scene, findings)


def _discovery(scene: Scene, findings: Findings) -> None:
    about = httpx.get(scene.address + _DISCOVERY).json()
    findings.expect(
        "discovery offers PKCE with S256",
        found=about["code_challenge_methods_supported"],
        wanted=["S256"],
    )
    statement = httpx.get(f"{scene.address}/fhir/metadata").json()
    findings.expect(
        "the capability statement is of R4", found=statement["fhirVersion"], wanted="4.0.1"
    )
    findings.expect(
        "without a token there is nothing",
        found=httpx.get(f"{scene.address}/fhir/Observation").status_code,
        wanted=401,
    )


def _pkce_is_needed(scene: Scene, findings: Findings) -> None:
    code = allowed(scene.address, "alan", new_pair())
    answer = httpx.post(f"{scene.address}/token", data=token_request(code, new_pair().verifier))
    findings.expect(
        "another verifier gets no token",
        found=(answer.status_code, answer.json().get("error")),
        wanted=(400, "invalid_grant"),
    )


def _results(scene: Scene, findings: Findings, token: str, patient: str) -> None:
    search = f"Observation?patient={patient}&code={PSA}&_sort=-date"
    found = scene.found(token, search)
    findings.expect("all PSA results are there", found=len(found), wanted=6)
    newest = found[0]
    answer = scene.fhir(token, f"Observation/{newest['id']}")
    findings.expect("one is read by its id", found=json.decode(answer.content), wanted=newest)
    findings.expect(
        "its ETag is its version",
        found=answer.headers["etag"],
        wanted=f'W/"{newest["meta"]["versionId"]}"',
    )
    unknown = scene.fhir(token, f"Observation?patient={patient}&colour=red")
    findings.expect("an unknown parameter is refused", found=unknown.status_code, wanted=400)


def _others(scene: Scene, findings: Findings, token: str) -> None:
    staff = token_for(scene, "clinician:nadia", "user/*.rs")
    brian = patient_of(scene, scene.stage.cast.person("brian").number)
    theirs = scene.found(staff, f"Observation?patient={brian}")[0]["id"]
    nobody = new_id(bucket_of(theirs))
    answers = [scene.fhir(token, f"Observation/{one}") for one in (theirs, nobody)]
    findings.expect(
        "another patient's result is as if it were not",
        found=(answers[0].status_code, _but_for_ids(answers[0], theirs)),
        wanted=(404, _but_for_ids(answers[1], nobody)),
    )
    findings.expect(
        "a search in another's record finds nothing",
        found=scene.found(token, f"Observation?patient={brian}"),
        wanted=[],
    )


def _held(scene: Scene, findings: Findings) -> None:
    helen = connect(scene.address, "helen")
    held = scene.found(helen.token, f"DiagnosticReport?patient={helen.patient}")
    titles = [one["code"]["coding"][0]["display"] for one in held]
    findings.expect("a held report is not there", found=titles, wanted=["Full blood count"])
    with signed_in(scene.address, "helen") as browser:
        page = browser.open("/patient").text
    findings.ensure("a notice says that it has arrived", "Waiting to open" in page)
    findings.ensure("and nothing of what it says", "carcinoma" not in page)


def _but_for_ids(answer: httpx.Response, asked: str) -> str:
    request_id = answer.headers.get("x-request-id", "")
    return answer.text.replace(asked, "ID").replace(request_id, "REQUEST") if request_id else ""
