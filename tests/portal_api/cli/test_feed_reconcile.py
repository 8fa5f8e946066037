"""`portal-fhir feed reconcile`: nothing for equal totals, a table and exit 1 for others."""

from collections.abc import Callable

from tests.faults.program import Program
from tests.portal_api.cli.results import psa

Done = Callable[..., str]
Written = Callable[[str, str], str]


def test_totals_that_differ_end_in_status_one(
    running: Program, done: Done, written: Written
) -> None:
    done("add", "lims", "sources=127.0.0.0/8", "sending_facility=RXX")
    sent = written("some.hl7", psa(1) + psa(2))
    done("send", sent, "--to", f"127.0.0.1:{running.mllp}")
    day = ("reconcile", "--feed", "lims", "--day", "2026-11-24", "--totals")
    assert "2 reports here, 2 at the laboratory" in done(
        *day, written("equal.csv", "test,count\n2857-1,2\n")
    )
    told = done(*day, written("more.csv", "test,count\n2857-1,3\nCEA,1\n"), status=1)
    assert [word in told for word in ("CEA", "1 missing")] == [True, True]
    wrong = done(*day, written("wrong.csv", "x\n"), status=2).replace("\n", " ")
    assert "the heading is test,count" in wrong
