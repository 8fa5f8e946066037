"""A patient and a team write to each other, and nobody else can."""

import re

import pytest

from fhir_server import linking
from fhir_server.model.ids import new_id
from tests.portal_api.pages.world import FILING, text_of

FIELDS = {"subject": "My next test", "text": "Do I need to come in?"}


def written(world, login="alan", **fields) -> str:
    """Begin a conversation as a patient; return the address of it in the patient's list."""
    browser = world.browser(login)
    form = browser.get("/patient/messages/new")
    team = {"team": world.ids[f"{login} team"]}
    sent = browser.fill(form, "/patient/messages", **(FIELDS | team | fields))
    assert sent.status_code == 303, text_of(sent)
    listed = browser.get(sent.headers["Location"])
    assert "Your message was sent." in text_of(listed)
    return re.search(r'href="(/patient/messages/[0-9a-f]{32})"', listed.text)[1]


def conversation(world, login="alan") -> str:
    """The address of the only conversation in the inbox."""
    inbox = world.browser("priya").get("/clinician/inbox")
    return re.search(rf'href="(/clinician/patients/{world.ids[login]}/messages/\w+)"', inbox.text)[
        1
    ]


def test_a_message_goes_there_and_back_with_its_receipts(either_world):
    world = either_world
    address = written(world)
    nurse = world.browser("priya")
    inbox = nurse.get("/clinician/inbox")
    assert "My next test" in text_of(inbox)
    assert "999 000 0018" in text_of(inbox)
    assert "Nobody yet" in text_of(inbox)
    there = conversation(world)
    world.hands.advance(minutes=5)
    opened = nurse.get(there)
    assert "Do I need to come in?" in text_of(opened)
    assert "Read on 24 November 2026 at 2:35pm" in text_of(world.browser("alan").get(address))
    answered = nurse.fill(opened, there, text="Yes please.")
    assert answered.status_code == 303
    assert "All messages have been answered." in text_of(nurse.get("/clinician/inbox"))
    patient = world.browser("alan")
    assert "You have 1 new message" in text_of(patient.get("/patient"))
    thread = text_of(patient.get(address))
    assert "Nurse Shah, Urology nurses" in thread
    assert "Yes please." in thread
    assert "new message" not in text_of(patient.get("/patient"))
    assert "Read on 24 November 2026" in text_of(nurse.get(there))


def test_before_the_writing_box_stand_the_reply_time_and_what_to_do_in_an_emergency(world):
    page = world.browser("alan").get("/patient/messages/new").text
    box = page.index("<textarea")
    assert page.index("We aim to reply within 2 working days.") < box
    assert page.index("Call 999") < box
    assert page.index("38°C") < box


def test_an_empty_message_comes_back_with_what_is_wrong_and_what_was_written(world):
    browser = world.browser("alan")
    form = browser.get("/patient/messages/new")
    page = browser.fill(form, "/patient/messages", subject="Parking & <b>trains</b>", text=" \n ")
    assert page.status_code == 422
    words = text_of(page)
    assert "There is a problem" in words
    assert "Choose which team it is for" not in words
    assert "Write your message" in words
    assert 'value="Parking &amp; &lt;b&gt;trains&lt;/b&gt;"' in page.text
    assert page.text.index("<title>Error: ") > 0


def test_a_message_that_is_too_long_comes_back_whole(world):
    browser = world.browser("alan")
    form = browser.get("/patient/messages/new")
    page = browser.fill(form, "/patient/messages", subject="Long", text="x" * 4010)
    assert page.status_code == 422
    assert "Your message is too long by 10 characters" in text_of(page)
    assert "x" * 4010 in page.text


def test_html_and_hidden_characters_arrive_as_plain_text(world):
    address = written(world, text="<script>alert(1)</script> a\u202eb\u200bc")
    page = world.browser("alan").get(address).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; abc" in page
    assert "<script" not in page


def test_a_form_sent_twice_sends_one_message(world):
    browser = world.browser("alan")
    form = browser.get("/patient/messages/new")
    for _ in range(2):
        assert browser.fill(form, "/patient/messages", **FIELDS).status_code == 303
    inbox = world.browser("priya").get("/clinician/inbox")
    assert "1 conversation waits" in text_of(inbox)


