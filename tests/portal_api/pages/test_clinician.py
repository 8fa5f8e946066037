"""A nurse sees all results of her patients at once, and opens a held one to the patient."""

import re

from sqlalchemy import update

from fhir_server.clock import micros
from fhir_server.store.tables import care_relationship
from portal_api import review
from portal_api.caller import read
from tests.portal_api.pages.world import FILING, text_of

LATER = 13 * 24 * 3_600 * 1_000_000
SPOKEN = {"reason": "spoken", "note": "Rang at 2pm."}


def held(world, number="0.21") -> str:
    """File a held result of Brian's, with its notice."""
    opens = micros(world.hands()) + LATER
    notice = ("PSA", "contact-first", opens, "the urology nurses on 0151 496 0101")
    return world.result(world.ids["brian"], number, release_at=opens, notice=notice)


def test_the_list_has_my_patients_and_no_others(world):
    words = text_of(world.browser("priya").get("/clinician"))
    assert "2 patients" in words
    assert "Ashworth, Alan 4 March 1955 (71 years) 999 000 0018 Urology nurses" in words
    assert "Booth, Brian" in words
    assert "John Neal" not in words


def test_a_patient_is_found_by_name_or_number(world):
    browser = world.browser("priya")
    for wanted in ("brian", "BOOTH", "9990000026", "999 000 0026"):
        words = text_of(browser.get("/clinician", params={"find": wanted}))
        assert "1 patient found" in words
        assert "Booth, Brian" in words
    assert "No patient of your teams" in text_of(browser.get("/clinician", params={"find": "neal"}))


def test_patients_are_listed_by_family_name(world):
    for name, number in (("Zoe Able", "9990000034"), ("Adam Young", "9990000042")):
        world.patient(name, number, name.split()[0].lower(), "priya")
    words = text_of(world.browser("priya").get("/clinician"))
    listed = ("Able, Zoe", "Ashworth, Alan", "Booth, Brian", "Young, Adam")
    assert sorted(listed, key=words.index) == list(listed)


def test_what_waits_for_review_is_one_step_from_the_first_page_the_longest_first(either_world):
    world = either_world
    first = held(world)
    world.hands.advance(hours=3)
    second = held(world, "0.22")
    nurse = world.browser("priya")
    page = nurse.get("/clinician")
    words = text_of(page)
    assert "Results to review" in words
    assert "Booth, Brian 999 000 0026 3 hours 7 December 2026 at 2:30pm" in words
    assert page.text.index(first) < page.text.index(second)
    assert "0.21" not in words
    read = [one for one in world.entries("operation") if world.ids["brian"] in str(one["entity"])]
    assert len(read) == 1
    assert "Results to review" not in text_of(world.browser("tessa").get("/clinician"))
    path = f"/clinician/reports/{first}"
    assert nurse.fill(nurse.get(path), f"{path}/release", **SPOKEN).status_code == 303
    world.hands.advance(seconds=1)
    after = nurse.get("/clinician").text
    assert first not in after
    assert second in after


def test_a_released_result_leads_on_to_a_message_about_it(world):
    report = held(world)
    nurse = world.browser("priya")
    page = nurse.get(f"/clinician/reports/{report}")
    path = f"/clinician/patients/{world.ids['brian']}/write"
    assert "Write to Brian Booth about it" in text_of(page)
    assert f'href="{path}?about=' in page.text
    form = nurse.get(path, params={"about": "Prostate blood test (PSA)"})
    assert 'value="Prostate blood test (PSA)"' in form.text


def test_what_is_held_stands_first_with_the_day_on_which_it_opens(world):
    world.result(world.ids["brian"], "0.09", days=182)
    held(world)
    words = text_of(world.browser("priya").get(f"/clinician/patients/{world.ids['brian']}"))
    assert words.index("Held: the patient cannot see these yet") < words.index("0.21 ug/L")
    assert "7 December 2026 at 2:30pm" in words
    assert words.index("Open to the patient") < words.index("0.09 ug/L")


