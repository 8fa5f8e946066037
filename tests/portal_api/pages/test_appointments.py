"""A patient's appointments: when, where, with whom; cancelled ones say so; others' are absent."""

from base64 import b64decode

import pytest

from tests.portal_api.pages.world import text_of


def booked(world, start="2026-12-01T10:00:00Z", login="alan", held=None, **also) -> None:
    """File an appointment of half an hour."""
    patient = world.ids[login]
    tree = {
        "resourceType": "Appointment",
        "status": "booked",
        "serviceType": [{"text": "Urology clinic"}],
        "start": start,
        "end": start.replace(":00:00Z", ":30:00Z"),
        "minutesDuration": 30,
        "patientInstruction": "Eat nothing after midnight.",
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": {"type": "Location", "display": "Room 4"}, "status": "accepted"},
            {"actor": {"display": "Dr Ngozi Okafor"}, "status": "accepted"},
        ],
    }
    world.file(tree | also, patient, **(held or {}))


def page(world) -> str:
    return text_of(world.browser("alan").get("/patient/appointments"))


def test_an_appointment_says_when_where_and_with_whom(world):
    booked(world, "2026-12-08T10:00:00Z", serviceType=[{"coding": [{"display": "Scan"}]}])
    booked(world)
    words = page(world)
    assert (
        "Urology clinic Tuesday 1 December 2026 at 10am , for about 30 minutes Where: Room 4 "
        "With: Dr Ngozi Okafor Eat nothing after midnight. Scan Tuesday 8 December 2026"
    ) in words
    assert "In the last year" not in words


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("cancelled", "Cancelled"),
        ("entered-in-error", "Cancelled"),
        ("noshow", "Missed"),
        ("pending", "Not certain yet"),
        ("waitlist", "Waiting list"),
    ],
)
def test_what_is_not_simply_booked_says_so(world, status, said):
    booked(world, status=status)
    words = page(world)
    assert f"Urology clinic {said} Tuesday 1 December 2026" in words
    assert ("Do not come for this one." in words) == (said == "Cancelled")


def test_what_has_been_stands_apart_and_after_a_year_no_more(world):
    booked(world, "2026-11-23T10:00:00Z", serviceType=[{"text": "Yesterday"}])
    booked(world, "2025-01-01T10:00:00Z", serviceType=[{"text": "Long ago"}])
    booked(world, "2026-11-24T12:00:00Z", serviceType=[{"text": "Now"}])
    words = page(world)
    assert words.index("Now") < words.index("In the last year") < words.index("Yesterday")
    assert "Long ago" not in words


def test_what_is_held_or_another_s_is_not_there(world):
    booked(world, held={"release_at": None})
    booked(world, login="brian")
    words = page(world)
    assert "No appointments are booked that we know of." in words
    assert "Urology clinic" not in words


def test_each_look_is_on_the_ledger(world):
    booked(world)
    before = len(world.entries("search-type"))
    page(world)
    entities = [part for one in world.entries("search-type")[before:] for part in one["entity"]]
    asked = [b64decode(one["query"]).decode() for one in entities if "query" in one]
    assert sum(f"patient={world.ids['alan']}&_sort=date" in one for one in asked) == 1
