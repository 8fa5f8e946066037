"""A laboratory changes what was read: what patient and team are told of it, and by whom."""

import asyncio
from dataclasses import dataclass

import httpx
import pytest

from adapters.intake.feeds import LOOPBACK
from adapters.intake.reception import receive
from auth import tokens
from auth.principal import Role
from auth.tokens import Holder
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id
from tests.portal_api.pages.world import FILING, World, text_of

CEA = """\
MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|{issued}||ORU^R01^ORU_R01|{control_id}|P|2.5.1
PID|1||9990000050^^^NHS^NH||Whitlock^Graham||19600412|M
ORC|RE|ORD1|LAB1
OBR|1|ORD1|LAB1|2039-6^CEA^LN|||20261123083000|||||||||||||||{issued}||CH|{status}
OBX|1|NM|2039-6^CEA^LN||{value}|ug/L|<5|H|||{result}|||20261123083000
"""


@dataclass
class Story:
    """Graham, whom Nurse Shah cares for, and the laboratory that made a mistake."""

    world: World
    graham: str = ""
    report: str = ""

    def send(self, control_id, value, status="F", result="", issued="20261123090000") -> None:
        raw = CEA.format(
            control_id=control_id,
            value=value,
            status=status,
            result=result or status,
            issued=issued,
        ).replace("\n", "\r")
        record = self.world.portal.record
        (answer,) = receive(record, (LOOPBACK,), raw.encode(), "127.0.0.1").result(timeout=30)
        assert b"MSA|AA" in answer

    def correct(self) -> None:
        self.world.hands.advance(minutes=10)
        self.send("M2", "2.7", "C", issued="20261124101500")

    def take_back(self) -> None:
        self.world.hands.advance(minutes=10)
        self.send("M3", "", "C", "W", issued="20261124101500")


@pytest.fixture
def story(world) -> Story:
    told = Story(world)
    told.send("M1", "27.0")
    key = world.portal.record.id_key
    told.graham = derived_id(key, "Patient", NHS_NUMBER, "9990000050")
    team = {
        "resourceType": "CareTeam",
        "status": "active",
        "name": "Colorectal nurses",
        "subject": {"reference": f"Patient/{told.graham}"},
        "participant": [{"member": {"reference": f"Practitioner/{world.ids['priya']}"}}],
        "telecom": [{"system": "phone", "value": "0151 496 0102"}],
    }
    world.file(team, told.graham)
    world.login("graham", Role.PATIENT, "Graham Whitlock", f"Patient/{told.graham}")
    page = world.browser("graham").get("/patient").text
    told.report = page.partition("/patient/results/")[2][:32]
    return told


def test_a_patient_reads_what_a_corrected_result_said_before_and_when_it_was_changed(story):
    graham = story.world.browser("graham")
    path = f"/patient/results/{story.report}"
    assert "27.0" in graham.get(path).text
    story.correct()
    words = text_of(graham.get(path))
    assert "This result was corrected on 24 November 2026" in words
    assert "It was 27.0 ug/L before. Now it is 2.7 ug/L ." in words
    assert "Corrected" in text_of(graham.get("/patient"))


def test_a_nurse_hears_of_a_correction_sees_who_had_read_the_value_and_deals_with_it(story):
    world, path = story.world, f"/clinician/reports/{story.report}"
    world.browser("graham").get(f"/patient/results/{story.report}")
    priya = world.browser("priya")
    assert "Who saw the earlier value" not in text_of(priya.get(path))
    assert "the laboratory changed" not in text_of(priya.get("/clinician"))
    story.correct()
    home = priya.get("/clinician")
    told = (
        "Result corrected: CEA , Graham Whitlock Had been read "
        "The laboratory corrected CEA. It had been read by the patient and 1 other. "
        "Whitlock, Graham 999 000 0050"
    )
    assert "Results that the laboratory changed" in text_of(home)
    assert told in text_of(home)
    assert "Result corrected: CEA" in text_of(priya.get("/clinician/inbox"))
    words = text_of(priya.get(path))
    assert (
        "What the laboratory changed CEA: 27.0 ug/L from 24 November 2026 at 2:30pm "
        "until 24 November 2026 at 2:40pm, then 2.7 ug/L"
    ) in words
    seen = words.partition("Who saw the earlier value")[2]
    assert "Priya Shah, Northgate Hospital Opened it" in seen
    assert "The patient Opened it" in seen
    (action,) = {
        part.partition('"')[0] for part in home.text.split('action="') if "/alerts/" in part[:60]
    }
    assert priya.fill(home, action).headers["location"] == "/clinician?done=dealt-with"
    assert "the laboratory changed" not in text_of(priya.get("/clinician"))
    (entry,) = [one for one in world.entries("update") if "Communication" in str(one["entity"])]
    assert entry["agent"][0]["who"]["reference"] == f"Practitioner/{world.ids['priya']}"


