"""`portal-fhir feed check`: a report for the laboratory, in the terminal, as JSON and as a page."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_server.model import json
from portal_api.feed_report import as_tree, page
from tests.portal_api.cli.results import psa

Done = Callable[..., str]
Written = Callable[[str, str], str]


def test_a_report_counts_answers_and_names_fields(done: Done, written: Written) -> None:
    bad = psa(2).replace("19550301", "10660301")
    path = written("some.hl7", psa(1) + bad + psa(3).replace("19550301", "10660301"))
    report = json.decode(done("check", path, "--json", status=1))
    assert {name: report[name] for name in ("messages", "answers", "types", "versions")} == {
        "messages": 3,
        "answers": {"AA": 1, "AE": 2, "AR": 0},
        "types": {"ORU^R01": 3},
        "versions": {"2.5.1": 3},
    }
    assert report["remarks"][0] == {
        "kind": "fault",
        "code": "date-bad",
        "table_0357": "102 Data type error",
        "field": "PID.7",
        "text": "This is not a date that can be believed.",
        "messages": 2,
        "times": 2,
        "examples": ["some.hl7 message 2 PID.7", "some.hl7 message 3 PID.7"],
    }
    shown = done("check", path, status=1)
    assert "3 messages: 1 AA, 2 AE, 0 AR" in shown
    assert "PID.7" in shown


def test_sound_messages_end_well(done: Done, written: Written) -> None:
    assert "1 messages: 1 AA, 0 AE, 0 AR" in done("check", written("one.hl7", psa(1)))


def test_the_page_stands_by_itself_and_holds_nobodys_data(done: Done, written: Written) -> None:
    message = psa(1).replace("5.10", "<script>5</script>").replace("2857-1^PSA^LN", "<b>X^P^L")
    sent = written("one.hl7", message)
    path = written("page.html", "")
    assert f"The page is in {path}." in done("check", sent, "--html", path).replace("\n", "")
    html = Path(path).read_text(encoding="utf-8")
    assert re.findall(r"<(?:script|link|img|iframe)|https?://|url\(", html) == []
    assert "&lt;b&gt;X" in html
    for secret in ("9990000018", "Fletcher", "Example", "19550301", "script"):
        assert secret not in html
    assert "These tests have no code that everybody knows" in html
    assert "value-as-text" in html


def test_a_page_with_nothing_to_say_says_so() -> None:
    assert "nothing to say against" in page(as_tree("lims", []))


@pytest.mark.usefixtures("program")
def test_a_feeds_agreement_and_its_codes_are_looked_at(done: Done, written: Written) -> None:
    local = written("local.hl7", psa(1).replace("2857-1^PSA^LN", "PSA9^PSA^L"))
    done("add", "lims", "sending_facility=RXX", "needs_nhs_number=yes")
    assert "code-unmapped" in done("check", local, "--feed", "lims")
    codes = written("codes.csv", "code,means\nPSA9,http://loinc.org|2857-1\n")
    done("codes", "lims", "--import", codes)
    assert "code-unmapped" not in done("check", local, "--feed", "lims")
    assert "no feed nobody" in done("check", local, "--feed", "nobody", status=2).replace("\n", " ")
