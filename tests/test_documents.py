"""What the documents say is so: settings, commands, links, and the tests that hazards rest on."""

import re
from pathlib import Path

import pytest

from portal_api.settings import DEFAULTS, SECRET

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
HAZARDS = ROOT / "docs" / "hazards.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def names(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def named_tests(text: str) -> list[str]:
    """Return the tests that *text* names, by path and perhaps by name."""
    return re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", text)


def missing_tests(text: str, root: Path = ROOT) -> list[str]:
    """Return those of the tests named in *text* that do not exist."""
    missing = []
    for named in named_tests(text):
        path, _, function = named.partition("::")
        file = root / path
        source = file.read_text() if file.is_file() else None
        if source is None or (function and f"def {function}(" not in source):
            missing.append(named)
    return missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_test_that_a_document_names_exists(document: Path) -> None:
    assert missing_tests(document.read_text()) == []


def test_a_test_that_does_not_exist_is_found() -> None:
    text = "`tests/test_documents.py::test_nothing` `tests/test_gone.py` `tests/test_documents.py`"
    assert missing_tests(text) == ["tests/test_documents.py::test_nothing", "tests/test_gone.py"]


def test_every_hazard_is_there_and_every_control_names_its_test() -> None:
    sections = re.split(r"^## ", HAZARDS.read_text(), flags=re.MULTILINE)[1:]
    assert [section.partition(":")[0] for section in sections] == [
        "Lost",
        "Late",
        "Wrong patient",
        "Seen too early",
        "Seen by the wrong person",
    ]
    for section in sections:
        rows = [line for line in section.splitlines() if line.startswith("|")][2:]
        assert rows
        assert [row for row in rows if not named_tests(row)] == []


def test_the_readme_has_every_setting_with_its_default() -> None:
    rows = re.findall(
        r"^\| `(PORTAL_\w+)` \| `(.*?)` \| .+ \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert dict(rows) == dict(DEFAULTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_no_document_names_a_setting_that_does_not_exist(document: Path) -> None:
    named = set(re.findall(r"\bPORTAL_\w+", document.read_text()))
    assert named - DEFAULTS.keys() - {f"{name}_FILE" for name in SECRET} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_link_into_the_project_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_make_command_is_in_the_makefile(document: Path) -> None:
    named = set(re.findall(r"(?:`|^|\s)make ([a-z]+)(?=[`\s])", document.read_text(), re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    prose = {"a", "it", "of", "the"}
    assert named - targets - prose == set()


@pytest.mark.parametrize("document", DECISIONS, ids=names)
def test_every_decision_is_dated_weighed_and_open_to_being_wrong(document: Path) -> None:
    text = document.read_text()
    dated = re.match(r"# .+\n\n(\d{4}-\d\d-\d\d) · (?:stands|superseded by \[.+\]\(.+\))\n", text)
    assert dated is not None
    assert document.name.startswith(f"{dated[1]}-")
    bold = re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)
    wanted = {"The question.", "Considered.", "Decision.", "What follows."}
    assert wanted <= set(bold)
    assert bold[-1] == "We shall know it was wrong"


def test_no_document_speaks_of_where_it_was_written() -> None:
    spoken = {
        names(document): re.findall(
            r"/work/|/tmp/|\bissue #?\d|pypi\.org|npmjs", document.read_text()
        )
        for document in DOCUMENTS
    }
    assert {name: found for name, found in spoken.items() if found} == {}
