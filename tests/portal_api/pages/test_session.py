"""Nobody loses what they wrote because they were slow, and nobody else can make us show a text."""

import re

import pytest

from auth.sessions import csrf_of
from tests.portal_api.pages.world import Browser, text_of

WORDS = "Where do I park?\n<b>And when?</b>"


def test_a_message_that_came_too_late_is_given_back_with_the_way_to_send_it(world):
    browser = world.browser("alan")
    form = browser.get("/patient/messages/new")
    world.hands.advance(minutes=31)
    page = browser.fill(form, "/patient/messages", subject="Parking", text=WORDS)
    assert page.status_code == 403
    words = text_of(page)
    assert "Your message was not sent" in words
    assert "What it is about: Parking" in words
    assert "Where do I park?\n&lt;b&gt;And when?&lt;/b&gt;</textarea>" in page.text
    assert 'href="/sign-in?next=%2Fpatient%2Fmessages"' in page.text
    again = browser.get("/sign-in")
    assert "You were signed out, because you did nothing here for 30 minutes." in text_of(again)
    assert browser.sign_in("alan").status_code == 303
    assert "You have no messages yet." in text_of(browser.get("/patient/messages"))


def test_an_answer_that_came_too_late_leads_back_to_its_conversation(world):
    nurse, path = world.browser("priya"), f"/clinician/patients/{world.ids['alan']}/write"
    form = nurse.get(path)
    world.hands.advance(minutes=31)
    page = nurse.fill(form, path, subject="Result", text="Please ring me.")
    assert page.status_code == 403
    assert "Please ring me." in page.text
    assert f"next={path.replace('/', '%2F')}" in page.text


@pytest.mark.parametrize("cookie", ["", "guessed"])
def test_a_text_from_another_site_is_never_shown(world, cookie):
    browser = Browser(world.app)
    if cookie:
        browser.cookies.set("__Host-portal-session", cookie, domain="portal.example")
    # What can be worked out without the cookie is no proof of it.
    data = {"csrf": csrf_of(""), "text": "Ring 0900 for your result", "subject": "Urgent"}
    answer = browser.send("POST", "/patient/messages", data=data)
    assert answer.status_code == 303
    assert answer.content == b""


def test_a_form_without_words_leads_to_sign_in(world):
    browser = world.browser("alan")
    csrf = re.search(r'name="csrf" value="([^"]*)"', browser.get("/patient").text)[1]
    world.hands.advance(minutes=31)
    answer = browser.send("POST", "/patient/messages", data={"csrf": csrf, "text": " "})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")