def test_an_alert_is_for_the_teams_of_that_patient_alone(story):
    story.world.browser("graham").get(f"/patient/results/{story.report}")
    story.correct()
    tessa, graham = story.world.browser("tessa"), story.world.browser("graham")
    home = story.world.browser("priya").get("/clinician").text
    action = "/clinician/alerts/" + home.partition("/clinician/alerts/")[2].partition('"')[0]
    page = tessa.get("/clinician")
    assert "the laboratory changed" not in text_of(page)
    token = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    assert tessa.send("POST", action, data={"csrf": token}).status_code in {403, 404}
    assert "Result corrected" in text_of(story.world.browser("priya").get("/clinician"))
    assert "earlier value" not in text_of(graham.get(f"/patient/results/{story.report}"))
    assert "had been read" not in text_of(graham.get("/patient/messages"))


def test_a_result_that_is_taken_back_is_gone_and_the_patient_is_told_so(story):
    graham, path = story.world.browser("graham"), f"/patient/results/{story.report}"
    assert "27.0" in graham.get(path).text
    story.take_back()
    assert graham.get(path).status_code == 404
    home = graham.get("/patient")
    assert "The laboratory took this result back on 24 November 2026." in text_of(home)
    assert "27.0" not in home.text
    assert "Waiting to open" not in text_of(home)
    priya = story.world.browser("priya")
    assert "Result taken back: CEA" in text_of(priya.get("/clinician"))
    assert "Results to review" not in text_of(priya.get("/clinician"))
    words = text_of(priya.get(f"/clinician/reports/{story.report}"))
    assert "then Taken back" in words
    assert "The patient Opened it" in words


def ask(story, scope, person="priya", role=Role.CLINICIAN) -> httpx.Response:
    """Ask the JSON interface for the changes, with a token of this scope."""
    world = story.world
    reference = f"Practitioner/{world.ids[person]}" if role == Role.CLINICIAN else ""
    holder = Holder(role, "test-app", person=reference)

    def piece(writer):
        return tokens.issue_for_operator(writer, holder, scope)

    token = world.portal.record.submit(FILING, piece).result(timeout=10)

    async def asking() -> httpx.Response:
        transport = httpx.ASGITransport(world.app, client=("192.0.2.7", 443))
        async with httpx.AsyncClient(transport=transport, base_url="https://x") as client:
            headers = {"Authorization": f"Bearer {token}"}
            return await client.get(f"/api/reports/{story.report}/changes", headers=headers)

    return asyncio.run(asking())


def test_an_application_of_a_clinician_asks_what_changed_and_who_had_read_it(story):
    story.world.browser("graham").get(f"/patient/results/{story.report}")
    story.correct()
    answer = ask(story, "user/*.rs").json()
    (change,) = answer["changes"]
    assert (change["test"], change["before"], change["after"]) == ("CEA", "27.0 ug/L", "2.7 ug/L")
    assert change["changed_at"] == "2026-11-24T14:40:00Z"
    (reader,) = answer["readers"]
    assert (reader["who"], reader["role"], reader["opened"]) == ("", "patient", True)
    assert reader["times"] > 1


@pytest.mark.parametrize(
    ("scope", "person", "role", "status"),
    [
        ("user/Observation.rs", "priya", Role.CLINICIAN, 403),
        ("user/*.rs", "tessa", Role.CLINICIAN, 404),
        ("user/*.rs", "", Role.AUDITOR, 403),
        ("system/*.rs", "", Role.CLIENT, 403),
    ],
)
def test_what_changed_is_told_to_nobody_else(story, scope, person, role, status):
    story.correct()
    answer = ask(story, scope, person, role)
    assert (answer.status_code, "27.0" in answer.text) == (status, False)


def test_an_application_that_may_read_reports_alone_is_not_told_what_results_said(story):
    story.correct()
    answer = ask(story, "user/DiagnosticReport.rs")
    assert (answer.status_code, answer.json()["changes"]) == (200, [])
    assert "27.0" not in answer.text
