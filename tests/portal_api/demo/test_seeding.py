"""Before the hospitals send, and after: who cares for whom, who signs in, how an app gets in."""

from sqlalchemy import select

from auth import clients
from auth.clients import Kind
from auth.login import local
from auth.login.strangers import Strangers
from auth.principal import Role
from auth.tables import login
from fhir_server.clock import micros
from portal_api.demo.accounts import APP, PASSWORD
from portal_api.demo.cast import accounts
from tests.portal_api.demo.conftest import Told


def test_every_patient_is_cared_for_by_one_team_and_staff_by_it_alone(begun: Told) -> None:
    teams = begun.found(begun.whole(), "CareTeam")
    patients = {one["subject"]["reference"] for one in teams}
    wanted = {person.team for person in begun.cast.people}
    assert len(teams) == len(patients) == len(begun.cast.people)
    assert {one["name"] for one in teams} == {
        {
            "uro": "Uro-oncology nurse specialists",
            "bowel": "Bowel cancer team",
            "gynae": "Gynaecological cancer team",
        }[team]
        for team in wanted
    }
    mine = begun.found(begun.as_clinician("nadia"), "Patient")
    assert len(mine) == sum(person.team == "uro" for person in begun.cast.people)


def test_everybody_on_the_sign_in_page_can_sign_in_and_is_marked(begun: Told) -> None:
    offered = accounts(begun.record.clock())
    now = micros(begun.record.clock())
    one = offered[0]
    verdict = local.judge(begun.record.select, one.login, PASSWORD, now, Strangers())
    assert verdict.login is not None
    assert (verdict.login.role, verdict.login.patient) == (Role.PATIENT, begun.patient(one.login))
    rows = begun.record.select(select(login.c.login, login.c.role, login.c.demo))
    assert {tuple(row) for row in rows} == {(each.login, each.role, True) for each in offered}


def test_the_developers_app_is_public_and_answers_on_loopback_at_any_port(begun: Told) -> None:
    app = clients.find(begun.record.select, APP.client_id)
    assert app is not None
    assert (app.kind, app.secret_hash) == (Kind.PUBLIC, "")
    assert app.answers_at("http://127.0.0.1:8765/callback")
    assert not app.answers_at("http://192.0.2.1:8765/callback")
