"""The page for whoever brings a hospital in: its commands are run, and say what it shows.

Only the ports are others, so that tests can run beside each other.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.program import PROJECT, Kiln, kiln
from tests.portal_process import environment, free_port, install

PAGE = PROJECT / "docs" / "connect-a-hospital.md"
PORT = "2576"
HTTP = "127.0.0.1:8000"
START = "portal-fhir run\n"
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """Commands of the page, and what it shows them to say: `…` stands for anything."""

    commands: str
    says: str


def steps(text: str) -> list[Step]:
    """Return the commands of a page, each with the text that it shows behind them."""
    found: list[Step] = []
    for language, content in _BLOCK.findall(text):
        if language == "sh":
            found.append(Step(content, ""))
        else:
            found[-1] = Step(found[-1].commands, found[-1].says + content)
    return found


def as_pattern(says: str) -> str:
    """Return the pattern of what is shown: lines in order, with anything for `…`."""
    return ".*?".join(map(re.escape, says.strip().split("…")))


@pytest.fixture(scope="module")
def warm() -> Iterator[Kiln]:
    """A warm process; what has come out of it is ended in the end."""
    with kiln() as one:
        yield one


@pytest.fixture
def terminal(warm: Kiln, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has `portal-fhir` on their path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    install(warm, programs)
    return environment(PATH=f"{programs}:{os.environ['PATH']}")


def begun(commands: str, folder: Path, settings: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["bash", "-c", commands],
        cwd=folder,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(commands: str, folder: Path, settings: dict[str, str]) -> str:
    said, _ = begun(commands, folder, settings).communicate()
    return said


def opened(portal: "subprocess.Popen[str]") -> str:
    """Return what the portal says until its doors are open."""
    assert portal.stdout is not None
    said = ""
    for line in portal.stdout:
        said += line
        if line.startswith("MLLP on"):
            break
    return said


def test_the_page_leads_from_nothing_to_an_accepted_message(
    terminal: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    shown = 0
    portal: subprocess.Popen[str] | None = None
    page = PAGE.read_text().replace(HTTP, terminal["PORTAL_HTTP_ADDRESS"])
    for step in steps(page.replace(PORT, str(free_port()))):
        if step.commands.endswith(START):
            portal = begun(step.commands, folder, terminal)
            said = opened(portal)
        else:
            said = run(f". ./portal.env 2>/dev/null\n{step.commands}", folder, terminal)
        if step.says:
            shown += 1
            assert re.search(as_pattern(step.says), said, re.DOTALL), said
    assert portal is not None
    portal.kill()
    portal.communicate()
    assert shown == 10


def test_what_a_page_shows_is_compared_line_by_line() -> None:
    page = "```sh\nls\n```\nThen:\n```text\na … c\n…\nz\n```\n```sh\ntrue\n```\n"
    assert steps(page) == [Step("ls\n", "a … c\n…\nz\n"), Step("true\n", "")]
    pattern = as_pattern("a … c\n…\nz\n")
    assert re.search(pattern, "a b c\nd\nz", re.DOTALL)
    assert not re.search(pattern, "z\na b c", re.DOTALL)


def test_a_key_that_is_none_stops_the_start_with_a_sentence_that_names_its_setting(
    terminal: dict[str, str], tmp_path: Path
) -> None:
    commands = [step.commands for step in steps(PAGE.read_text().replace(PORT, str(free_port())))]
    start = next(one for one in commands if one.endswith(START))
    run("\n".join(commands[: commands.index(start)]), tmp_path, terminal)
    (tmp_path / "tls" / "portal.key").write_text("no key")
    said = run(start, tmp_path, terminal)
    assert re.search(r"^portal-fhir: PORTAL_MLLP_TLS_KEY names no key ", said, re.MULTILINE), said
