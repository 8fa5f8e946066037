"""Job 4: an auditor reviews accesses, a patient sees who looked, and the ledger verifies."""

from portal_api.demo.activity import signed_in
from portal_api.demo.check_hospital import patient_of, token_for
from portal_api.demo.findings import Findings, Scene
from portal_api.demo.seeding import practitioner_id
from portal_api.demo.staff import CLINICIANS


def audited(scene: Scene, findings: Findings) -> None:
    """Check the auditor's search by patient and outcome, the patient's own view, and the proof."""
    token = token_for(scene, "auditor:morag", "user/AuditEvent.rs")
    brian = patient_of(scene, scene.stage.cast.person("brian").number)
    released = scene.found(token, f"AuditEvent?patient={brian}&subtype=release")
    findings.expect("the release is on the ledger", found=len(released), wanted=1)
    refused = scene.found(token, "AuditEvent?outcome=4&_count=200")
    tessa = next(one for one in CLINICIANS if one.login == "tessa")
    hers = f"Practitioner/{practitioner_id(scene.portal.record, tessa)}"
    findings.ensure(
        "the refusal of another team's member is there",
        any(
            agent.get("who", {}).get("reference") == hers
            for one in refused
            for agent in one["agent"]
        ),
    )
    findings.expect(
        "an auditor reads no record",
        found=scene.fhir(token, f"Patient/{brian}").status_code,
        wanted=403,
    )
    with signed_in(scene.address, "brian") as him:
        page = him.open("/patient/access").text
    findings.ensure("the patient sees that a clinician looked", "A clinician" in page)
    findings.ensure("and who opened the result", "opened a result for you" in page)
    with signed_in(scene.address, "morag") as auditor:
        search = auditor.open(f"/auditor?asked=1&patient={brian}")
        findings.ensure("the auditor's page finds it", "Released a result" in search.text)
        verdict = auditor.open("/auditor/verify?run=1").text
    findings.ensure("the ledger verifies", "The log fits its checkpoints" in verdict)
