"""What a patient sees: their own results, when they may; the rest as if it were not there."""

import pytest

from fhir_server.clock import micros
from tests.portal_api.pages.world import Browser, text_of

LATER = 13 * 24 * 3_600 * 1_000_000


def test_a_patient_reads_their_results_newest_first(world):
    alan = world.ids["alan"]
    world.result(alan, "7.0", days=182)
    latest = world.result(alan, "7.3")
    page = world.browser("alan").get("/patient")
    assert page.status_code == 200
    words = text_of(page)
    assert words.index("7.3 ug/L") < words.index("7.0 ug/L")
    assert "Prostate blood test (PSA)" in words
    assert "Above the usual range" in words
    assert "Northgate laboratory" in words
    assert f'href="/patient/results/{latest}"' in page.text


def test_one_result_shows_its_value_its_predecessor_its_course_and_whom_to_ring(world):
    alan = world.ids["alan"]
    for number, days in (("6.8", 730), ("7.0", 182)):
        world.result(alan, number, days=days)
    page = world.browser("alan").get(f"/patient/results/{world.result(alan, '7.30')}")
    words = text_of(page)
    assert "7.30 ug/L" in words
    assert "Your result before this one was 7.0 ug/L on 26 May 2026" in words
    assert "3 results from 24 November 2024 to 24 November 2026" in words
    assert "Taken on 24 November 2026 at 2:30pm" in words
    assert "0151 496 0101" in words
    assert page.text.count("<svg") == 2


def test_a_held_result_is_a_notice_and_nothing_more(world):
    alan = world.ids["alan"]
    notice = (
        "Bowel biopsy",
        "histology",
        micros(world.hands()) + LATER,
        "the bowel nurses on 0151 496 0102",
    )
    held = world.result(alan, "9.87", release_at=None, notice=notice)
    browser = world.browser("alan")
    page = browser.get("/patient")
    words = text_of(page)
    assert "Bowel biopsy This result arrived on Tuesday 24 November 2026" in words
    assert "Monday 7 December 2026 at 2:30pm" in words
    assert "To ask about it, ring the bowel nurses on 0151 496 0102 ." in words
    assert 'href="tel:01514960102"' in page.text
    assert "9.87" not in page.text
    assert held not in page.text
    refused = browser.get(f"/patient/results/{held}")
    assert refused.status_code == 404
    assert "9.87" not in refused.text


def test_a_result_of_somebody_else_reads_like_one_that_never_was(world):
    brians = world.result(world.ids["brian"], "0.21")
    browser = world.browser("alan")
    other = browser.get(f"/patient/results/{brians}")
    never = browser.get(f"/patient/results/{'0' * 32}")
    assert other.status_code == never.status_code == 404
    ids = [one.headers["X-Request-Id"] for one in (other, never)]
    assert other.text.replace(ids[0], "") == never.text.replace(ids[1], "")


def test_a_corrected_result_says_so_and_when(world):
    alan = world.ids["alan"]
    subject = {"subject": {"reference": f"Patient/{alan}"}}
    tree = {"resourceType": "DiagnosticReport", "status": "corrected", "code": {"text": "CEA"}}
    issued = {"issued": "2026-11-23T16:00:00+00:00"}
    report = world.file(tree | subject | issued, alan)
    words = text_of(world.browser("alan").get(f"/patient/results/{report}"))
    assert "This result was corrected on 23 November 2026" in words


def test_a_result_that_was_taken_back_shows_no_value(world):
    alan = world.ids["alan"]
    subject = {"subject": {"reference": f"Patient/{alan}"}}
    tree = {
        "resourceType": "DiagnosticReport",
        "status": "entered-in-error",
        "code": {"text": "CEA"},
        "conclusion": "27.0 is high",
    }
    report = world.file(tree | subject, alan)
    page = world.browser("alan").get(f"/patient/results/{report}")
    assert "took this result back" in text_of(page)
    assert "27.0" not in page.text


