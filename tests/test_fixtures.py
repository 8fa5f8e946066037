"""Nobody real stands in this project: its people, numbers and places are made up.

NHS numbers from 900 000 0000 up are never issued; the project uses 999 000 0000 to
999 999 9999. A ten-digit number that only looks like one is valid in one of eleven cases, so
identifiers are written with a letter in them.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
READ = {
    "", ".css", ".hl7", ".html", ".jinja", ".js", ".json", ".lock", ".md", ".mako", ".ndjson",
    ".py", ".sh", ".sql", ".svg", ".toml", ".txt", ".xml", ".yaml", ".yml",
}  # fmt: skip
NUMBER = re.compile(r"(?<![\w.])(\d{3})[ -]?(\d{3})[ -]?(\d{4})(?![\w.])")
TELEPHONE = re.compile(r"(?<![\w.-])(?:\+44 ?|0)[1-378](?: ?\d){8,9}(?![\w.-])")
# Ofcom keeps these for drama: https://www.ofcom.org.uk/phones-and-broadband/phone-numbers
FICTION = re.compile(
    r"(?:\+44 ?|0)"
    r"(?:1632 ?960|1(?:1[3-8]|[2-6]1) ?496 ?0|191 ?498 ?0|20 ?7946 ?0|7700 ?900|808 ?157 ?0)"
)
NOBODYS = {"0000000000", "0123456789"}
PLACE = re.compile(
    r"\b(?:Marsden|Christie|Addenbrooke|Guy's|Barts|Papworth|Clatterbridge|Moorfields"
    r"|Queen Elizabeth Hospital|St Thomas|John Radcliffe|Leeds Teaching|Royal Free)\b"
)


def valid(digits: str) -> bool:
    """Tell whether the tenth digit checks the nine before it (modulus 11)."""
    total = sum(
        int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)
    )
    return (11 - total % 11) % 11 == int(digits[9])


def real_numbers(text: str) -> list[str]:
    """Return the NHS numbers in *text* that could be somebody's."""
    found = ("".join(match.groups()) for match in NUMBER.finditer(text))
    return [
        digits
        for digits in found
        if valid(digits) and not digits.startswith("999") and digits not in NOBODYS
    ]


def real_telephones(text: str) -> list[str]:
    """Return the UK telephone numbers in *text* that are not kept for fiction."""
    found = (match[0].strip() for match in TELEPHONE.finditer(text))
    return [number for number in found if not FICTION.match(number) and number not in NOBODYS]


def _files() -> dict[str, str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    read = [name for name in listed if Path(name).suffix in READ and (ROOT / name).is_file()]
    own = Path(__file__).relative_to(ROOT).as_posix()
    return {
        name: (ROOT / name).read_text(encoding="utf-8", errors="replace")
        for name in read
        if name != own and not name.endswith(".lock")
    }


def test_every_nhs_number_is_one_that_nobody_has() -> None:
    found = {name: real_numbers(text) for name, text in _files().items()}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


def test_every_telephone_number_is_kept_for_fiction() -> None:
    found = {name: real_telephones(text) for name, text in _files().items()}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


def test_every_hospital_is_made_up() -> None:
    found = {name: PLACE.findall(text) for name, text in _files().items()}
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "planted", ["4500000003", "450 000 0003", "450-000-0003", "PID|||4500000003^^"]
)
def test_a_number_that_could_be_somebodys_is_found(planted: str) -> None:
    assert real_numbers(f"patient {planted} here") == ["4500000003"]


@pytest.mark.parametrize(
    "harmless", ["9990000018", "999 000 0026", "4500000004", "A4500000003", "14500000003"]
)
def test_a_number_that_cannot_be_anybodys_is_left_alone(harmless: str) -> None:
    assert real_numbers(harmless) == []


@pytest.mark.parametrize("planted", ["020 7188 7188", "+44 161 446 3000", "0161 4463000"])
def test_a_telephone_number_that_could_ring_is_found(planted: str) -> None:
    assert real_telephones(f"ring {planted} now") == [planted]


@pytest.mark.parametrize(
    "fiction", ["01632 960 123", "020 7946 0999", "+44 7700 900123", "0113 496 0000"]
)
def test_a_telephone_number_kept_for_fiction_is_left_alone(fiction: str) -> None:
    assert real_telephones(fiction) == []


def test_a_real_hospital_is_found() -> None:
    assert PLACE.findall("at the Royal Marsden") == ["Marsden"]
