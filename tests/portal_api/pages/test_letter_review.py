"""A nurse reads the letters that wait, sees why they do, and opens one to the patient."""

import re
from datetime import timedelta

import pytest

from fhir_server.clock import micros
from fhir_server.record import Notice
from tests.portal_api.pages.letters_filed import PDF, attachment, filed
from tests.portal_api.pages.world import FILING, text_of

SPOKEN = {"reason": "spoken", "note": "Rang at 2pm."}
LABEL = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]
}


def waiting(world, *attachments, **also) -> str:
    """File a letter that nobody has signed: held without a date, and nobody told of it."""
    unsigned = {"docStatus": "preliminary", "held": {"release_at": None}, "told": False}
    return filed(world, *attachments, **unsigned | also)


def released(nurse, letter):
    path = f"/clinician/letters/{letter}"
    return nurse.fill(nurse.get(path), f"{path}/release", **SPOKEN)


def test_letters_that_wait_are_one_step_from_the_first_page_the_longest_first(either_world):
    world = either_world
    first = waiting(world)
    world.hands.advance(hours=3)
    opens = micros(world.hands() + timedelta(days=13))
    second = filed(world, login="brian", told=False, held={"release_at": opens})
    filed(world)
    waiting(world, login="john")
    page = world.browser("priya").get("/clinician")
    words = text_of(page)
    assert "Letters to review" in words
    assert (
        "Clinic letter , Alan Ashworth Not signed Ashworth, Alan 999 000 0018 3 hours "
        "When you release it" in words
    )
    assert "Booth, Brian 999 000 0026 less than a minute 7 December 2026 at 5:30pm" in words
    assert re.findall(r"/clinician/letters/(\w+)", page.text) == [first, second]
    read = [one for one in world.entries("operation") if world.ids["alan"] in str(one["entity"])]
    assert len(read) == 1
    assert released(world.browser("priya"), first).status_code == 303
    world.hands.advance(seconds=1)
    assert first not in world.browser("priya").get("/clinician").text


@pytest.mark.parametrize("status", ["superseded", "entered-in-error"])
def test_what_its_hospital_replaced_or_took_back_waits_for_nobody(world, status):
    letter = waiting(world, status=status)
    nurse = world.browser("priya")
    assert "Letters to review" not in text_of(nurse.get("/clinician"))
    page = nurse.get(f"/clinician/letters/{letter}")
    assert "<form action" not in page.text.split("<main")[1]
    csrf = re.search(r'name="csrf" value="([^"]*)"', page.text)[1]
    data = {"csrf": csrf, "version": "1", **SPOKEN}
    answer = nurse.send("POST", f"/clinician/letters/{letter}/release", data=data)
    assert answer.status_code == 422
    assert world.browser("alan").get(f"/patient/letters/{letter}").status_code == 404


def test_a_letter_is_read_with_who_wrote_it_how_it_stands_and_why_it_waits(world):
    letter = waiting(world)
    page = world.browser("priya").get(f"/clinician/letters/{letter}")
    words = text_of(page)
    assert "Alan Ashworth Born 4 March 1955 (71 years) NHS number 999 000 0018" in words
    assert "Clinic letter Held Written on" in words
    assert "Written on 23 November 2026 by Dr Ngozi Okafor, Northgate Hospital." in words
    assert "Status: preliminary, current." in words
    assert "Why it is held Nobody has signed it." in words
    assert "Dear Alan\n\n  Dose   20 mg &lt;b&gt;twice&lt;/b&gt;" in page.text
    assert words.index("Nobody has signed this letter") < words.index("Release letter")
    note = world.browser("alan").get("/patient").text
    assert "new letter" not in note


@pytest.mark.parametrize(
    ("also", "why"),
    [
        ({"docStatus": "final", "securityLabel": [LABEL]}, "Its sender marked it as confidential."),
        (
            {"docStatus": "final", "type": {"coding": [{"code": "PC", "display": "Psychiatry"}]}},
            "Letters of this kind wait for a clinician.",
        ),
        (
            {"content": [{"attachment": {"title": "Soon"}}]},
            "Nobody has signed it. Nothing to read has come yet.",
        ),
        ({"docStatus": ""}, "Its sender does not say that anybody has signed it."),
        (
            {"docStatus": "final"},
            "Its sender has not said that it may be used, or something in it has to be looked at.",
        ),
    ],
)
def test_a_letter_says_why_it_is_held(world, also, why):
    page = world.browser("priya").get(f"/clinician/letters/{waiting(world, **also)}")
    assert f"Why it is held {why}" in text_of(page)


def test_the_files_of_a_held_letter_are_downloads(world):
    letter = waiting(world, attachment(PDF, "application/pdf"))
    nurse = world.browser("priya")
    address = f"/clinician/letters/{letter}/documents/1"
    page = nurse.get(f"/clinician/letters/{letter}").text
    assert f'<a href="{address}" download>Download the letter (PDF, less than 1 KB)</a>' in page
    answer = nurse.get(address)
    assert (answer.content, answer.headers["content-type"]) == (PDF, "application/pdf")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert nurse.get(f"/clinician/letters/{letter}/documents/2").status_code == 404


