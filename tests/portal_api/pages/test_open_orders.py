"""Tests under way: a plain line each, without a word of which test it is or why."""

import pytest

from tests.portal_api.pages.world import text_of

THO = "http://terminology.hl7.org/CodeSystem"


def sample(world, kind="BLD", login="alan", **also) -> dict:
    tree = {
        "resourceType": "Specimen",
        "type": {"coding": [{"system": f"{THO}/v2-0487", "code": kind}]},
        "subject": {"reference": f"Patient/{world.ids[login]}"},
    }
    return {"reference": f"Specimen/{world.file(tree | also, world.ids[login])}"}


def asked(world, *samples, login="alan", held=None, **also) -> str:
    """File a request; return its reference."""
    tree = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"text": "BRCA1 gene"},
        "subject": {"reference": f"Patient/{world.ids[login]}"},
        "authoredOn": "2026-11-23T09:00:00Z",
    }
    if samples:
        tree["specimen"] = list(samples)
    id_ = world.file(tree | also, world.ids[login], **(held or {}))
    return f"ServiceRequest/{id_}"


def page(world, login="alan") -> str:
    return text_of(world.browser(login).get("/patient"))


RECEIVED = {"receivedTime": "2026-11-24T08:05:00Z"}
TAKEN = {"collection": {"collectedDateTime": "2026-11-24T08:00:00Z"}}
IN_PROCESS = {"meta": {"tag": [{"system": f"{THO}/v2-0038", "code": "IP"}]}}
RADIOLOGY = {"category": [{"coding": [{"system": f"{THO}/v2-0074", "code": "RAD"}]}]}


@pytest.mark.parametrize(
    ("kind", "specimen", "also", "said"),
    [
        (
            *("BLD", TAKEN | RECEIVED, {}),
            "Blood test: sample received, in the laboratory since 24 November 2026 at 8:05am.",
        ),
        ("SER", {}, IN_PROCESS, "Blood test: sample received, in the laboratory."),
        ("UR", TAKEN, {}, "Urine test: sample taken on 24 November 2026 at 8am."),
        ("TISS", {}, {}, "Test: your team has asked for it on 23 November 2026."),
        ("BLD", {}, {"status": "on-hold"}, "Blood test: waiting, as your team has paused it."),
        ("BLD", {}, {"status": "revoked"}, "Blood test: cancelled. Ask your team if you did not"),
    ],
)
def test_a_line_says_how_far_a_test_has_come_and_not_which_it_is(world, kind, specimen, also, said):
    asked(world, sample(world, kind, **specimen), **also)
    words = page(world)
    assert f"Tests under way {said}" in words
    assert "BRCA1" not in words


def test_a_scan_has_no_sample(world):
    asked(world, **RADIOLOGY)
    assert "Scan: your team has asked for it on 23 November 2026." in page(world)


def test_tests_that_stand_alike_are_one_line(world):
    one = sample(world, **RECEIVED)
    for _ in range(3):
        asked(world, one)
    assert "3 blood tests: sample received, in the laboratory" in page(world)


def test_a_test_with_a_result_is_under_way_no_more(world):
    request = asked(world, sample(world, **RECEIVED))
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "PSA"},
        "basedOn": [{"reference": request}],
        "subject": {"reference": f"Patient/{world.ids['alan']}"},
    }
    world.file(dict(report), world.ids["alan"], release_at=None)
    assert "in the laboratory" in page(world)
    world.file(dict(report), world.ids["alan"])
    assert "Tests under way" not in page(world)


def test_what_is_held_another_s_or_done_is_not_there(world):
    asked(world, held={"release_at": None})
    asked(world, login="brian")
    asked(world, status="completed")
    asked(world, status="entered-in-error")
    assert "Tests under way" not in page(world)


@pytest.mark.parametrize(("status", "days"), [("active", 60), ("revoked", 14)])
def test_what_nobody_has_spoken_of_for_long_is_not_shown(world, status, days):
    asked(world, status=status)
    world.hands.advance(days=days - 1)
    assert "Tests under way" in page(world)
    world.hands.advance(days=2)
    assert "Tests under way" not in page(world)
