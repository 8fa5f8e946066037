"""`portal-fhir feed watch` beside a running portal: files in, answers out, through kills."""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.portal_api.cli.results import psa
from tests.portal_process import begun, done, environment, portal_fhir

AGREEMENT = ("sending_application=LIMS", "sending_facility=RXX")


@dataclass(slots=True)
class Site:
    """A portal, and a folder into which files are dropped; *running* is ended after the test."""

    folder: Path
    settings: dict[str, str]
    running: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def drop(self) -> Path:
        return self.folder / "drop"

    def start(self) -> "subprocess.Popen[str]":
        process, _ = begun(portal_fhir("run"), self.folder, self.settings, until="MLLP on")
        self.running.append(process)
        return process

    def watch(self) -> "subprocess.Popen[str]":
        words = portal_fhir("feed", "watch", "drop", "--feed", "dropped", "--settle", "0")
        process, _ = begun(words, self.folder, self.settings)
        self.running.append(process)
        return process

    def feed(self, *words: str) -> tuple[int, str]:
        return done(portal_fhir("feed", *words), self.folder, self.settings)

    def there(self, name: str) -> set[str]:
        return {path.name for path in (self.drop / name).glob("*")}


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal that runs and has agreed with a site that drops files."""
    settings = environment(PORTAL_DATABASE_URL=sqlite_url, PORTAL_DATA_DIR=str(tmp_path / "var"))
    one = Site(tmp_path, settings)
    one.drop.mkdir()
    one.start()
    assert one.feed("add", "dropped", *AGREEMENT)[0] == 0
    yield one
    for process in one.running:
        process.kill()
        process.communicate()


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def test_files_are_filed_answered_and_put_away(site: Site) -> None:
    (site.drop / "good.hl7").write_text(psa(1) + psa(2))
    (site.drop / "bad.hl7").write_text(psa(3).replace("19550301", "10660101"))
    words = ("watch", "drop", "--feed", "dropped", "--settle", "0", "--once")
    status, said = site.feed(*words)
    assert status == 0, said
    assert site.there("done") == {"good.hl7", "good.hl7.ack"}
    assert site.there("failed") == {"bad.hl7", "bad.hl7.ack"}
    answers = (site.drop / "done" / "good.hl7.ack").read_text()
    assert ["MSA|AA|M1" in answers, "MSA|AA|M2" in answers] == [True, True]
    assert "MSA|AE|M3" in (site.drop / "failed" / "bad.hl7.ack").read_text()
    status, said = site.feed("watch", "drop", "--feed", "nobody")
    assert (status, "there is no feed nobody" in said.replace("\n", " ")) == (2, True)


def test_files_are_each_filed_once_through_kills_of_either_side(site: Site) -> None:
    for number in range(1, 31):
        (site.drop / f"{number:03}.hl7").write_text(psa(number))
    killed = site.watch()
    until(lambda: len(site.there("done")) >= 10)
    killed.kill()
    killed.wait(30)
    site.running[0].kill()
    site.running[0].wait(30)
    site.watch()
    site.start()
    until(lambda: len(site.there("done")) == 60)
    assert site.there("failed") == site.there("working") == set()
    for number in range(1, 31):
        assert f"MSA|AA|M{number}" in (site.drop / "done" / f"{number:03}.hl7.ack").read_text()
    assert site.feed("trace", "M1")[1].count("fate filed") == 1
