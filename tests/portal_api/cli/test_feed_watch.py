"""`portal-fhir feed watch` beside a running portal: files in, answers out, through kills."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.program import Kiln
from tests.portal_api.cli.results import psa
from tests.portal_process import Process, begun, environment

AGREEMENT = ("sending_application=LIMS", "sending_facility=RXX")
WATCH = ("watch", "drop", "--feed", "dropped", "--settle", "0")


@dataclass(frozen=True, slots=True)
class Site:
    """A portal, and a folder into which files are dropped."""

    kiln: Kiln
    folder: Path
    settings: dict[str, str]

    @property
    def drop(self) -> Path:
        return self.folder / "drop"

    def start(self) -> Process:
        portal = begun(self.kiln, ("run",), self.folder, self.settings)
        portal.until(b"MLLP on")
        return portal

    def watch(self) -> Process:
        return begun(self.kiln, ("feed", *WATCH), self.folder, self.settings)

    def feed(self, *words: str) -> tuple[int, str]:
        return begun(self.kiln, ("feed", *words), self.folder, self.settings).ended()

    def there(self, name: str) -> set[str]:
        return {path.name for path in (self.drop / name).glob("*")}


@pytest.fixture
def site(warm: Kiln, sqlite_url: str, tmp_path: Path) -> Site:
    """A site whose portal does not run yet."""
    settings = environment(PORTAL_DATABASE_URL=sqlite_url, PORTAL_DATA_DIR=str(tmp_path / "var"))
    one = Site(warm, tmp_path, settings)
    one.drop.mkdir()
    return one


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def test_files_are_filed_answered_and_put_away(site: Site) -> None:
    portal = site.start()
    assert site.feed("add", "dropped", *AGREEMENT)[0] == 0
    (site.drop / "good.hl7").write_text(psa(1) + psa(2))
    (site.drop / "bad.hl7").write_text(psa(3).replace("19550301", "10660101"))
    status, said = site.feed(*WATCH, "--once")
    assert status == 0, said
    assert site.there("done") == {"good.hl7", "good.hl7.ack"}
    assert site.there("failed") == {"bad.hl7", "bad.hl7.ack"}
    answers = (site.drop / "done" / "good.hl7.ack").read_text()
    assert ["MSA|AA|M1" in answers, "MSA|AA|M2" in answers] == [True, True]
    assert "MSA|AE|M3" in (site.drop / "failed" / "bad.hl7.ack").read_text()
    status, said = site.feed("watch", "drop", "--feed", "nobody")
    assert (status, "there is no feed nobody" in said.replace("\n", " ")) == (2, True)
    portal.kill()


def test_files_are_each_filed_once_through_kills_of_either_side(site: Site) -> None:
    portal = site.start()
    assert site.feed("add", "dropped", *AGREEMENT)[0] == 0
    for number in range(1, 31):
        (site.drop / f"{number:03}.hl7").write_text(psa(number))
    watching = site.watch()
    until(lambda: len(site.there("done")) >= 10)
    watching.kill()
    portal.kill()
    watching, portal = site.watch(), site.start()
    until(lambda: len(site.there("done")) == 60)
    watching.kill()
    portal.kill()
    assert site.there("failed") == site.there("working") == set()
    for number in range(1, 31):
        assert f"MSA|AA|M{number}" in (site.drop / "done" / f"{number:03}.hl7.ack").read_text()
    assert site.feed("trace", "M1")[1].count("fate filed") == 1