def test_a_test_that_could_not_be_done_says_so(world):
    alan = world.ids["alan"]
    subject = {"subject": {"reference": f"Patient/{alan}"}}
    absent = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason"}
    observation = {
        "resourceType": "Observation",
        "status": "cancelled",
        "code": {"text": "CEA"},
        "dataAbsentReason": {"coding": [absent | {"code": "not-performed"}]},
    }
    measured = world.file(observation | subject, alan)
    tree = {"resourceType": "DiagnosticReport", "code": {"text": "CEA"}}
    results = {"result": [{"reference": f"Observation/{measured}"}]}
    done = world.file(tree | subject | results | {"status": "final"}, alan)
    cancelled = world.file(tree | subject | {"status": "cancelled"}, alan)
    browser = world.browser("alan")
    assert "This test could not be done." in text_of(browser.get(f"/patient/results/{done}"))
    page = text_of(browser.get(f"/patient/results/{cancelled}"))
    assert "This test was not done" in page
    assert "took this result back" not in page


def test_a_nurse_who_looks_stands_in_the_patients_log_and_own_looks_are_folded(world):
    world.result(world.ids["alan"], "7.3")
    world.browser("priya").get(f"/clinician/patients/{world.ids['alan']}")
    browser = world.browser("alan")
    browser.get("/patient")
    page = browser.get("/patient/access")
    shown, folded = page.text.split("<details", 1)
    assert "A clinician from Northgate Hospital looked at your results" in shown
    assert "Shah" not in page.text
    assert "You looked at your results" in folded
    assert "You looked at" not in shown
    assert "added a result" in folded


def test_who_looked_is_not_hidden_behind_many_views_of_ones_own(world):
    world.browser("priya").get(f"/clinician/patients/{world.ids['alan']}")
    world.hands.advance(hours=1)
    browser = world.browser("alan")
    for _ in range(40):
        browser.get("/patient")
    shown = browser.get("/patient/access").text.split("<details", 1)[0]
    assert "A clinician from Northgate Hospital looked at your name and details" in shown


def test_several_tests_in_one_report_say_how_many_lie_outside(world):
    alan = world.ids["alan"]
    subject = {"subject": {"reference": f"Patient/{alan}"}}
    range_ = {"referenceRange": [{"low": {"value": 130}, "high": {"value": 170}}]}
    measured = [
        world.file(
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": name},
                "valueQuantity": {"value": value, "unit": "g/L"},
            }
            | subject
            | range_,
            alan,
        )
        for name, value in (("One", 101), ("Two", 140), ("Three", 180))
    ]
    results = [{"reference": f"Observation/{one}"} for one in measured]
    tree = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Count"}}
    world.file(tree | subject | {"result": results}, alan)
    words = text_of(world.browser("alan").get("/patient"))
    assert "Count 3 tests, 2 outside the usual range" in words


@pytest.mark.parametrize("path", ["/patient", "/patient/access", "/patient/messages"])
def test_nobody_sees_a_page_without_signing_in(world, path):
    answer = Browser(world.app).get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=%2Fpatient")
    assert answer.content == b""


@pytest.mark.parametrize(
    ("login", "path"),
    [
        ("priya", "/patient"),
        ("alan", "/clinician"),
        ("alan", "/auditor"),
        ("ada", "/operator"),
        ("olu", "/auditor"),
    ],
)
def test_each_page_is_for_its_own_kind_of_user(world, login, path):
    answer = world.browser(login).get(path)
    assert answer.status_code == 403
    refusals = [one for one in world.entries("request") if one["outcome"] == "4"]
    assert len(refusals) == 1
    assert refusals[0]["outcomeDesc"] == "This page is for other users."


def test_pages_are_not_cached_not_framed_and_load_nothing_from_elsewhere(world):
    headers = world.browser("alan").get("/patient").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
