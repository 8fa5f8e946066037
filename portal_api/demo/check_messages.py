"""Job 3: a clinician writes to a patient, and opens a result that was held."""

from portal_api.demo.activity import link, open_waiting, signed_in
from portal_api.demo.check_hospital import patient_of
from portal_api.demo.findings import Findings, Scene
from portal_api.demo.running import step
from portal_api.demo.walk import PSA, connect
from portal_api.pages.releasing import REASONS

_LETTER = "Please book your next blood test at the front desk."
_ANSWER = "Thank you. I have booked it for Tuesday."


def messages(scene: Scene, findings: Findings) -> None:
    """Check message, receipt, answer and owner; then a release, from both sides."""
    brian = patient_of(scene, scene.stage.cast.person("brian").number)
    patient = f"/clinician/patients/{brian}"
    with signed_in(scene.address, "nadia") as nadia, signed_in(scene.address, "brian") as him:
        page = nadia.open(f"{patient}/write")
        nadia.send(page, "/write", {"subject": "Your next test", "text": _LETTER})
        thread = link(nadia.open(patient), f"{patient}/messages/")
        findings.ensure("not read yet", "Not read yet" in nadia.open(thread).text)
        his = link(him.open("/patient/messages"), "/patient/messages/")
        page = him.open(his)
        findings.ensure("the patient reads what the clinician wrote", _LETTER in page.text)
        findings.ensure("emergency advice stands there", "Call 999" in page.text)
        findings.ensure("the clinician sees that it was read", "Read on" in nadia.open(thread).text)
        him.send(page, his, {"text": _ANSWER})
        inbox = nadia.open("/clinician/inbox").text
        findings.ensure("the answer waits in the team's inbox", "Your next test" in inbox)
        nadia.send(open_waiting(nadia), "/take", {})
        findings.ensure("it has an owner", "Owner: you" in nadia.open(thread).text)
        findings.ensure("and the answer is there", _ANSWER in nadia.open(thread).text)
    with signed_in(scene.address, "fiona") as other:
        status = other.open(patient, expected=404).status_code
    findings.expect("a clinician of another team sees nothing", found=status, wanted=404)
    _release(scene, findings, patient)


def _release(scene: Scene, findings: Findings, patient: str) -> None:
    app = connect(scene.address, "brian")
    newest = f"Observation?patient={app.patient}&code={PSA}&_sort=-date&_count=1"
    before = scene.found(app.token, newest)[0]["valueQuantity"]["value"]
    sent = step(scene.portal, scene.stage, "brian")
    findings.expect("a result to be told in person arrives", found=sent.code, wanted="AA")
    after = scene.found(app.token, newest)[0]["valueQuantity"]["value"]
    findings.expect("the patient's app does not see it", found=after, wanted=before)
    with signed_in(scene.address, "brian") as him:
        findings.ensure(
            "a notice says that it waits", "Waiting to open" in him.open("/patient").text
        )
    with signed_in(scene.address, "nadia") as nadia:
        page = nadia.open(link(nadia.open(patient), "/clinician/reports/"))
        findings.ensure("the clinician reads it at once", "0.21" in page.text)
        page = nadia.send(page, "/release", {"reason": REASONS[0][0], "note": "Rang at noon"})
        findings.ensure("and opens it", "The patient can read this result" in page.text)
    seen = scene.found(app.token, newest)[0]["valueQuantity"]["value"]
    findings.expect("the patient's app sees it then", found=str(seen), wanted="0.21")
