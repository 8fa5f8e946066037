"""What is logged names no patient, repeats nothing that was sent, and is one line an event.

Faults are planted where they would tell most: with a patient's content in the error itself.
"""

import re
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from fhir_server.access import Access, Agent, WholeStore
from fhir_server.errors import traced
from fhir_server.record import Writer
from fhir_server.store.tables import installation
from tests.world import ALAN, psa

SECRET = f"Sigrid Undset {ALAN}"
FILING = Access(Agent("feed", user="feed:test"), "seed", WholeStore(), {})


def nhs_numbers(text: str) -> list[str]:
    """Return what stands in *text* and could be an NHS number, by its check digit (modulus 11)."""
    found = re.findall(r"(?<!\d)\d{10}(?!\d)", text)
    return [one for one in found if _check_digit(one[:9]) == int(one[9])]


def _check_digit(nine: str) -> int:
    return (
        -sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True)) % 11
    )


def test_the_scanner_finds_what_it_looks_for() -> None:
    assert nhs_numbers(f"a {ALAN} b 1234567890 c 99900000180") == [ALAN]


def fails(*_: object) -> Any:
    raise ValueError(SECRET)


def test_no_log_of_a_busy_day_holds_an_nhs_number_or_a_token(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    system, alan = "https://fhir.nhs.uk/Id/nhs-number", world.as_patient(world.alan)
    nurse = world.as_clinician(world.nurse)
    nurse.get(f"Patient?identifier={system}|{ALAN}")
    nurse.get(f"Patient?identifier={ALAN}&foo={ALAN}")
    nurse.get(f"Patient/{ALAN}")
    alan.post("Communication", {"resourceType": "Communication", "status": SECRET})
    alan.get(f"Observation?access_token={alan.token}")
    world.file(psa(ALAN, "L1"))
    world.file(psa(ALAN, "L2").replace(b"19550301", b"19560301"))
    ours = [one for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]
    text = "\n".join(one.getMessage() for one in ours)
    assert nhs_numbers(text) == []
    for secret in ("Sigrid", "Example", alan.token, nurse.token, "1955"):
        assert secret not in text


def test_a_fault_in_a_reader_or_in_the_committer_is_logged_without_its_text(
    world: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    alan, system = world.as_patient(world.alan), world.as_client()
    result = alan.get("Observation").json()["entry"][0]["resource"]
    monkeypatch.setattr("fhir_server.store.read.seen", fails)
    monkeypatch.setattr("fhir_server.amend.release.decide", fails)
    assert alan.get(f"Patient/{world.alan}").status_code == 500
    assert system.post("Observation", result).status_code == 500
    assert caplog.text.count("ValueError") >= 2
    assert "Sigrid" not in caplog.text
    assert nhs_numbers(caplog.text) == []


def test_a_refusal_of_the_database_is_logged_without_its_values(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def piece(writer: Writer) -> None:
        for _ in range(2):
            writer.execute(insert(installation).values(name=SECRET, value=b"x"))

    with pytest.raises(IntegrityError):
        world.portal.record.submit(FILING, piece).result(timeout=10)
    assert "IntegrityError" in caplog.text
    assert "Sigrid" not in caplog.text
    assert nhs_numbers(caplog.text) == []


def test_an_error_is_traced_with_its_causes_and_without_their_texts() -> None:
    try:
        try:
            fails()
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError as error:
        told = traced(error)
    assert "Sigrid" not in told
    assert told.index("ValueError") < told.index("which led to") < told.index("RuntimeError")
    assert "test_logs.py" in told
