"""The door of the JSON interface: nothing is read of a stranger, and every refusal is noted."""

from collections.abc import AsyncIterator

import pytest

from tests.portal_api.api.conftest import Office

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("token", ["", "nonsense"])
@pytest.mark.parametrize("path", ["/api/feeds/health", "/api/reports/x/changes"])
def test_who_is_not_known_is_refused_and_that_is_on_the_ledger(world, path, token) -> None:
    before = len(world.entries("request"))
    assert Office(world, token).get(path).status_code == 401
    (entry,) = world.entries("request")[before:]
    assert (entry["outcome"], "access token" in entry["outcomeDesc"]) == ("4", True)


@pytest.mark.parametrize("path", ["/api/messages/search", "/api/queue/try", "/api/codes/map"])
def test_nothing_is_read_of_what_a_stranger_sends(world, path) -> None:
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        for number in range(1000):
            read.append(number)
            yield b" " * 65_536

    answer = Office(world).ask("POST", path, content=endless(), headers=JSON)
    assert (answer.status_code, read) == (401, [])


def test_an_operators_request_has_a_limit(office) -> None:
    body = b'{"key": "' + b"7" * 100_000 + b'"}'
    answer = office.ask("POST", "/api/messages/search", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (413, "too-long")
    assert office.entries("request")[-1]["outcome"] == "4"


def test_what_can_not_be_read_is_not_said_again_and_is_on_the_ledger(office) -> None:
    before = len(office.entries("request"))
    answers = [
        office.get("/api/messages", params={"limit": 0, "key": "9990000018"}),
        office.post("/api/queue/try", {"feed": 7, "mark": "9990000018"}),
        office.post("/api/queue/try", "9990000018"),
    ]
    for answer in answers:
        assert answer.status_code == 422
        assert answer.json() == {
            "error": "business-rule",
            "text": "The request is not what this address takes.",
        }
        assert answer.headers["cache-control"] == "no-store"
    refused = office.entries("request")[before:]
    assert [one["outcome"] for one in refused] == ["4"] * 3
    assert "9990000018" not in str(refused)
