"""The registry of applications."""

from dataclasses import replace

import pytest

from auth import clients
from auth.clients import Client, Kind
from auth.sessions import PAGES
from auth.tokens import COMMAND_LINE
from fhir_server.errors import Conflict, Invalid

CLIENT = Client("new-app", "New App", Kind.PUBLIC, ("https://new.example/cb",), "patient/*.rs")


def registered(portal, client):
    return portal.services.record.submit(
        portal.operator, lambda writer: clients.register(writer, client)
    ).result(5)


def found(portal, client_id):
    return clients.find(portal.services.record.select, client_id)


def test_a_public_application_is_kept_as_it_was_registered(portal):
    client = replace(CLIENT, origins=("https://new.example", "http://localhost:3000"))
    assert registered(portal, client) == ""
    assert found(portal, "new-app") == client
    assert not found(portal, "new-app").knows("")


def test_a_confidential_application_gets_a_secret_that_is_stored_as_its_hash(portal):
    secret = registered(portal, replace(CLIENT, kind=Kind.CONFIDENTIAL))
    client = found(portal, "new-app")
    assert len(secret) == 43
    assert secret not in client.secret_hash
    assert client.knows(secret)
    assert not client.knows(secret + "x")
    assert not client.knows("")


def test_an_id_is_given_once_and_never_again(portal):
    with pytest.raises(Conflict):
        registered(portal, replace(CLIENT, client_id="app"))
    portal.services.record.submit(portal.operator, lambda w: clients.end(w, "app")).result(5)
    assert found(portal, "app") is None
    with pytest.raises(Conflict):
        registered(portal, replace(CLIENT, client_id="app"))
    standing = clients.all_standing(portal.services.record.select)
    assert [client.client_id for client in standing] == ["hospital", "other"]


def test_no_application_takes_a_name_under_which_the_ledger_knows_us():
    assert {PAGES, COMMAND_LINE} == clients.RESERVED


def test_an_application_that_is_not_registered_cannot_end(portal):
    end = portal.services.record.submit(portal.operator, lambda w: clients.end(w, "nobody"))
    assert end.result(5) is False


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": ""},
        {"client_id": "a b"},
        {"client_id": "x" * 65},
        {"client_id": "portal"},
        {"client_id": "command-line"},
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 101},
        {"name": "a\u202eb"},
        {"name": "a\nb"},
        {"redirect_uris": ("http://new.example/cb",)},
        {"redirect_uris": ("https://new.example/cb", "javascript:alert(1)")},
        {"redirect_uris": ("https://new.example/cb\thttps://evil.example/",)},
        {"origins": ("https://new.example/",)},
        {"origins": ("http://new.example",)},
        {"origins": ("*",)},
        {"origins": ("null",)},
        {"scope": "patient/*.sr"},
    ],
)
def test_what_cannot_be_trusted_cannot_be_registered(portal, change):
    with pytest.raises(Invalid):
        registered(portal, replace(CLIENT, **change))
    assert found(portal, "new-app") is None


def test_origins_are_compared_whole(portal):
    select = portal.services.record.select
    assert clients.origin_is_registered(select, "https://app.example")
    for origin in ("https://app.exampl", "https://app.example/", "", " ", "app.example", "null"):
        assert not clients.origin_is_registered(select, origin)
