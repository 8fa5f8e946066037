"""Every row of the HL7 "Version 2 to FHIR" guide makes what it should, or is left out for a reason
that is written down.

Whether a row makes anything is seen by taking its field out of a message in which all are valued.
"""

import csv
import re
from pathlib import Path

import pytest

from adapters.hl7v2.guide_rows import ROWS, segment_of
from adapters.hl7v2.unmapped_fields import UNMAPPED, reason, row_reason
from tests.adapters.hl7v2.field_effects import effects, goes_to, is_carried, kind_of

SHEETS = Path(__file__).resolve().parents[3] / "../shared/corpus/v2-to-fhir-maps/segments"
OF_RESULTS = ("PID", "PD1", "ORC", "OBR", "OBX", "NTE", "SPM")
OTHERS = ("Immunization", "Medication")


NAMED = [(sheet, field) for sheet in ROWS for field in ROWS[sheet]]


@pytest.mark.parametrize("sheet", ROWS)
def test_every_row_of_the_guide_is_made_or_left_out_for_a_reason(sheet: str) -> None:
    neither = [n for n in ROWS[sheet] if not goes_to(sheet, n) and not row_reason(sheet, n)]
    assert neither == []


def test_a_field_with_a_reason_of_its_own_changes_nothing() -> None:
    changing = {
        f"{segment_of(sheet)}-{field}"
        for sheet, field in NAMED
        if reason(segment_of(sheet), field)
        and kind_of(sheet) == "result"
        and effects(f"{segment_of(sheet)}-{field}")
    }
    assert changing == set()


def test_every_reason_is_for_a_field_of_the_guide() -> None:
    fields = {f"{segment_of(sheet)}-{field}" for sheet in ROWS for field in ROWS[sheet]}
    of_guide = fields | {segment_of(sheet) for sheet in ROWS}
    unneeded = {field for field in UNMAPPED if field not in of_guide}
    # PV1 has reasons for all of its fields, mapped by the guide or not.
    assert {field for field in unneeded if not field.startswith("PV1-")} == set()


def test_nineteen_rows_in_twenty_of_those_on_results_are_carried() -> None:
    rows = [
        row for row in NAMED if segment_of(row[0]) in OF_RESULTS and kind_of(row[0]) == "result"
    ]
    left = [row for row in rows if not is_carried(*row)]
    assert len(left) <= 0.05 * len(rows), left


@pytest.mark.skipif(not SHEETS.is_dir(), reason="the guide's sheets are not present")
def test_the_rows_are_those_of_the_guides_own_sheets() -> None:
    found: dict[str, tuple[int, ...]] = {}
    segments = {segment_of(sheet) for sheet in ROWS}
    for path in SHEETS.glob("*.csv"):
        sheet = re.search(r"R4_ (\w+)\[(.+?)\]", path.name)
        if not sheet or sheet[1] not in segments or sheet[2].startswith(OTHERS):
            continue
        with path.open(encoding="utf8") as lines:
            fields = [
                int(field[1])
                for row in csv.reader(lines)
                if len(row) > 9 and row[9].strip()
                if (field := re.fullmatch(rf"{sheet[1]}-(\d+)\.?", row[1].strip()))
            ]
        if fields:
            found[f"{sheet[1]}[{sheet[2]}]"] = tuple(dict.fromkeys(fields))
    assert found == dict(ROWS)
