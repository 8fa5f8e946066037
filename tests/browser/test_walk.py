"""All four users at the real pages of the demonstration, in a real browser, from end to end.

Every sentence here is one that a person reads on the screen.
"""

import re
from urllib.parse import urlencode

import httpx
import pytest

from portal_api.demo.accounts import APP
from portal_api.demo.walk import new_pair
from tests.browser.loopback import listening

LATER = """\
MSH|^~\\&|TIDELAB|X3C03|PORTAL|MERSEY|20261124091500||ORU^R01^ORU_R01|WALK1|P|2.5.1
PID|1||9990000107^^^NHS^NH||Example^Walter||04/03/1955|M
OBR|1|OW1|LW1|2857-1^PSA^LN|||20261124083000|||||||||||||||20261124091500||CH|F
OBX|1|NM|2857-1^PSA^LN||4.1|ug/L|0-6.5||||F
"""
"""A result whose birth date is in a form that its hospital did not agree on."""
NHS_NUMBERS = {"brian": "999 000 0026", "colin": "999 000 0034"}
TODAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day \d{1,2} \w+ \d{4}"
CLOCK = r"(?:\d{1,2}(?::\d\d)?[ap]m|midday|midnight)"
HELD = (
    rf"Prostate blood test \(PSA\) This result arrived on {TODAY}\. "
    rf"You can read it here from {TODAY} at {CLOCK}\. Your team may open it sooner\. "
    r"Some results wait a little, so that your team can read them and talk with you\. "
    r"To ask about it, ring the \w+ \w+ \w+ cancer helpline on 0151 496 01\d\d\."
)
READ_AT = rf"Read on \d{{1,2}} \w+ \d{{4}} at {CLOCK}"


def test_a_patient_of_71_sees_his_newest_result_and_how_it_has_changed(demonstration, visitor):
    early = visitor("alan").opens("/patient")
    assert "7.3 ug/L" not in early
    assert demonstration.step("alan") == (
        "AA Alan Fletcher: Prostate specific antigen 7.3 ug/L, preliminary"
    )
    alan = visitor("alan")
    assert "7.3 ug/L" not in alan.opens("/patient")
    assert demonstration.step("alan").endswith("Prostate specific antigen 7.3 ug/L, final")
    results = alan.opens("/patient")
    assert "Waiting to open" not in results
    assert results.index("7.3 ug/L") < results.index("7.0 ug/L") < results.index("6.8 ug/L")
    result = alan.follows("Prostate blood test (PSA)")
    assert re.search(r"Your result before this one was 7\.0 ug/L on \d{1,2} \w+ \d{4}\.", result)
    assert "Above the usual range" in result
    assert "The blue band is the usual range, from 0 to 6.5 ug/L." in result
    assert "The first was 6.8 ug/L. The latest is 7.3 ug/L." in result
    assert "PSA is a protein made by the prostate." in result
    assert "Your team has this result too." in result
    assert "Ring your team (Uro-oncology nurse specialists) on 0151 496 0111." in result
    assert "Ring the 24-hour line now on 0151 496 0199." in result
    page = alan.page
    assert page.get_by_role("img", name="How this result has changed").is_visible()
    cells = page.get_by_role("table").get_by_role("cell").all_inner_texts()
    assert cells[1::2] == ["7.3 ug/L", "7.0 ug/L", "6.9 ug/L", "6.7 ug/L", "7.1 ug/L", "6.8 ug/L"]


@pytest.mark.parametrize(
    ("login", "name", "value", "scripts"),
    [
        ("brian", "Mr Brian Osei", "0.21 ug/L", True),
        ("colin", "Mr Colin Légaré", "2.6 ug/L", False),
    ],
    ids=["with JavaScript", "without JavaScript"],
)
def test_a_held_result_is_asked_about_talked_about_and_released(
    demonstration, visitor, login, name, value, scripts
):
    assert demonstration.step(login).startswith("AA")
    patient = visitor(login, java_script_enabled=scripts)
    _finds_a_notice_and_writes(patient, value)

    nurse = visitor("nadia", java_script_enabled=scripts)
    _takes_the_conversation_on_and_answers(nurse, name, NHS_NUMBERS[login])
    _releases(nurse, name, value)

    home = patient.opens("/patient")
    assert "You have 1 new message" in home
    assert "Waiting to open" not in home
    assert home.index(value) < home.index("Questions about a result")
    conversation = patient.follows("You have 1 new message")
    assert "Last message from Ms Nadia Rahman on" in conversation
    answer = patient.follows("My new PSA")
    assert "Ms Nadia Rahman, Uro-oncology nurse specialists," in answer
    assert "I rang you at two. Your result is open now." in answer
    assert "new message" not in patient.opens("/patient")
    result = patient.follows("Prostate blood test (PSA)")
    assert f"The latest is {value}." in result
    assert "If you have had treatment, the usual range does not tell you much." in result

    looked = patient.opens("/patient/access")
    nurses = "A clinician from Uro-oncology nurse specialists"
    assert f"{nurses} opened a result for you." in looked
    assert re.search(rf"{nurses} looked at your results", looked)
    assert "Nobody can change or delete what is written." in looked

    nurse.opens("/clinician")
    nurse.page.get_by_role("link", name=name.split()[-1]).first.click()
    nurse.follows("My new PSA")
    answered = nurse.page.locator(".portal-message--own").inner_text()
    assert re.search(READ_AT, answered)


