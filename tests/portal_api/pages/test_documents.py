"""A laboratory's document is a file for those who may see its report, and nothing else."""

from base64 import b64encode

import pytest

PDF = b"%PDF-1.4\nA report.\n%%EOF\n"


def filed(world, *attachments, login="alan", status="final", **held) -> str:
    """File a report of words with documents; return its id."""
    tree = {
        "resourceType": "DiagnosticReport",
        "status": status,
        "code": {"text": "CT report"},
        "subject": {"reference": f"Patient/{world.ids[login]}"},
        "effectiveDateTime": "2026-11-24T23:30:00-05:00",
        "presentedForm": list(attachments),
    }
    return world.file(tree, world.ids[login], **held)


def attachment(body=PDF, kind="application/pdf", **also) -> dict:
    data = {"data": b64encode(body).decode()} if body else {}
    return {"contentType": kind, **data, **also}


def test_a_patient_keeps_the_document_byte_for_byte_as_it_was_sent(world):
    report = filed(world, attachment())
    browser = world.browser("alan")
    page = browser.get(f"/patient/results/{report}").text
    address = f"/patient/results/{report}/documents/1"
    assert f'<a href="{address}" download>Download the document (PDF, less than 1 KB)</a>' in page
    answer = browser.get(address)
    assert answer.status_code == 200
    assert answer.content == PDF
    asked = ("content-type", "content-disposition", "x-content-type-options", "cache-control")
    assert [answer.headers[one] for one in asked] == [
        "application/pdf",
        'attachment; filename="result-2026-11-25.pdf"',
        "nosniff",
        "no-store",
    ]
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_each_look_at_a_document_is_on_the_ledger(world):
    report = filed(world, attachment())
    browser = world.browser("alan")
    before = len(world.entries("read"))
    browser.get(f"/patient/results/{report}/documents/1")
    entries = world.entries("read")[before:]
    assert [f"DiagnosticReport/{report}" in str(one["entity"]) for one in entries] == [True]


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xml", "text/markdown"])
def test_case_55_what_could_run_in_a_browser_is_bytes_that_nothing_opens(world, kind):
    report = filed(world, attachment(b"<script>alert(1)</script>", kind))
    answer = world.browser("alan").get(f"/patient/results/{report}/documents/1")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="result-2026-11-25.bin"'
    assert answer.headers["x-content-type-options"] == "nosniff"


RUNNING_PDF = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>\n%%EOF\n"


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        (RUNNING_PDF, "application/pdf", "application/pdf"),
        (b"PK\x03\x04run.exe", "application/zip", "application/octet-stream"),
        (b"<html><script>alert(1)</script>", "text/html", "application/octet-stream"),
        (b"<svg onload='alert(1)'/>", "image/svg+xml", "application/octet-stream"),
        (b"{\\rtf1{\\object\\objdata 01}}", "application/rtf", "application/rtf"),
    ],
)
@pytest.mark.parametrize(
    ("login", "reports"), [("alan", "/patient/results"), ("priya", "/clinician/reports")]
)
def test_row_37_what_runs_goes_out_as_a_file_that_no_browser_opens(
    world, body, kind, told, login, reports
):
    report = filed(world, attachment(body, kind))
    answer = world.browser(login).get(f"{reports}/{report}/documents/1")
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["content-type"] == told
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-frame-options"] == "DENY"


def test_several_documents_are_told_apart_and_one_kept_elsewhere_is_left_out(world):
    elsewhere = attachment(b"", url="https://pacs.example/1")
    report = filed(world, attachment(), elsewhere, attachment(b"Words.", "text/plain"))
    browser = world.browser("alan")
    page = browser.get(f"/patient/results/{report}").text
    assert "Download document 1 (PDF, less than 1 KB)" in page
    assert "Download document 2 (text, less than 1 KB)" in page
    second = browser.get(f"/patient/results/{report}/documents/2")
    assert second.content == b"Words."
    assert "result-2026-11-25-2.txt" in second.headers["content-disposition"]


@pytest.mark.parametrize("place", ["0", "2", "-1", "x", "²", "9" * 5000])
def test_a_document_that_is_not_there_is_not_found(world, place):
    report = filed(world, attachment())
    answer = world.browser("alan").get(f"/patient/results/{report}/documents/{place}")
    assert answer.status_code == 404


def test_a_held_document_answers_like_one_that_never_was(world):
    held = filed(world, attachment(), release_at=None)
    brians = filed(world, attachment(), login="brian")
    browser = world.browser("alan")
    answers = [
        browser.get(f"/patient/results/{one}/documents/1") for one in (held, brians, "0" * 32)
    ]
    assert [one.status_code for one in answers] == [404, 404, 404]
    texts = {one.text.replace(one.headers["X-Request-Id"], "") for one in answers}
    assert len(texts) == 1


def test_a_document_that_was_taken_back_is_gone_for_the_patient_and_stays_for_the_nurse(world):
    report = filed(world, attachment(), status="entered-in-error")
    refused = world.browser("alan").get(f"/patient/results/{report}/documents/1")
    assert refused.status_code == 404
    kept = world.browser("priya").get(f"/clinician/reports/{report}/documents/1")
    assert kept.content == PDF


def test_a_nurse_of_the_team_has_a_held_document_and_another_has_not(world):
    held = filed(world, attachment(), release_at=None)
    address = f"/clinician/reports/{held}/documents/1"
    nurse = world.browser("priya")
    assert f'href="{address}"' in nurse.get(f"/clinician/reports/{held}").text
    assert nurse.get(address).content == PDF
    assert world.browser("tessa").get(address).status_code == 404
    assert world.browser("ada").get(address).status_code == 403
