"""Feed health for programs: operators with a token, and a monitor on the same machine."""

import pytest

from adapters.intake.feeds import LOOPBACK
from auth import tokens
from auth.principal import Role
from auth.tokens import Holder
from tests.portal_api.api.conftest import Office, token_for
from tests.portal_api.pages.world import FILING

HEALTH = "/api/feeds/health"
EXPECTED = {"weekdays": "08-18", "silence_minutes": 30}


def test_each_feed_tells_what_came_what_was_refused_and_what_waits(either_office) -> None:
    office = either_office
    office.send(control_id="A")
    office.send(control_id="B", filler="LAB2", born="soon")
    office.send(control_id="C", filler="LAB3", born="19550403")
    (feed,) = office.get(HEALTH).json()["feeds"]
    assert feed | {"waiting": None} == {
        "name": "loopback",
        "organization": "",
        "silent": False,
        "quiet_minutes": 0,
        "latest": "2026-11-24T14:30:00Z",
        "accepted": 1,
        "refused": 2,
        "refusals": {"date-bad": 1, "identity-conflict": 1},
        "last_24_hours": [0] * 23 + [3],
        "unmapped_in_24_hours": 0,
        "waiting": None,
    }
    assert feed["waiting"] == [
        {"code": code, "count": 1, "oldest": "2026-11-24T14:30:00Z", "answered_aa": aa}
        for code, aa in (("date-bad", 0), ("identity-conflict", 1))
    ]


def test_a_feed_that_is_quiet_for_too_long_stands_first_and_speaks_again(office) -> None:
    office.agree(name="north", expected=EXPECTED)
    office.agree(name="east")
    office.world.hands.advance(minutes=29)
    assert office.get(HEALTH).json()["silent"] == []
    office.world.hands.advance(minutes=1)
    found = office.get(HEALTH).json()
    assert found["silent"] == ["north"]
    assert [one["name"] for one in found["feeds"]] == ["north", "east"]
    assert (found["feeds"][0]["quiet_minutes"], found["feeds"][0]["latest"]) == (30, None)
    north = office.agree(name="north", sources=["127.0.0.0/8"], expected=EXPECTED)
    office.send(north)
    assert office.get(HEALTH).json()["silent"] == []


def test_yesterday_is_not_counted_as_today(office) -> None:
    office.send(control_id="A")
    office.world.hands.advance(hours=12)
    office.send(control_id="B", filler="LAB2")
    office = Office(office.world, token_for(office.world, "operator:olu"))
    (feed,) = office.get(HEALTH).json()["feeds"]
    assert (feed["accepted"], feed["last_24_hours"]) == (1, [0] * 11 + [1] + [0] * 11 + [1])


@pytest.mark.parametrize("holder", ["auditor", "clinician", "patient"])
def test_nobody_but_an_operator_is_let_in(world, holder) -> None:
    logins = {
        "auditor": (Role.AUDITOR, "login:ada"),
        "clinician": (Role.CLINICIAN, f"Practitioner/{world.ids['priya']}"),
        "patient": (Role.PATIENT, f"Patient/{world.ids['alan']}"),
    }
    role, person = logins[holder]
    known = Holder(role, tokens.COMMAND_LINE, person=person, patient=world.ids["alan"])
    text = _token(world, known)
    answer = Office(world, text).get(HEALTH)
    assert answer.status_code == 403
    assert answer.json()["error"] == "forbidden"
    assert world.entries("request")[-1]["outcome"] == "4"


def test_an_application_to_which_an_operator_signs_in_is_not_let_in(world) -> None:
    text = _token(world, Holder(Role.OPERATOR, "some-app", person="login:olu"))
    assert Office(world, text).get(HEALTH).status_code in {401, 403}


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_without_a_token_nothing_is_told(world, token) -> None:
    answer = Office(world, token).get(HEALTH)
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["www-authenticate"]


def test_the_monitor_reads_figures_on_this_machine_alone(office) -> None:
    office.agree(name="north", expected=EXPECTED)
    office.send(LOOPBACK)
    office.world.hands.advance(hours=1)
    found = office.get("/metrics", client="127.0.0.1")
    assert found.headers["content-type"].startswith("text/plain")
    lines = found.text.splitlines()
    assert 'portal_feed_silent{feed="north"} 1' in lines
    assert 'portal_feed_silent{feed="loopback"} 0' in lines
    assert 'portal_feed_accepted_today{feed="loopback"} 1' in lines
    assert 'portal_feed_quiet_seconds{feed="north"} 3600' in lines
    assert office.get("/metrics").status_code == 404
    passed_on = {"X-Forwarded-For": "192.0.2.1"}
    answer = office.get("/metrics", client="127.0.0.1", headers=passed_on)
    assert answer.status_code == 404


def _token(world, holder: Holder) -> str:
    future = world.portal.record.submit(
        FILING, lambda writer: tokens.issue_for_operator(writer, holder, "")
    )
    return str(future.result(10))