def test_a_released_result_opens_at_once_with_its_reason_on_the_ledger(either_world):
    world, report = either_world, held(either_world)
    patient = world.browser("brian")
    assert "Waiting to open" in text_of(patient.get("/patient"))
    nurse, path = world.browser("priya"), f"/clinician/reports/{report}"
    released = nurse.fill(nurse.get(path), f"{path}/release", **SPOKEN)
    assert released.status_code == 303
    world.hands.advance(seconds=1)
    after = nurse.get(released.headers["Location"])
    assert "The result is open to the patient now." in text_of(after)
    assert "Release to the patient" not in text_of(after)
    home = text_of(patient.get("/patient"))
    assert "0.21 ug/L" in home
    assert "Waiting to open" not in home
    assert "0.21" in text_of(patient.get(f"/patient/results/{report}"))
    (entry,) = world.entries("release")
    assert entry["outcome"] == "0"
    assert entry["outcomeDesc"] == "I have spoken with the patient. Rang at 2pm."
    assert {"reference": f"Patient/{world.ids['brian']}"} in [
        one.get("what") for one in entry["entity"]
    ]
    assert "A clinician from Northgate Hospital opened a result for you." in text_of(
        patient.get("/patient/access")
    )


def test_without_a_reason_nothing_is_released(world):
    report = held(world)
    nurse, path = world.browser("priya"), f"/clinician/reports/{report}"
    page = nurse.fill(nurse.get(path), f"{path}/release", note="x")
    assert page.status_code == 422
    assert "Choose a reason" in text_of(page)
    assert world.entries("release") == []
    assert "0.21" not in world.browser("brian").get("/patient").text


def test_a_newer_version_has_to_be_read_before_it_is_released(world):
    report = held(world)
    nurse, path = world.browser("priya"), f"/clinician/reports/{report}"
    form = nurse.get(path)
    subject = {"subject": {"reference": f"Patient/{world.ids['brian']}"}}
    newer = {"resourceType": "DiagnosticReport", "status": "corrected", "code": {"text": "PSA"}}
    world.file(newer | subject | {"id": report}, world.ids["brian"], release_at=None)
    page = nurse.fill(form, f"{path}/release", **SPOKEN)
    assert page.status_code == 422
    assert "The laboratory has sent a newer version. Please read it first." in text_of(page)
    assert world.browser("brian").get(f"/patient/results/{report}").status_code == 404


def test_a_result_is_released_once(world):
    report = held(world)
    nurse, path = world.browser("priya"), f"/clinician/reports/{report}"
    form = nurse.get(path)
    assert nurse.fill(form, f"{path}/release", **SPOKEN).status_code == 303
    assert nurse.fill(form, f"{path}/release", **SPOKEN).status_code == 422
    assert [one["outcome"] for one in world.entries("release")] == ["0", "4"]


def test_whose_care_ends_while_they_release_releases_nothing(world, monkeypatch):
    report = held(world)
    nurse, path = world.browser("priya"), f"/clinician/reports/{report}"
    form = nurse.get(path)

    async def read_and_care_ended(caller, *asked):
        found = await read(caller, *asked)
        ended = update(care_relationship).values(ends=0)
        world.portal.record.submit(FILING, lambda writer: writer.execute(ended)).result(10)
        return found

    monkeypatch.setattr(review, "read", read_and_care_ended)
    assert nurse.fill(form, f"{path}/release", **SPOKEN).status_code == 403
    assert [one["outcome"] for one in world.entries("release")] == ["4"]


def test_a_nurse_of_another_team_neither_sees_nor_releases(world):
    report = held(world)
    other = world.browser("tessa")
    for path in (f"/clinician/patients/{world.ids['brian']}", f"/clinician/reports/{report}"):
        answer = other.get(path)
        assert answer.status_code == 404
        assert "0.21" not in answer.text
    own = other.get("/clinician")
    csrf = re.search(r'name="csrf" value="([^"]*)"', own.text)[1]
    data = {"csrf": csrf, "version": "1", "reason": "spoken"}
    assert other.send("POST", f"/clinician/reports/{report}/release", data=data).status_code == 404
    assert "0.21" not in world.browser("brian").get("/patient").text
    assert [one for one in world.entries("release") if one["outcome"] == "0"] == []


def test_a_patient_releases_nothing(world):
    report = held(world)
    patient = world.browser("brian")
    csrf = re.search(r'name="csrf" value="([^"]*)"', patient.get("/patient").text)[1]
    data = {"csrf": csrf, "version": "1", "reason": "spoken"}
    answer = patient.send("POST", f"/clinician/reports/{report}/release", data=data)
    assert answer.status_code == 403
    assert "0.21" not in patient.get("/patient").text
