"""The demonstration makes its storage anew, and never takes anybody else's."""

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from auth import clients, policy
from auth.login import local
from auth.login.local import Login
from auth.principal import Principal, Role
from auth.tables import login
from auth.views import DemoAccount
from fhir_server import amend
from fhir_server.access import Access, Agent, NoRecord
from fhir_server.errors import Unprocessable
from fhir_server.model.identifiers import NHS_NUMBER, check_digit
from fhir_server.model.validate import judge
from fhir_server.record import Writer
from portal_api import control
from portal_api.demo.accounts import APP
from portal_api.demo.storage import MARKER, for_a_check, refuse_open_doors, renew
from portal_api.migrations import demonstration
from portal_api.opening import opened
from portal_api.running import NotStarted
from portal_api.settings import Address, Settings

LOCAL = Address("127.0.0.1", 0)


@pytest.fixture
def settings(empty_database_url: str, tmp_path: Path) -> Settings:
    """Settings with an empty database, on each engine in turn."""
    return Settings(empty_database_url, LOCAL, LOCAL, "http://127.0.0.1:8000", tmp_path / "var")


def written(settings: Settings, piece: Callable[[Writer], object]) -> None:
    with opened(settings, durable=False) as portal:
        access = Access(Agent("operator"), "test", NoRecord(), {})
        portal.record.submit(access, piece).result(timeout=30)


def logins(settings: Settings) -> list[str]:
    with opened(settings, durable=False) as portal:
        return [row.login for row in portal.record.select(select(login.c.login))]


def somebody(name: str, *, demo: bool) -> Callable[[Writer], None]:
    made = Login(name, Role.AUDITOR, "An auditor", demo=demo)
    return lambda writer: local.register(writer, made, "no password")


def test_an_empty_database_gets_the_schema_and_the_folder_a_mark(settings: Settings) -> None:
    renew(settings)
    assert logins(settings) == []
    assert (settings.data_dir / MARKER).read_text().endswith("each time it starts.\n")


def test_a_demonstrations_database_is_made_anew_with_its_checkpoints(settings: Settings) -> None:
    renew(settings)
    written(settings, somebody("morag", demo=True))
    folder = settings.data_dir / "checkpoints"
    folder.mkdir(exist_ok=True)
    (folder / "checkpoints.txt").write_text("of the demonstration before")
    renew(settings)
    assert logins(settings) == []
    assert list(folder.glob("checkpoints.txt")) == []


@pytest.mark.parametrize(
    "piece",
    [somebody("real", demo=False), lambda writer: clients.register(writer, APP)],
    ids=["a login that is not marked", "an application and nobody who signs in"],
)
def test_somebody_elses_database_is_left_alone(
    settings: Settings, piece: Callable[[Writer], object]
) -> None:
    renew(settings)
    written(settings, piece)
    with pytest.raises(NotStarted, match="PORTAL_DATABASE_URL names a database with a portal"):
        renew(settings)
    with opened(settings, durable=False) as portal:
        kept = (
            len(portal.record.select(select(login))),
            clients.find(portal.record.select, APP.client_id),
        )
    assert kept in ((1, None), (0, APP))


def test_one_real_login_among_marked_ones_saves_the_database(settings: Settings) -> None:
    renew(settings)
    written(settings, somebody("morag", demo=True))
    written(settings, somebody("real", demo=False))
    with pytest.raises(NotStarted):
        renew(settings)
    assert sorted(logins(settings)) == ["morag", "real"]


def test_checkpoints_that_are_not_a_demonstrations_are_left_alone(settings: Settings) -> None:
    folder = settings.data_dir / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "checkpoints.txt").write_text("somebody's proof")
    with pytest.raises(NotStarted, match="PORTAL_DATA_DIR="):
        renew(settings)
    assert (folder / "checkpoints.txt").read_text() == "somebody's proof"


@pytest.mark.parametrize("name", ["http", "mllp"])
def test_an_address_that_others_can_reach_is_refused_by_its_name(name: str) -> None:
    settings = Settings("sqlite:///x.db", LOCAL, LOCAL, "http://127.0.0.1", Path("var"))
    open_door = replace(settings, **{name: Address("0.0.0.0", 8000)})
    with pytest.raises(NotStarted, match=f"PORTAL_{name.upper()}_ADDRESS is 0.0.0.0:8000"):
        refuse_open_doors(open_door)
    refuse_open_doors(replace(settings, http=Address("localhost", 1), mllp=Address("::1", 2)))


def test_nothing_is_made_anew_under_a_portal_that_runs(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(settings.data_dir / control.SOCKET))
        door.listen(1)
        running = Thread(target=answer_once, args=(door,))
        running.start()
        with pytest.raises(NotStarted, match="stop it first"):
            renew(settings)
        running.join(10)


def answer_once(door: socket.socket) -> None:
    connection, _ = door.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(b'{"error": "The running portal does not know this command."}\n')


def test_a_check_has_storage_of_its_own_and_leaves_nothing(settings: Settings) -> None:
    renew(settings)
    written(settings, somebody("real", demo=False))
    with for_a_check(settings) as own:
        renew(own)
        written(own, somebody("morag", demo=True))
        assert logins(own) == ["morag"]
        assert own.http.port != own.mllp.port
    assert logins(settings) == ["real"]
    assert not own.data_dir.exists()


def test_a_demonstrations_database_is_known_as_one(settings: Settings) -> None:
    renew(settings)
    assert not demonstration.is_here(settings.database_url)
    written(settings, somebody("morag", demo=True))
    assert demonstration.is_here(settings.database_url)


def test_a_demonstration_stores_nobody_who_may_exist_whichever_way_they_come(
    settings: Settings,
) -> None:
    renew(settings)
    number = f"400000000{check_digit('400000000')}"
    tree = {
        "resourceType": "Patient",
        "identifier": [{"system": NHS_NUMBER, "value": number}],
    }
    access = policy.access(
        Principal(Role.CLIENT, user="", client_id="c"), request_id="r", network="127.0.0.1"
    )
    account = DemoAccount("alan", "p", "Alan", "patient", "")
    with (
        opened(settings, durable=False, demo_accounts=(account,)) as portal,
        pytest.raises(Unprocessable, match="999 000 0000"),
    ):
        amend.create(portal.record, access, judge(tree)).result(timeout=30)
    with opened(settings, durable=False) as portal:
        assert amend.create(portal.record, access, judge(tree)).result(timeout=30).version == 1
