"""A patient's letters: there when they may be read, opened once, kept as they were written."""

import pytest

from tests.portal_api.pages.letters_filed import PDF, attachment, filed
from tests.portal_api.pages.world import text_of


def test_a_new_letter_is_told_of_until_it_is_opened(world):
    letter = filed(world)
    browser = world.browser("alan")
    assert "You have 1 new letter" in text_of(browser.get("/patient"))
    assert "new message" not in text_of(browser.get("/patient"))
    listed = browser.get("/patient/letters")
    words = text_of(listed)
    assert "Clinic letter , 23 November 2026 New" in words
    assert "Written on 23 November 2026 by Dr Ngozi Okafor, Northgate Hospital" in words
    assert f'href="/patient/letters/{letter}"' in listed.text
    opened = browser.get(f"/patient/letters/{letter}")
    assert opened.status_code == 200
    assert "Dear Alan\n\n  Dose   20 mg &lt;b&gt;twice&lt;/b&gt;" in opened.text
    assert "new letter" not in text_of(browser.get("/patient"))
    assert " New" not in text_of(browser.get("/patient/letters"))
    assert browser.get("/patient/messages").text.count("portal-row__title") == 0


def test_a_letter_that_is_a_file_is_kept_byte_for_byte(world):
    letter = filed(world, attachment(PDF, "application/pdf"))
    browser = world.browser("alan")
    address = f"/patient/letters/{letter}/documents/1"
    page = browser.get(f"/patient/letters/{letter}").text
    assert f'<a href="{address}" download>Download the letter (PDF, less than 1 KB)</a>' in page
    answer = browser.get(address)
    assert (answer.content, answer.headers["content-type"]) == (PDF, "application/pdf")
    named = 'attachment; filename="letter-2026-11-23.pdf"'
    assert answer.headers["content-disposition"] == named
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    for place in ("0", "2", "x"):
        assert browser.get(f"/patient/letters/{letter}/documents/{place}").status_code == 404


def test_each_look_at_a_letter_is_on_the_ledger(world):
    letter = filed(world)
    browser = world.browser("alan")
    before = len(world.entries("read"))
    browser.get(f"/patient/letters/{letter}")
    read = [str(one["entity"]) for one in world.entries("read")[before:]]
    assert sum(f"DocumentReference/{letter}" in one for one in read) == 1


def test_a_held_letter_answers_like_one_that_never_was(world):
    held = filed(world, held={"release_at": None})
    brians = filed(world, login="brian")
    browser = world.browser("alan")
    listed = browser.get("/patient/letters")
    assert "You have no letters yet" in text_of(listed)
    assert "new letter" not in text_of(browser.get("/patient"))
    for path in ("", "/documents/1"):
        answers = [browser.get(f"/patient/letters/{one}{path}") for one in (held, brians, "0" * 32)]
        assert [one.status_code for one in answers] == [404, 404, 404]
        texts = {one.text.replace(one.headers["X-Request-Id"], "") for one in answers}
        assert len(texts) == 1


@pytest.mark.parametrize(
    ("also", "said"),
    [
        ({"status": "superseded"}, "Important: This letter was replaced"),
        ({"docStatus": "preliminary"}, "Nobody has signed this letter yet."),
        (
            {"relatesTo": [{"code": "appends", "target": {"display": "D0"}}]},
            "This adds to an earlier letter.",
        ),
        ({"content": [{"attachment": {"title": "Soon"}}]}, "There is nothing to read here yet."),
    ],
)
def test_a_letter_says_how_it_stands(world, also, said):
    letter = filed(world, **also)
    assert said in text_of(world.browser("alan").get(f"/patient/letters/{letter}"))


def test_a_letter_that_was_taken_back_shows_nothing_of_what_it_said(world):
    letter = filed(world, status="entered-in-error")
    browser = world.browser("alan")
    page = browser.get(f"/patient/letters/{letter}")
    assert "The hospital took this letter back" in text_of(page)
    assert "Dear Alan" not in page.text
    assert browser.get(f"/patient/letters/{letter}/documents/1").status_code == 404
    assert "Clinic letter" not in text_of(browser.get("/patient/letters"))