def _finds_a_notice_and_writes(patient, value):
    home = patient.opens("/patient")
    assert re.search(HELD, home)
    assert value not in home
    patient.follows("Messages", exact=True)
    form = patient.presses("Write to your team")
    assert "We aim to reply within 2 working days." in form
    assert "Call 999 if it is an emergency." in form
    assert "Ring the 24-hour line now on 0151 496 0199." in form
    error = patient.presses("Send message")
    assert "There is a problem" in error
    assert patient.page.title().startswith("Error: Write to your team")
    assert patient.page.locator(":focus").inner_text().startswith("There is a problem")
    patient.page.get_by_label("What is it about?").fill("My new PSA")
    patient.page.get_by_label("Your message").fill("It has arrived. Should I worry?")
    assert "Your message was sent." in patient.presses("Send message")
    thread = patient.follows("My new PSA")
    assert "It has arrived. Should I worry? Not read yet" in thread


def _takes_the_conversation_on_and_answers(nurse, name, number):
    inbox = nurse.opens("/clinician/inbox")
    assert re.search(rf"My new PSA {name} {number} (?:less than a|1) minute Nobody yet", inbox)
    opened = nurse.follows("My new PSA")
    assert "Waiting for an answer. Owner: nobody yet." in opened
    taken = nurse.presses("Take it on")
    assert "You have taken this conversation on." in taken
    assert "Owner: you." in taken
    assert number in taken
    nurse.page.get_by_label("Your answer").fill("I rang you at two. Your result is open now.")
    assert "Your message was sent." in nurse.presses("Send message")
    assert name not in nurse.opens("/clinician/inbox")


def _releases(nurse, name, value):
    first = nurse.opens("/clinician")
    listed = f"{name.split()[-1]}, {' '.join(name.split()[:-1])}"
    assert first.index("Results to review") < first.index(listed)
    review = nurse.follows(re.compile(rf"Prostate specific antigen\s*, {name}"))
    assert value.removesuffix(" ug/L") in review
    assert f"If you release it, {name} can read it at once." in review
    assert "Choose a reason" in nurse.presses("Release result")
    nurse.page.get_by_label("I have spoken with the patient").check()
    nurse.page.get_by_label("Anything to add").fill("Rang at two.")
    released = nurse.presses("Release result")
    assert "The result is open to the patient now." in released
    assert "The patient can read this result." in released


def test_an_auditor_finds_a_release_with_its_reason_and_verifies_the_log(demonstration, visitor):
    demonstration.step("irene")
    demonstration.step("irene")
    nurse = visitor("grace")
    nurse.follows(re.compile(r"HE4 \(method X\)\s*, Mrs Irene Castell"))
    nurse.page.get_by_label("There is nothing in it that needs a talk first").check()
    nurse.presses("Release result")
    auditor = visitor("morag")
    auditor.page.get_by_label("Patient", exact=True).fill("999 000 0069")
    auditor.page.get_by_label("What was done").select_option("Released a result to the patient")
    found = auditor.presses("Search")
    assert "1 entry, newest first, London time" in found
    assert "Ms Grace Okafor clinician, Gynaecological cancer team, portal" in found
    assert "For treatment. There is nothing in it that needs a talk first" in found
    auditor.page.get_by_label("What was done").select_option("Anything")
    auditor.page.get_by_label("Outcome").select_option("Refused")
    auditor.page.get_by_label("Patient", exact=True).fill("999 000 0077")
    assert "Ms Tessa Neal clinician, Gynaecological cancer team, portal" in auditor.presses(
        "Search"
    )
    auditor.follows("Verify")
    verdict = auditor.presses("Verify now")
    assert "The log fits its checkpoints" in verdict
    assert re.search(r"Proven by checkpoints [\d,]+", verdict)


