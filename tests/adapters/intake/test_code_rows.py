"""A code map as CSV: what a laboratory writes there, a spreadsheet shows and does not run."""

import csv
import io

import pytest

from adapters.intake import code_rows
from adapters.intake.code_rows import CodeRow

LOINC = "http://loinc.org"


def written(rows: list[CodeRow]) -> str:
    out = io.StringIO()
    lines = csv.DictWriter(out, code_rows.COLUMNS, lineterminator="\n")
    lines.writeheader()
    lines.writerows(code_rows.as_cells(rows))
    return out.getvalue()


@pytest.mark.parametrize(
    "wicked",
    ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "'=1", '=HYPERLINK("http://evil.example")'],
)
def test_row_22_no_cell_is_a_formula_and_each_comes_back_as_it_was(wicked: str) -> None:
    rows = [CodeRow(wicked, wicked, LOINC, "2857-1", wicked)]
    text = written(rows)
    for line in csv.DictReader(io.StringIO(text)):
        assert not any(value.startswith(("=", "+", "-", "@")) for value in line.values())
    assert code_rows.from_csv(text) == tuple(rows)


def test_an_apostrophe_of_the_laboratory_s_own_stays() -> None:
    rows = code_rows.from_csv("code,means,display\n'A,http://loinc.org|1,'tis\n")
    assert (rows[0].code, rows[0].display) == ("'A", "'tis")
    assert code_rows.from_csv(written(list(rows))) == rows
