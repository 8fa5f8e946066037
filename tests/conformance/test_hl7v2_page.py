"""The page on HL7 v2 conformance is what the code makes of its own tables."""

from adapters.hl7v2 import kinds
from adapters.hl7v2.guide_rows import ROWS
from adapters.intake.feed_settings import DIALECT, FEED
from adapters.intake.stable_codes import FAULTS, FLAGS, HOLDS
from tests.conformance.hl7v2_page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "make docs writes it anew"


def test_the_page_holds_every_row_code_setting_and_type_of_message() -> None:
    text = page()
    for sheet in ROWS:
        assert f"### {sheet}\n" in text
    for code in (*FAULTS, *FLAGS, *HOLDS, *FEED, *(f"dialect.{name}" for name in DIALECT)):
        assert f"| `{code}` |" in text
    for code, event in kinds._KINDS:
        assert code in text
        assert f"`{event}`" in text


def test_no_row_of_the_guide_is_without_an_outcome_or_a_reason() -> None:
    rows = [line for line in page().splitlines() if line.count("|") == 5 and "-" in line[:12]]
    assert [line for line in rows if line.replace(" ", "").endswith("|||")] == []
