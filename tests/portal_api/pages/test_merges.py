"""A merge that waits: both records side by side; a person joins them, sets it aside, parts them."""

import re

import pytest
from sqlalchemy import select

from adapters.intake import waiting
from adapters.intake.reception import receive
from adapters.intake.tables import inbox
from fhir_server.store.tables import patient_link
from tests.portal_api.pages.world import text_of

STAYS, RETIRED = "9990000018^^^NHS^NH", "A7^^^RXX^MR"


def send(world, event, control_id, *lines):
    head = f"MSH|^~\\&|PAS|RXX|PORTAL|CMCA|20261124||{event}|{control_id}|P|2.5.1"
    raw = "\r".join((head, *lines))
    feeds = world.portal.feeds.reread()
    return b"".join(receive(world.portal.record, feeds, raw.encode(), "127.0.0.1").result(30))


def result(world, control_id, numbers, name, born):
    send(
        world,
        "ORU^R01^ORU_R01",
        control_id,
        f"PID|1||{numbers}||{name}||{born}|M",
        f"OBR|1|O{control_id}|L{control_id}|2857-1^PSA^LN|||20261124|||||||||||||||20261124||CH|F",
        "OBX|1|NM|2857-1^PSA^LN||7.3|ug/L|0-6.5|H|||F",
    )


@pytest.fixture
def office(world):
    """Two records, a merge of them that waits, and an operator."""
    result(world, "R1", STAYS, "Ashworth^Alan", "19550304")
    result(world, "R2", RETIRED, "Ashworth^Alan", "19550403")
    merge(world)
    return world.browser("olu")


def merge(world, control_id="M1", event="A40"):
    person = f"PID|1||{STAYS}||Ashworth^Alan||19550304|M"
    lines = (f"EVN|{event}|20261124101400", person, f"MRG|{RETIRED}")
    return send(world, f"ADT^{event}", control_id, *lines)


def waits(world):
    return sorted(row.control_id for row in world.portal.record.select(waiting.queue()))


def links(world):
    return len(world.portal.record.select(select(patient_link)))


def place(office):
    """The page of the merge, reached by way of the error queue and of the message."""
    queue = office.get("/operator/errors").text
    message = office.get(re.search(r'href="(/operator/messages/[^"]+)">M1<', queue)[1])
    return re.search(r'href="(/operator/merges/[^"]+)">Decide on', message.text)[1]


def test_both_records_stand_side_by_side_and_what_differs_is_marked(office):
    words = text_of(office.get(place(office)))
    assert "Are these one person?" in words
    assert "Two records are one person&#39;s ADT^A40" in words
    assert "Born Differs 4 March 1955 3 April 1955" in words
    assert "Name Alan Ashworth Alan Ashworth" in words
    assert "Other numbers not known A7" in words
    assert "They are one: join them" in words
    assert "They are two: set it aside" in words


def test_a_merge_that_does_not_exist_is_asked_for_on_the_ledger_too(world, office):
    there = place(office)
    before = len(world.entries("message-seen"))
    for path in (f"{there}x", there.replace("/loopback/", "/nowhere/")):
        assert office.get(path).status_code == 404
    refused = world.entries("message-seen")[before:]
    assert [one["outcome"] for one in refused] == ["4", "4"]
    assert all("Olu Operator" in str(one["agent"]) for one in refused)


def test_each_look_is_in_the_log_of_both(world, office):
    office.get(place(office))
    shown = [one for one in world.entries("message-seen") if "a merge" in str(one)]
    assert len(shown) == 2
    assert all("Olu Operator" in str(one["agent"]) for one in shown)


def test_joining_asks_once_more_and_can_be_taken_back(world, office):
    path = place(office)
    refused = office.fill(office.get(path), f"{path}/check", decision="join", reason=" ")
    assert refused.status_code == 422
    assert "Say why: the ledger keeps it." in text_of(refused)
    asked = office.fill(refused, f"{path}/check", decision="join", reason="They rang.")
    assert "Nothing has been done yet." in text_of(asked)
    assert (waits(world), links(world)) == (["M1"], 0)
    done = office.fill(asked, f"{path}/done")
    assert done.headers["location"] == f"{path}?done=joined"
    assert (waits(world), links(world)) == ([], 2)
    page = office.get(done.headers["location"])
    assert "The records are joined." in text_of(page)
    assert "They are one record today." in text_of(page)
    reasons = [one.get("outcomeDesc") for one in world.entries("message-replayed")]
    assert reasons == ["They rang."]
    asked = office.fill(page, f"{path}/check", decision="part", reason="They are twins.")
    assert "Part the records again?" in text_of(asked)
    assert links(world) == 2
    done = office.fill(asked, f"{path}/done")
    assert done.headers["location"] == f"{path}?done=parted"
    assert links(world) == 0
    assert "They are one record today." not in text_of(office.get(path))


def test_setting_aside_leaves_two_records_and_closes_the_message(world, office):
    path = place(office)
    asked = office.fill(office.get(path), f"{path}/check", decision="aside", reason="Twins.")
    assert "The records stay two." in text_of(asked)
    done = office.fill(asked, f"{path}/done")
    assert done.headers["location"] == f"{path}?done=merge-aside"
    assert (waits(world), links(world)) == ([], 0)
    assert [one["outcomeDesc"] for one in world.entries("message-closed")] == ["Twins."]


def test_only_who_was_joined_by_the_message_is_parted_by_its_page(world, office):
    path = place(office)
    page = office.get(path)
    fields = {"decision": "part", "patient": world.ids["alan"], "reason": "x"}
    assert office.fill(page, f"{path}/check", **fields).status_code == 200
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    answer = office.send("POST", f"{path}/done", data={"csrf": csrf, **fields})
    assert answer.status_code == 400
    assert "has joined no record of that id" in text_of(answer)


def test_what_needs_no_decision_offers_none(world, office):
    path = place(office)
    page = office.get(path)
    assert office.fill(page, f"{path}/check", decision="all", reason="x").status_code == 422
    row = world.portal.record.select(select(inbox).where(inbox.c.control_id == "R1"))[0]
    mark = f"{row.bucket:03x}{row.sha256}"
    assert office.get(f"/operator/merges/{row.feed}/{mark}").status_code == 404


@pytest.mark.parametrize(
    ("event", "words"),
    [("A43", "A number goes from one person to another"), ("A37", "Two records are two people")],
)
def test_what_would_part_people_or_can_t_be_read_is_only_set_aside(world, office, event, words):
    merge(world, "M2", event)
    queue = office.get("/operator/errors").text
    message = office.get(re.search(r'href="(/operator/messages/[^"]+)">M2<', queue)[1])
    path = re.search(r'href="(/operator/merges/[^"]+)">Decide on', message.text)[1]
    page = office.get(path)
    assert words in text_of(page)
    assert "join them" not in text_of(page)
    asked = office.fill(page, f"{path}/check", decision="aside", reason="Done by hand.")
    office.fill(asked, f"{path}/done")
    assert waits(world) == ["M1"]


def test_a_form_from_elsewhere_does_nothing(world, office):
    path = place(office)
    fields = {"decision": "join", "reason": "x", "csrf": "0" * 64}
    assert office.send("POST", f"{path}/done", data=fields).status_code == 403
    assert links(world) == 0
