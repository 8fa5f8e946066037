"""`portal-fhir feed replay`: the inbox again, into the record as it stands or into an empty one."""

from collections.abc import Callable
from pathlib import Path

from tests.faults.program import Program
from tests.portal_api.cli.results import psa

Done = Callable[..., str]
Written = Callable[[str, str], str]


def test_the_inbox_is_run_again_beside_a_running_portal(
    running: Program, done: Done, written: Written, tmp_path: Path
) -> None:
    bad = psa(2).replace("19550301", "01/03/1955")
    to = ("--to", f"127.0.0.1:{running.mllp}")
    done("send", written("some.hl7", psa(1) + bad), *to, status=1)
    again = done("replay")
    assert "loopback M2: aside, date-bad PID.7" in again
    assert "1 aside, 1 unchanged" in again
    assert done("replay", "--until", "2000-01-01").strip() == "nothing"
    assert done("replay", "--since", "2000-01-01", "--feed", "another").strip() == "nothing"
    twin = f"sqlite:///{tmp_path}/twin.db"
    assert "1 aside, 1 filed" in done("replay", "--into", twin)
    assert "not empty: name a new one" in done("replay", "--into", twin, status=2)
