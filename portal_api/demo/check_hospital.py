"""Job 1: a hospital pushes a result, over MLLP; what became of it is read over HTTP."""

from dataclasses import replace

from fhir_server.model.identifiers import check_digit
from portal_api import control
from portal_api.demo.activity import link, signed_in
from portal_api.demo.clinic import LETTER
from portal_api.demo.findings import Findings, Scene
from portal_api.demo.hospital_link import Answered, send_one
from portal_api.demo.orders import Order
from portal_api.demo.running import step
from portal_api.demo.walk import PSA

_NEWEST = "_sort=-date&_count=1"


def pushes(scene: Scene, findings: Findings) -> None:
    """Check acknowledgement, repetition, versions, and what is not to be filed."""
    mllp = scene.portal.settings.mllp
    _from_the_clinic(scene, findings)
    first = step(scene.portal, scene.stage, "alan")
    findings.expect("a preliminary result is acknowledged", found=first.code, wanted="AA")
    again = send_one(mllp, first.order)
    findings.expect("the same bytes get the same answer", found=again.answer, wanted=first.answer)
    final = step(scene.portal, scene.stage, "alan")
    findings.expect("the final result is acknowledged", found=final.code, wanted="AA")
    with signed_in(scene.address, "alan") as him:
        page = him.open("/patient").text
    findings.ensure("with its result a test is under way no more", "under way" not in page)
    corrected = step(scene.portal, scene.stage, "graham")
    findings.expect("a correction is acknowledged", found=corrected.code, wanted="AA")
    request = {"command": "demo-step", "name": "colin"}
    told = control.ask(scene.portal.settings.data_dir, request)
    findings.expect("a story goes on by a command", found=told["answer"], wanted="AA")
    token = token_for(scene, "clinician:nadia", "user/*.rs")
    _versions(scene, findings, token, final.order)
    _correction(scene, findings)
    _comparator(scene, findings, token)
    _set_aside(scene, findings, final)


def _from_the_clinic(scene: Scene, findings: Findings) -> None:
    with signed_in(scene.address, "alan") as him:
        findings.ensure("a test is under way", "Tests under way" in him.open("/patient").text)
        letter = him.open(link(him.open("/patient/letters"), "/patient/letters/"))
        findings.ensure("a letter from the clinic is there", LETTER[0] in letter.text)
        page = him.open("/patient/appointments").text
        findings.ensure("and an appointment", "Urology clinic" in page)


def token_for(scene: Scene, holder: str, scope: str) -> str:
    """Return a token as `portal-fhir token` gives it: from the running process."""
    request = {"command": "token", "as": holder, "scope": scope}
    answer = control.ask(scene.portal.settings.data_dir, request)
    return str(answer["access_token"])


def patient_of(scene: Scene, number: str) -> str:
    """Return the id of the patient with this NHS number, as the command line tells it."""
    request = {"command": "token", "as": f"patient:{number}", "scope": "patient/Patient.r"}
    answer = control.ask(scene.portal.settings.data_dir, request)
    return str(answer["patient"])


def _versions(scene: Scene, findings: Findings, token: str, order: Order) -> None:
    patient = patient_of(scene, order.person.number)
    newest = scene.found(token, f"Observation?patient={patient}&code={PSA}&{_NEWEST}")[0]
    findings.expect("it keeps the laboratory's digits", found=_value(newest), wanted="7.3")
    history = scene.fhir(token, f"Observation/{newest['id']}/_history").json()["entry"]
    statuses = [entry["resource"]["status"] for entry in history]
    findings.expect(
        "preliminary and final are versions of one result",
        found=statuses,
        wanted=["final", "preliminary"],
    )


def _correction(scene: Scene, findings: Findings) -> None:
    token = token_for(scene, "clinician:fiona", "user/*.rs")
    patient = patient_of(scene, scene.stage.cast.person("graham").number)
    newest = scene.found(token, f"Observation?patient={patient}&code=2039-6&{_NEWEST}")[0]
    shown = (newest["status"], _value(newest), newest["meta"]["versionId"])
    findings.expect(
        "the correction is the second version", found=shown, wanted=("corrected", "2.7", "2")
    )


def _comparator(scene: Scene, findings: Findings, token: str) -> None:
    patient = patient_of(scene, scene.stage.cast.person("brian").number)
    results = scene.found(token, f"Observation?patient={patient}&code={PSA}&_sort=date")
    low = [one["valueQuantity"] for one in results if "comparator" in one["valueQuantity"]]
    shown = [(one["comparator"], str(one["value"])) for one in low]
    findings.expect("“<0.01” keeps its sign", found=shown, wanted=[("<", "0.01")] * 3)


def _set_aside(scene: Scene, findings: Findings, sent: Answered) -> None:
    with signed_in(scene.address, "dev") as operator:
        page = operator.open("/operator/errors")
    findings.ensure("another birth date waits for a person", "N40777-OTHER" in page.text)
    real = f"400000000{check_digit('400000000')}"
    stranger = replace(sent.order, person=replace(sent.order.person, number=real))
    refused = send_one(
        scene.portal.settings.mllp, replace(stranger, control_id="STRANGER", filler="STRANGER")
    )
    findings.expect("a number outside the range is refused", found=refused.code, wanted="AR")


def _value(observation: dict[str, object]) -> str:
    quantity = observation["valueQuantity"]
    return str(quantity["value"]) if isinstance(quantity, dict) else ""