def test_a_form_from_another_site_changes_nothing(world):
    browser = world.browser("alan")
    data = {"csrf": "guess", "draft": new_id(), **FIELDS}
    answer = browser.send("POST", "/patient/messages", data=data)
    assert answer.status_code == 403
    assert "All messages have been answered." in text_of(
        world.browser("priya").get("/clinician/inbox")
    )


def test_who_takes_a_conversation_on_is_its_owner_for_everybody(world):
    written(world)
    there = conversation(world)
    nurse = world.browser("priya")
    taken = nurse.fill(nurse.get("/clinician/inbox"), f"{there}/take")
    assert taken.status_code == 303
    inbox = nurse.get("/clinician/inbox")
    assert "You" in text_of(inbox)
    assert "Take it on" not in text_of(inbox)


def test_a_conversation_may_be_closed_without_an_answer(world):
    written(world)
    there = conversation(world)
    nurse = world.browser("priya")
    assert nurse.fill(nurse.get(there), f"{there}/settle").status_code == 303
    assert "All messages have been answered." in text_of(nurse.get("/clinician/inbox"))


def test_the_longest_waiting_is_first_and_late_ones_are_marked(world):
    written(world)
    world.hands.advance(days=3)
    written(world, "brian", subject="Later")
    words = text_of(world.browser("priya").get("/clinician/inbox"))
    assert words.index("My next test") < words.index("Later")
    assert "3 days Late" in words


def test_a_nurse_of_another_team_sees_neither_inbox_nor_conversation(world):
    written(world)
    there = conversation(world)
    other = world.browser("tessa")
    assert "All messages have been answered." in text_of(other.get("/clinician/inbox"))
    assert other.get(there).status_code == 404
    assert other.get(f"/clinician/patients/{world.ids['alan']}/write").status_code == 404


def test_a_patient_cannot_open_or_answer_a_conversation_of_somebody_else(world):
    head = written(world).rpartition("/")[2]
    other = world.browser("brian")
    assert other.get(f"/patient/messages/{head}").status_code == 404
    own = written(world, "brian")
    form = other.get(own)
    data = dict(re.findall(r'name="(csrf|draft)" value="([^"]*)"', form.text.split("</header>")[1]))
    answer = other.send("POST", f"/patient/messages/{head}", data=data | {"text": "Hello"})
    assert answer.status_code == 404
    assert "Hello" not in text_of(world.browser("alan").get(f"/patient/messages/{head}"))


def test_a_nurse_writes_first_and_the_patient_finds_it(world):
    nurse, path = world.browser("priya"), f"/clinician/patients/{world.ids['alan']}/write"
    sent = nurse.fill(nurse.get(path), path, subject="Your result", text="Please ring me.")
    assert sent.status_code == 303
    assert "All messages have been answered." in text_of(nurse.get("/clinician/inbox"))
    assert "Your result" in text_of(world.browser("alan").get("/patient/messages"))


@pytest.mark.parametrize("login", ["ada", "olu"])
def test_auditors_and_operators_read_no_message(world, login):
    head = written(world).rpartition("/")[2]
    answer = world.browser(login).get(f"/patient/messages/{head}")
    assert answer.status_code == 403
    assert "come in" not in answer.text


def test_the_age_of_a_message_is_told_from_the_oldest_without_an_answer(world):
    address = written(world)
    world.hands.advance(hours=5)
    browser = world.browser("alan")
    assert browser.fill(browser.get(address), address, text="Are you there?").status_code == 303
    assert "5 hours" in text_of(world.browser("priya").get("/clinician/inbox"))


def test_who_signs_in_to_a_record_that_was_joined_reads_what_is_written_to_them(world):
    alan, brian, nurse = world.ids["alan"], world.ids["brian"], world.browser("priya")
    form = f"/clinician/patients/{alan}/write"
    sent = nurse.fill(nurse.get(form), form, subject="Your scan", text="All is well.")
    assert sent.status_code == 303
    record = world.portal.record
    record.submit(FILING, lambda writer: linking.join(writer, brian, alan, "one")).result(10)
    browser = world.browser("brian")
    (path,) = re.findall(
        r'"(/patient/messages/[0-9a-f]{32})"', browser.get("/patient/messages").text
    )
    opened = browser.get(path)
    assert (opened.status_code, "All is well." in text_of(opened)) == (200, True)
    assert "Read" in text_of(nurse.get(path.replace("/patient/", f"/clinician/patients/{alan}/")))
