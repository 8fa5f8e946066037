"""The table of stable codes is what the code raises: no more, no less, with the same numbers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from adapters.hl7v2.ack import CONDITIONS
from adapters.intake import stable_codes
from adapters.intake.stable_codes import ABSENT, FLAGS_OF_BUNDLES, HOLDS, OF_BUNDLES, meaning

FAULTS = {**stable_codes.FAULTS, **OF_BUNDLES}
FLAGS = {**stable_codes.FLAGS, **FLAGS_OF_BUNDLES}
ADAPTERS = Path(__file__).resolve().parents[3] / "adapters"
TABLE = ADAPTERS / "intake" / "stable_codes.py"
CONNECTIONS = ADAPTERS / "intake" / "tls.py"  # refuses connections, not messages
# Where a fault's number and code stand among the arguments.
FAULT_CALLS = {"refusal": (0, 1), "Refused": (1, 2), "Fault": (0, 1), "Unclear": (1, 2)}
FLAG_CALLS = {"flag": 0, "Flag": 0}
CONSTANTS = {"BUSY": 207, "REUSED": 205}


def modules() -> Iterator[ast.Module]:
    for path in sorted(ADAPTERS.rglob("*.py")):
        if path not in {TABLE, CONNECTIONS}:
            yield ast.parse(path.read_text())


def calls(module: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            yield name, node.args


def named(module: ast.Module) -> dict[str, str]:
    """The texts that a module gives names to."""
    found = {}
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                found[getattr(target, "id", "")] = node.value.value
    return found


def literal(node: ast.expr, names: dict[str, str]) -> object:
    if isinstance(node, ast.Name):
        return names.get(node.id, CONSTANTS.get(node.id))
    return node.value if isinstance(node, ast.Constant) else None


def test_every_fault_that_is_raised_is_in_the_table_with_its_number() -> None:
    missing = set()
    for module in modules():
        names = named(module)
        for name, args in calls(module):
            if name not in FAULT_CALLS or len(args) < 3:
                continue
            number, code = (literal(args[at], names) for at in FAULT_CALLS[name])
            if isinstance(code, str):
                told = FAULTS.get(code)
                if told is None or (number is not None and number not in told.numbers):
                    missing.add((code, number))
    assert missing == set()


def test_every_flag_that_is_raised_is_in_the_table() -> None:
    missing = set()
    for module in modules():
        names = named(module)
        for name, args in calls(module):
            code = literal(args[FLAG_CALLS[name]], names) if name in FLAG_CALLS and args else None
            if isinstance(code, str) and code not in FLAGS:
                missing.add(code)
    assert missing == set()


def test_every_flag_that_is_raised_beside_a_field_is_in_the_table() -> None:
    form = re.compile(r"([a-z]+(?:-[a-z]+)+) (?:[A-Z][A-Z0-9]{2}\b.*)?")
    found = {
        match[1]
        for module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if (match := form.fullmatch(node.value))
    }
    assert found - {*FLAGS, *HOLDS, *FAULTS} == set()


def test_every_flag_of_the_reader_is_in_the_table() -> None:
    found = {
        node.value
        for name in ("batch", "charsets", "delimiters", "er7", "mllp", "text_guard")
        for node in ast.walk(ast.parse((ADAPTERS / "hl7v2" / f"{name}.py").read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch(r"[a-z]+(?:-[a-z]+)+", node.value)
    }
    assert found - {*FLAGS, *FAULTS} == set()


def test_every_code_in_the_tables_is_one_that_something_raises() -> None:
    texts = {
        node.value.split(" ")[0]
        for module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {*FAULTS, *FLAGS, *HOLDS, *ABSENT} - texts == set()


def test_every_number_is_one_of_table_0357_and_every_meaning_a_sentence() -> None:
    assert {number for fault in FAULTS.values() for number in fault.numbers} <= CONDITIONS.keys()
    told = [*(fault.meaning for fault in FAULTS.values()), *FLAGS.values(), *HOLDS.values()]
    assert [text for text in told if not (text[0].isupper() and text.endswith("."))] == []
    assert meaning("date-bad") == FAULTS["date-bad"].meaning
    assert meaning("none-such") == ""
