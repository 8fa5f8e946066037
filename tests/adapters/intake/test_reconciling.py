"""A day's reports by test against the laboratory's totals: what is missing, what is too many."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from adapters.intake.feeds import LOOPBACK, FeedWrongError
from adapters.intake.reconciling import Difference, counted, differences, totals
from tests.adapters.intake.ward import BRIAN, Ward

TODAY = date(2026, 11, 24)


def test_an_order_counts_once_on_the_day_of_its_issue_however_often_it_is_sent(ward: Ward) -> None:
    ward.psa(control_id="A", issued="20261124091500")
    ward.psa(control_id="B", issued="20261124101500", status="C", value="8")
    ward.psa(control_id="C", filler="LAB2", nhs_number=BRIAN, issued="20261124235959")
    ward.psa(control_id="D", filler="LAB3", issued="20261123235959")
    ward.psa(control_id="E", filler="LAB4", code="CEA^CEA^L", issued="20261124120000")
    ward.psa(control_id="F", filler="LAB5", birth_date="10660101")
    found = counted(ward.record, LOOPBACK, TODAY)
    assert found.tests == {"2857-1": 2, "CEA": 1}
    assert counted(ward.record, replace(LOOPBACK, name="another"), TODAY).tests == {}


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ({"A": 2}, {"A": 2}, []),
        ({"A": 3}, {"A": 2}, [("A", "1 missing")]),
        (
            {"A": 1, "B": 2},
            {"A": 3, "C": 1},
            [("A", "2 too many"), ("B", "2 missing"), ("C", "1 too many")],
        ),
    ],
)
def test_what_is_missing_and_what_is_too_many_is_told(
    theirs: dict[str, int], ours: dict[str, int], expected: list[tuple[str, str]]
) -> None:
    found = differences(Counter(theirs), Counter(ours))
    assert [(one.test, one.words) for one in found] == expected
    assert all(isinstance(one, Difference) for one in found)


def test_totals_come_from_a_table() -> None:
    assert totals("\ufeffCount,Test\n3,PSA\n1, CEA \n2,PSA\n") == {"PSA": 5, "CEA": 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1"),
        ("test;count\n", "line 1"),
        ("test,count\nPSA,many\n", "line 2"),
        ("test,count\nPSA,1\n,2\n", "line 3"),
        ("test,count\nPSA,1,2\n", "line 2"),
        ("test,count\nPSA\n", "line 2"),
    ],
)
def test_a_wrong_line_of_totals_is_named(text: str, told: str) -> None:
    with pytest.raises(FeedWrongError, match=f"^{told}:"):
        totals(text)
