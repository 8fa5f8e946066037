"""The error queue: tried first, then run again or closed with a reason, one message or many."""

import re

import pytest

from adapters.intake import feed_settings, registry, waiting
from adapters.intake.reception import receive
from tests.portal_api.pages.world import FILING, text_of

LIMS = {"name": "lims", "sources": ["127.0.0.0/8"]}


def agree(world, **settings):
    feed = feed_settings.from_settings(LIMS | settings)
    world.portal.record.submit(FILING, lambda writer: registry.agree(writer, feed)).result(10)


def send(world, control_id, *, born="04/03/1955", status="F"):
    raw = "\r".join(
        [
            f"MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|20261124||ORU^R01^ORU_R01|{control_id}|P|2.5.1",
            f"PID|1||9990000018^^^NHS^NH||Ashworth^Alan||{born}|M",
            f"OBR|1|O{control_id}|L{control_id}|2857-1^PSA^LN|||20261124|||||||||||||||20261124||CH|F",
            f"OBX|1|NM|2857-1^PSA^LN||7.3|ug/L|0-6.5|H|||{status}",
        ]
    )
    feeds = world.portal.feeds.reread()
    answers = receive(world.portal.record, feeds, raw.encode(), "127.0.0.1").result(timeout=30)
    assert answers


def waits(world):
    rows = world.portal.record.select(waiting.queue())
    return sorted(row.control_id for row in rows)


def chosen(browser):
    """Open the first reason of the queue."""
    queue = browser.get("/operator/errors")
    (href,) = set(re.findall(r'href="(/operator/errors\?[^"]+)"', queue.text))
    return browser.get(href.replace("&amp;", "&"))


@pytest.fixture
def office(world):
    """Three messages whose dates nobody has agreed on, and an operator."""
    agree(world)
    for control_id, born in (("A", "04/03/1955"), ("B", "04/03/1955"), ("C", "soon")):
        send(world, control_id, born=born)
    return world.browser("olu")


def test_the_queue_says_what_waits_for_which_reason(world, office):
    words = text_of(office.get("/operator/errors"))
    assert re.search(r"date-bad of lims lims 3 less than a minute 0", words)
    assert waits(world) == ["A", "B", "C"]


def test_many_are_tried_run_again_and_what_is_not_mended_waits_on(world, office):
    agree(world, dialect={"day_first": True})
    page = office.fill(chosen(office), "/operator/errors/try")
    words = text_of(page)
    assert "Nothing has been done yet. 2 of 3 messages would be filed; 1 would wait" in words
    assert "valueQuantity.value 7.3" in words
    assert waits(world) == ["A", "B", "C"]
    done = office.fill(page, "/operator/errors/replay")
    assert done.headers["location"] == "/operator/errors?done=ran"
    assert waits(world) == ["C"]
    outcomes = [one["outcome"] for one in world.entries("message-replayed")]
    assert sorted(outcomes) == ["0", "0", "4"]
    assert all("Olu Operator" in str(one["agent"]) for one in world.entries("message-replayed"))


def test_what_came_after_the_page_was_looked_at_is_left_alone(world, office):
    page = chosen(office)
    world.hands.advance(minutes=1)
    send(world, "D")
    agree(world, dialect={"day_first": True})
    trial = office.fill(page, "/operator/errors/try")
    assert "2 of 3 messages" in text_of(trial)
    office.fill(trial, "/operator/errors/replay")
    assert waits(world) == ["C", "D"]


def test_one_message_is_tried_run_again_and_says_who_did(world, office):
    agree(world, dialect={"day_first": True})
    href = re.search(r'href="(/operator/messages/[^"]+)">A<', office.get("/operator/errors").text)
    page = office.get(href[1])
    trial = office.fill(page, "/operator/errors/try")
    assert "1 of 1 message would be filed." in text_of(trial)
    assert "Open to the patient." in text_of(trial)
    done = office.fill(trial, "/operator/errors/replay")
    assert done.headers["location"] == f"{href[1]}?done=ran-one"
    words = text_of(office.get(done.headers["location"]))
    assert "The message was run again." in words
    assert "Olu Operator: Ran it again. Then: Filed" in words
    assert "Try it again" not in words


def test_messages_are_closed_with_a_reason_and_kept(world, office):
    page = chosen(office)
    refused = office.fill(page, "/operator/errors/close", reason=" ")
    assert refused.status_code == 422
    assert "Say why nothing more is to be done." in text_of(refused)
    assert waits(world) == ["A", "B", "C"]
    done = office.fill(refused, "/operator/errors/close", reason="Sent again as D.")
    assert done.headers["location"] == "/operator/errors?done=closed"
    assert waits(world) == []
    reasons = [one["outcomeDesc"] for one in world.entries("message-closed")]
    assert reasons == ["Sent again as D."] * 3


def test_a_closed_message_is_found_and_can_be_put_back(world, office):
    href = re.search(r'href="(/operator/messages/[^"]+)">A<', office.get("/operator/errors").text)
    page = office.get(href[1])
    assert office.fill(page, "/operator/errors/close").status_code == 422
    office.fill(page, "/operator/errors/close", reason="Sent again.")
    assert waits(world) == ["B", "C"]
    page = office.get(href[1])
    assert "Olu Operator: Closed it: Sent again. Then: Set aside (date-bad)" in text_of(page)
    done = office.fill(page, "/operator/errors/reopen")
    assert done.headers["location"] == f"{href[1]}?done=reopened"
    assert waits(world) == ["A", "B", "C"]
    again = office.fill(page, "/operator/errors/reopen")
    assert again.status_code == 409


@pytest.mark.parametrize("action", ["try", "replay", "close", "reopen"])
def test_what_is_not_there_can_not_be_worked_on(office, action):
    page = office.get("/operator/errors")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    sent = {"csrf": csrf, "feed": "lims", "code": "gone", "until": "9" * 30, "reason": "x"}
    answer = office.send("POST", f"/operator/errors/{action}", data=sent)
    assert answer.status_code == 404
    missing = sent | {"mark": "0" * 67}
    answer = office.send("POST", f"/operator/errors/{action}", data=missing)
    assert answer.status_code == 404
