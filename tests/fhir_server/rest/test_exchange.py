"""One request, one answer, the ledger in between; and the rim, where faults become FHIR."""

from concurrent.futures import Future
from typing import Any

import pytest

from fhir_server.model import json
from fhir_server.model.ids import new_id
from fhir_server.rest import read as reading

SECRET = "Alan's 9990000018"


def told(entry: Any) -> dict[str, Any]:
    return json.decode(bytes(entry.body))


@pytest.mark.parametrize(
    ("theirs", "kept"),
    [
        ("abc-123", True),
        ("A" * 64, True),
        ("A" * 65, False),
        ("", False),
        ("a.b", False),
        ("a b", False),
        ("a\x1b[31m", False),
        ("a;b", False),
    ],
)
def test_a_request_has_an_id_of_ours_and_theirs_behind_it_where_it_is_safe(
    api: Any, theirs: str, kept: bool
) -> None:
    ids = {
        api.get("/Observation", headers={"X-Request-Id": theirs}).headers["x-request-id"]
        for _ in range(2)
    }
    assert len(ids) == 2
    for one in ids:
        own, _, behind = one.partition(".")
        assert (len(own), behind) == (16, theirs if kept else "")


@pytest.mark.parametrize(
    ("path", "entity"),
    [
        ("/Observation/{id}", "Observation/{id}"),
        ("/Observation/{id}/_history/7", "Observation/{id}/_history/7"),
        ("/Observation/{id}/_history", "Observation/{id}"),
    ],
)
def test_a_refusal_says_what_was_asked(api: Any, path: str, entity: str) -> None:
    id_ = new_id()
    for query in ("", "?foo=1"):
        api.get(path.format(id=id_) + query, caller="alan")
        assert api.entries()[-1].entity == entity.format(id=id_)
        assert api.entries()[-1].patient == ""


@pytest.mark.parametrize(
    "name", ["Authorization", "Content-Type", "Content-Encoding", "If-Match", "If-None-Exist"]
)
def test_a_header_sent_twice_is_refused_as_two_readers_could_differ(api: Any, name: str) -> None:
    before = len(api.entries())
    twice = [(name, "Bearer system"), (name, "Bearer alan"), ("Authorization", "Bearer alan")]
    response = api.get("/Observation", headers=twice)
    assert response.status_code == (401 if name == "Authorization" else 400)
    (entry,) = api.entries()[before:]
    assert (entry.outcome, entry.entity) == ("4", "")


@pytest.mark.parametrize("where", ["asking", "looking", "rendering"])
def test_a_fault_of_ours_is_an_outcome_an_entry_and_a_log_without_content(
    api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    stored = api.file(api.observation())

    def fails(*_: object) -> Any:
        raise ValueError(SECRET)

    if where == "asking":
        monkeypatch.setattr(reading, "parameters", fails)
    elif where == "looking":
        monkeypatch.setattr("fhir_server.store.read.seen", fails)
    else:
        monkeypatch.setattr(reading, "is_held", fails)
    before = len(api.entries())
    response = api.get(f"/Observation/{stored.id}")
    assert response.status_code == 500
    assert response.json()["issue"] == [
        {
            "severity": "error",
            "code": "exception",
            "details": {"text": "Something is wrong in this server."},
        }
    ]
    (entry,) = api.entries()[before:]
    assert entry.outcome == ("0" if where == "rendering" else "8")
    assert response.headers["x-request-id"] in caplog.text or where == "asking"
    assert "ValueError" in caplog.text
    for hidden in (SECRET, "9990000018", "Alan"):
        assert hidden not in caplog.text
        assert hidden not in response.text


def test_a_fault_in_the_committers_thread_is_an_outcome_and_one_entry(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Any:
        raise KeyError(SECRET)

    monkeypatch.setattr("fhir_server.amend.release.decide", fails)
    before = len(api.entries())
    response = api.post("/Observation", api.observation())
    assert response.status_code == 500
    assert SECRET not in response.text
    (entry,) = api.entries()[before:]
    assert (entry.subtype, entry.outcome) == ("create", "8")
    assert told(entry)["outcomeDesc"] == "a fault in the server"


def test_a_record_that_is_too_busy_is_503(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhir_server.rest.rounds.DEADLINE", 0.01)
    monkeypatch.setattr(api.record, "ask_all", lambda *_: Future())
    response = api.get(f"/Observation/{new_id()}")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