def test_an_operator_sees_the_feeds_the_message_set_aside_and_its_trace(visitor):
    operator = visitor("dev")
    feeds = operator.reads()
    assert "herons Heron Sands Infirmary, X2B02" in feeds
    queue = operator.follows("Error queue")
    assert "Messages that are kept safe but not filed. Each waits for a person." in queue
    assert "narrows" in queue
    assert "Set aside PID.7 The birth date is not that of the person known." in queue
    trace = operator.follows("N40777-OTHER")
    assert "Set aside Waits for a person PID.7: The birth date is not that of" in trace
    assert "Resources made None" in trace
    assert "PSA^Prostate specific antigen" in trace
    assert "MSA|AA|N40777-OTHER" in trace
    would = operator.presses("Try it again")
    assert "0 of 1 message would be filed; 1 would wait all the same." in would


def test_an_operator_mends_an_agreement_tries_what_waits_and_files_it(demonstration, visitor):
    demonstration.send(LATER, "WALK1")
    operator = visitor("dev", java_script_enabled=False)
    operator.opens("/operator/errors?feed=tidewater&code=date-bad")
    assert "0 of 1 message would be filed" in operator.presses("Try them again")
    demonstration.amend("tidewater", "dialect.day_first=true")
    operator.opens("/operator/errors?feed=tidewater&code=date-bad")
    would = operator.presses("Try them again")
    assert "Nothing has been done yet. 1 of 1 message would be filed." in would
    assert "valueQuantity.value 4.1" in would
    assert "The messages were run again." in operator.presses("Run it again")
    operator.opens("/operator/trace")
    operator.page.get_by_label("Control id, accession or NHS number").fill("WALK1")
    assert "tidewater ORU^R01" in operator.presses("Trace")
    message = operator.follows("WALK1", exact=True)
    assert re.search(r"Ran it again\. Then: Filed", message)
    assert "OBX[1].5 Observation value 4.1" in message


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_patient_lets_an_app_see_results_and_not_messages(visits, scripts):
    with listening() as app:
        visits.allowed.append(app.address)
        graham, pair = visits(java_script_enabled=scripts), new_pair()
        asked = {
            "response_type": "code",
            "client_id": APP.client_id,
            "redirect_uri": app.redirect,
            "scope": "launch/patient offline_access patient/*.rs",
            "state": "a-state-of-the-apps",
            "aud": f"{graham.address}/fhir",
            "code_challenge": pair.challenge,
            "code_challenge_method": "S256",
        }
        sign_in = graham.opens(f"/authorize?{urlencode(asked)}")
        assert f"{APP.name} would like to connect to your record. Sign in first." in sign_in
        consent = graham.presses("Sign in as Mr Graham Whitlock")
        assert f"May {APP.name} see your own record?" in consent
        assert "You are signed in as Mr Graham Whitlock." in consent
        assert "We do not check what it does with what it reads." in consent
        graham.page.get_by_label("Messages with the care team").uncheck()
        assert graham.presses("Allow") == "You are connected."
        (back,) = app.came_back
        assert back["state"] == asked["state"]
        exchanged = {
            "grant_type": "authorization_code",
            "client_id": APP.client_id,
            "redirect_uri": app.redirect,
            "code": back["code"],
            "code_verifier": pair.verifier,
        }
    given = httpx.post(f"{graham.address}/token", data=exchanged).json()
    bearer = {"Authorization": f"Bearer {given['access_token']}"}
    found = [
        httpx.get(f"{graham.address}/fhir/{one}?patient={given['patient']}", headers=bearer)
        for one in ("DiagnosticReport", "Communication")
    ]
    assert [one.status_code for one in found] == [200, 403]
    assert found[0].json()["total"] > 10


def test_a_laboratorys_document_is_kept_as_a_file(visitor):
    graham = visitor("graham")
    graham.opens("/patient")
    assert "No evidence of recurrence." in graham.follows("CT scan report")
    with graham.page.expect_download() as started:
        graham.page.get_by_role("link", name=re.compile(r"Download the document \(PDF, ")).click()
    assert re.fullmatch(r"result-\d{4}-\d\d-\d\d\.pdf", started.value.suggested_filename)
    assert started.value.path().read_bytes().startswith(b"%PDF-")


def test_who_asks_for_what_is_not_theirs_is_told_what_to_do(visitor):
    john = visitor("john")
    missing = john.opens(f"/patient/results/{'0' * 32}")
    assert "The address may be wrong, or what it led to may not be yours to see." in missing
    assert "If you ring us about this, please give the number" in missing
    assert "This page is for other users." in john.opens("/clinician")
    john.opens("/patient/access")
    refused = "A clinician from Gynaecological cancer team tried to open your"
    assert re.search(rf"Refused {refused} [a-z ]+, and was refused\.", john.reads())
    john.presses("Sign out")
    assert "You are signed out." in john.reads()
