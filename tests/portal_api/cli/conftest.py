"""Commands of `portal-fhir feed` on a portal of one's own, beside it while it runs, and alone."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal_api.cli.main import main
from tests.faults.program import Kiln, Program


@pytest.fixture
def program(
    warm: Kiln, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Program]:
    """A portal that is not running yet; commands of this process see its settings."""
    one = Program(warm, sqlite_url, tmp_path)
    for name, value in one._environment.items():
        monkeypatch.setenv(name, value)
    yield one
    one.close()


@pytest.fixture
def running(program: Program) -> Program:
    """A portal that runs."""
    program.start()
    return program


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run `portal-fhir feed …` and return what it said, having ended with *status*."""

    def run(*words: str, status: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["portal-fhir", "feed", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert ended.value.code == status, out + err
        return out + err

    return run


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a file and return its path."""

    def write(name: str, content: str) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode())
        return str(path)

    return write