def test_a_released_letter_opens_with_its_note_and_its_reason_on_the_ledger(either_world):
    world = either_world
    letter, alan = waiting(world), either_world.ids["alan"]
    provenance = world.file(
        {
            "resourceType": "Provenance",
            "target": [{"reference": f"DocumentReference/{letter}"}],
            "recorded": "2026-11-23T12:00:00Z",
            "agent": [{"who": {"display": "Northgate Hospital"}}],
        },
        alan,
        release_at=None,
    )
    patient, nurse = world.browser("alan"), world.browser("priya")
    assert patient.get(f"/patient/letters/{letter}").status_code == 404
    answer = released(nurse, letter)
    assert answer.status_code == 303
    world.hands.advance(seconds=1)
    after = text_of(nurse.get(answer.headers["Location"]))
    assert "The letter is open to the patient now." in after
    assert "The patient can read this letter." in after
    assert "Release to the patient" not in after
    assert "You have 1 new letter" in text_of(patient.get("/patient"))
    opened = patient.get(f"/patient/letters/{letter}")
    assert "Dear Alan" in opened.text
    assert "Nobody has signed this letter yet." in text_of(opened)
    assert "new letter" not in text_of(patient.get("/patient"))
    (entry,) = world.entries("release")
    assert (entry["outcome"], entry["outcomeDesc"]) == (
        "0",
        "I have spoken with the patient. Rang at 2pm.",
    )
    assert f"DocumentReference/{letter}/_history/2" in str(entry["entity"])
    log = text_of(patient.get("/patient/access"))
    assert "A clinician from Northgate Hospital opened a letter for you." in log
    stored = world.portal.record.submit(
        FILING, lambda writer: writer.current("Provenance", provenance)
    ).result(timeout=10)
    assert stored.release_at is not None


def test_a_letter_that_waits_for_its_date_opens_sooner_and_its_notice_goes(world):
    opens = micros(world.hands() + timedelta(days=13))
    letter = filed(world, told=False, held={"release_at": opens})
    notice = Notice(world.ids["alan"], letter, "A letter", "imaging", opens, "the nurses")
    world.portal.record.submit(FILING, lambda writer: writer.notice(notice)).result(timeout=10)
    patient, nurse = world.browser("alan"), world.browser("priya")
    assert "Waiting to open" in text_of(patient.get("/patient"))
    page = text_of(nurse.get(f"/clinician/letters/{letter}"))
    assert "Why it is held Letters of this kind wait some days." in page
    assert "It opens by itself on 7 December 2026 at 2:30pm." in page
    assert "Nobody has signed" not in page
    released(nurse, letter)
    world.hands.advance(seconds=1)
    assert "Waiting to open" not in text_of(patient.get("/patient"))
    assert "Dear Alan" in patient.get(f"/patient/letters/{letter}").text


def test_without_a_reason_no_letter_is_released(world):
    letter = waiting(world)
    nurse, path = world.browser("priya"), f"/clinician/letters/{letter}"
    page = nurse.fill(nurse.get(path), f"{path}/release", note="x")
    assert page.status_code == 422
    assert "Choose a reason" in text_of(page)
    assert world.entries("release") == []


def test_a_newer_version_of_a_letter_has_to_be_read_first_and_one_is_released_once(world):
    letter = waiting(world)
    nurse, path = world.browser("priya"), f"/clinician/letters/{letter}"
    form = nurse.get(path)
    waiting(world, attachment(b"Dear Mr Ashworth"), id=letter)
    page = nurse.fill(form, f"{path}/release", **SPOKEN)
    assert page.status_code == 422
    assert "The hospital has sent a newer version. Please read it first." in text_of(page)
    form = nurse.get(path)
    assert nurse.fill(form, f"{path}/release", **SPOKEN).status_code == 303
    assert nurse.fill(form, f"{path}/release", **SPOKEN).status_code == 422


def test_a_letter_without_anything_to_read_is_not_released(world):
    letter = waiting(world, content=[{"attachment": {"title": "Soon"}}])
    nurse, path = world.browser("priya"), f"/clinician/letters/{letter}"
    page = nurse.get(path)
    assert f'action="{path}/release"' not in page.text
    csrf = re.search(r'name="csrf" value="([^"]*)"', page.text)[1]
    page = nurse.send("POST", f"{path}/release", data={"csrf": csrf, "version": "1", **SPOKEN})
    assert page.status_code == 422
    assert "There is nothing to read in this letter yet." in text_of(page)


def test_the_page_of_a_patient_has_their_letters_those_that_wait_first(world):
    open_ = filed(world)
    held = waiting(world, description="Draft of the clinic letter")
    page = world.browser("priya").get(f"/clinician/patients/{world.ids['alan']}")
    assert "Draft of the clinic letter , 23 November 2026 Held" in text_of(page)
    assert re.findall(r"/clinician/letters/(\w+)", page.text) == [held, open_]


def test_for_anybody_else_a_held_letter_is_as_one_that_never_was(world):
    letter = waiting(world, attachment(PDF, "application/pdf"))
    other = world.browser("tessa")
    csrf = re.search(r'name="csrf" value="([^"]*)"', other.get("/clinician").text)[1]
    data = {"csrf": csrf, "version": "1", **SPOKEN}
    for path, method in (("", "GET"), ("/documents/1", "GET"), ("/release", "POST")):
        form = {"data": data} if method == "POST" else {}
        answers = [
            other.send(method, f"/clinician/letters/{one}{path}", **form)
            for one in (letter, "0" * 32)
        ]
        assert [one.status_code for one in answers] == [404, 404]
        assert len({one.text.replace(one.headers["X-Request-Id"], "") for one in answers}) == 1
    assert letter not in other.get("/clinician").text
    for login in ("alan", "ada", "olu"):
        for path in ("", "/documents/1"):
            answer = world.browser(login).get(f"/clinician/letters/{letter}{path}")
            assert answer.status_code == 403
            assert "Clinic letter" not in answer.text
    assert [one for one in world.entries("release") if one["outcome"] == "0"] == []
