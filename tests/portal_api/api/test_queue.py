"""The error queue for programs: groups, a trial, a run, a close with its reason."""

import pytest

UNTIL = "2026-11-24T15:00:00Z"


@pytest.fixture
def waiting(office):
    """Two messages that wait for the form of their dates to be agreed on."""
    office.agree(name="lims", sources=["127.0.0.0/8"])
    (feed,) = office.world.portal.feeds.reread()
    for control_id in ("A", "B"):
        office.send(feed, control_id=control_id, filler=f"L{control_id}", born="04/03/1955")
    return office


def test_what_waits_is_grouped_by_feed_and_reason(waiting) -> None:
    assert waiting.get("/api/queue").json() == [
        {
            "feed": "lims",
            "code": "date-bad",
            "count": 2,
            "oldest": "2026-11-24T14:30:00Z",
            "newest": "2026-11-24T14:30:00Z",
            "answered_aa": 0,
        }
    ]
    assert len(waiting.entries("message-seen")) == 1


def test_a_trial_tells_the_difference_and_the_run_makes_it(waiting) -> None:
    waiting.agree(name="lims", sources=["127.0.0.0/8"], dialect={"day_first": True})
    chosen = {"feed": "lims", "code": "date-bad", "until": UNTIL}
    trials = waiting.post("/api/queue/try", chosen).json()
    assert [(one["control_id"], one["fate"]) for one in trials] == [("A", "filed"), ("B", "filed")]
    (observation,) = [
        one for one in trials[0]["changes"] if one["reference"].startswith("Observation/")
    ]
    assert observation["how"] == "created"
    assert {"path": "valueQuantity.value", "how": "added", "value": "7.3"} in observation["lines"]
    assert waiting.get("/api/queue").json()[0]["count"] == 2
    one = {"feed": "lims", "mark": trials[1]["mark"]}
    (done,) = waiting.post("/api/queue/replay", one).json()
    assert (done["control_id"], done["fate"]) == ("B", "filed")
    assert len(done["made"]) > 2
    assert [one["fate"] for one in waiting.post("/api/queue/replay", chosen).json()] == ["filed"]
    assert waiting.get("/api/queue").json() == []


def test_a_close_needs_its_reason_and_a_bound(waiting) -> None:
    chosen = {"feed": "lims", "code": "date-bad", "until": UNTIL}
    answer = waiting.post("/api/queue/close", chosen | {"reason": " "})
    assert (answer.status_code, answer.json()["error"]) == (422, "required")
    unbound = {"feed": "lims", "code": "date-bad", "reason": "x"}
    assert waiting.post("/api/queue/close", unbound).status_code == 400
    closed = waiting.post("/api/queue/close", chosen | {"reason": "Sent again."})
    assert closed.json() == {"closed": 2}
    assert waiting.get("/api/queue").json() == []
    assert waiting.post("/api/queue/close", chosen | {"reason": "x"}).status_code == 404
