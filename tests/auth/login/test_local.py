"""Names and passwords."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.login import local, strangers
from auth.login.local import LONGEST_WAIT, Login, Verdict, hash_password, wait_after
from auth.login.strangers import Strangers
from auth.principal import Role
from fhir_server.errors import Conflict, Invalid

SECOND = 1_000_000


def made(portal, login):
    def piece(writer):
        local.register(writer, login, hash_password("opensesame"))

    portal.services.record.submit(portal.operator, piece).result(5)


def judged(portal, name, password):
    services = portal.services
    return local.judge(services.record.select, name, password, services.now, services.strangers)


def test_a_password_is_stored_with_argon2id_and_a_salt():
    first, second = hash_password("opensesame"), hash_password("opensesame")
    assert first.startswith("$argon2id$")
    assert first != second
    assert "opensesame" not in first


def test_a_name_and_its_password_fit(portal):
    eve = Login("eve", Role.AUDITOR, "Eve", organization="RX1")
    made(portal, eve)
    assert judged(portal, "eve", "opensesame") == Verdict(eve, known=True)
    assert judged(portal, "eve", "opensesame ") == Verdict(None, known=True)
    assert judged(portal, "nobody", "opensesame") == Verdict(None, known=False)
    assert local.find(portal.services.record.select, "eve") == eve
    assert (eve.user, eve.patient) == ("login:eve", "")


def test_a_name_is_taken_once(portal):
    with pytest.raises(Conflict):
        made(portal, Login("alan", Role.AUDITOR, "Another"))


@pytest.mark.parametrize(
    ("role", "person"),
    [
        (Role.PATIENT, ""),
        (Role.PATIENT, "Practitioner/x"),
        (Role.CLINICIAN, ""),
        (Role.CLINICIAN, "Patient/x"),
        (Role.AUDITOR, "Patient/x"),
        (Role.OPERATOR, "Patient/x"),
        (Role.CLIENT, ""),
    ],
)
def test_a_login_is_for_a_person_of_its_role(portal, role, person):
    with pytest.raises(Invalid):
        made(portal, Login("eve", role, "Eve", person))


@given(st.integers(0, 1000), st.integers(0, 10**16))
def test_waiting_grows_and_has_an_end(failed, now):
    wait = wait_after(failed, now, now)
    assert 0 <= wait <= LONGEST_WAIT
    assert wait <= wait_after(failed + 1, now, now)
    assert wait_after(failed, now, now + wait * SECOND) == 0
    assert wait == 0 or wait_after(failed, now, now + wait * SECOND - 1) == 1


def test_names_that_nobody_has_are_forgotten_before_memory_runs_out(monkeypatch):
    monkeypatch.setattr(strangers, "REMEMBERED", 3)
    tried = Strangers()
    for number in range(5):
        tried.failed(f"name-{number}", number)
    tried.failed("name-4", 9)
    assert [tried.failures(f"name-{number}") for number in range(5)] == [
        (0, 0), (0, 0), (1, 2), (1, 3), (2, 9),
    ]  # fmt: skip
