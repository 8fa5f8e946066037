"""A code gets its meaning: tried first, then what waited for it opens, and nothing else changes."""

import pytest
from sqlalchemy import select

from adapters.intake.tables import code_map
from fhir_server.store.tables import resource

LOCAL = "TPSA^Total PSA^L"
LOINC = "http://loinc.org"


def released(office) -> list[tuple[str, bool]]:
    """Every report and result, and whether it is open."""
    now = office.world.hands.instant.timestamp() * 1_000_000
    rows = office.world.portal.record.select(
        select(resource.c.type, resource.c.release_at)
        .where(resource.c.type.in_(("Observation", "DiagnosticReport")))
        .order_by(resource.c.type)
    )
    return [(row.type, row.release_at is not None and row.release_at <= now) for row in rows]


def meaning(office, **changes) -> dict[str, str]:
    (code,) = office.get("/api/codes").json()
    named = {name: code[name] for name in ("feed", "system", "code")}
    target = {"target_system": LOINC, "target_code": "2857-1", "target_display": "PSA"}
    return named | target | changes


@pytest.fixture
def held(either_office):
    """Two messages whose code nobody knows, of one order of which the second is newer."""
    either_office.send(control_id="A", code=LOCAL)
    either_office.world.hands.advance(minutes=1)
    either_office.send(control_id="B", code=LOCAL, filler="LAB2", value="8.1")
    either_office.world.hands.advance(minutes=1)
    return either_office


def test_the_work_list_says_what_waits_since_when(held) -> None:
    (code,) = held.get("/api/codes").json()
    assert code | {"system": ""} == {
        "feed": "loopback",
        "system": "",
        "code": "TPSA",
        "display": "Total PSA",
        "unit": "ug/L",
        "seen": 2,
        "waiting": 2,
        "first_seen": "2026-11-24T14:30:00Z",
    }
    (feed,) = held.get("/api/feeds/health").json()["feeds"]
    assert feed["unmapped_in_24_hours"] == 2


def test_a_meaning_is_tried_and_nothing_is_done(held) -> None:
    before = released(held)
    effect = held.post("/api/codes/try", meaning(held)).json()
    assert (effect["waiting"], effect["would_open"], effect["would_stay_held"]) == (2, 2, 0)
    (change,) = [
        one for one in effect["tried"][0]["changes"] if one["reference"].startswith("Observation/")
    ]
    assert change["how"] == "updated"
    assert {"path": "code.coding[1].code", "how": "added", "value": "2857-1"} in change["lines"]
    assert "7.3" not in str(change)
    assert released(held) == before
    assert held.world.portal.record.select(select(code_map)) == []
    assert len(held.get("/api/codes").json()) == 1


def test_a_meaning_opens_what_was_held_for_it_and_later_messages_too(held) -> None:
    assert not any(is_open for _, is_open in released(held))
    assert held.post("/api/codes/map", meaning(held)).json() == {"filed": 2}
    assert all(is_open for _, is_open in released(held))
    assert held.get("/api/codes").json() == []
    held.send(control_id="C", code=LOCAL, filler="LAB3")
    assert len(released(held)) == 6
    assert all(is_open for _, is_open in released(held))
    (message,) = held.get("/api/messages", params={"key": "A"}).json()["messages"]
    seen = held.get(f"/api/messages/loopback/{message['mark']}").json()
    assert [(act["act"], act["by"]) for act in seen["acts"]] == [("mapped", "test")]
    replays = [one for one in held.entries("message-replayed") if one["outcome"] == "0"]
    assert len(replays) == 2


def test_what_is_held_for_another_reason_stays_held(either_office) -> None:
    office = either_office
    office.send(control_id="A", code=LOCAL)
    raw = {"control_id": "B", "code": "HISTX^Histology^L", "filler": "LAB2", "section": "SP"}
    office.send(**raw)
    codes = {one["code"]: one for one in office.get("/api/codes").json()}
    named = {name: codes["HISTX"][name] for name in ("feed", "system", "code")}
    target = {"target_system": LOINC, "target_code": "22637-3"}
    effect = office.post("/api/codes/try", named | target).json()
    assert (effect["would_open"], effect["would_stay_held"]) == (0, 1)
    before = dict(zip("ab", released(office), strict=False))
    office.post("/api/codes/map", named | target)
    assert dict(zip("ab", released(office), strict=False)) == before


@pytest.mark.parametrize(
    "changes", [{"target_system": "http://elsewhere"}, {"target_code": " "}, {"target_code": "\0"}]
)
def test_what_is_no_meaning_is_refused(office, changes) -> None:
    office.send(code=LOCAL)
    answer = office.post("/api/codes/map", meaning(office, **changes))
    assert answer.status_code == 422
    assert len(office.get("/api/codes").json()) == 1


def test_a_code_that_waits_for_nothing_is_not_found(office) -> None:
    asked = {"feed": "x", "system": "", "code": "Y", "target_system": LOINC, "target_code": "1-8"}
    assert office.post("/api/codes/map", asked).status_code == 404
    assert office.post("/api/codes/try", asked).status_code == 404
