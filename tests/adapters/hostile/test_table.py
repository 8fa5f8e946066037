"""The page of hostile inputs says what the tests hold: 44 rows, each with all of its tests."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = Path(__file__).resolve().parents[3] / "docs" / "hostile-inputs.md"


def held_by_number() -> dict[int, set[str]]:
    """Return the tests of each input, found by the number in their docstring."""
    found: dict[int, set[str]] = {}
    for file in HERE.glob("test_*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            number = re.fullmatch(r"hostile_(\d\d)", ast.get_docstring(node) or "")
            if number:
                named = f"tests/adapters/hostile/{file.name}::{node.name}"
                found.setdefault(int(number[1]), set()).add(named)
    return found


def rows() -> dict[int, tuple[str, str, set[str]]]:
    """Return input, outcome and tests of each row of the page."""
    text = PAGE.read_text(encoding="utf-8")
    cells = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    return {
        int(number): (sent, outcome, set(re.findall(r"`(tests/[^`]+)`", tests)))
        for number, sent, outcome, tests in cells
    }


def test_there_are_forty_four_inputs_each_with_its_outcome() -> None:
    found = rows()
    assert list(found) == list(range(1, 45))
    assert all(sent.strip() and outcome.strip() for sent, outcome, _ in found.values())


def test_each_row_names_all_tests_of_its_input_and_no_others() -> None:
    assert {number: tests for number, (_, _, tests) in rows().items()} == held_by_number()
