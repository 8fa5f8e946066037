"""`portal-fhir feed convert`: what messages become, without a database and without a portal."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fhir_server.model import json
from portal_api.cli.main import application
from tests.adapters.fhir_push.bundles import document
from tests.portal_api.cli.results import psa

Convert = Callable[..., Result]


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    """Run the command on files with these contents."""

    def run(*contents: bytes | str, options: tuple[str, ...] = ("--json",)) -> Result:
        files = []
        for number, content in enumerate(contents, 1):
            path = tmp_path / f"{number}.hl7"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            files.append(str(path))
        return CliRunner().invoke(
            application(),
            ["feed", "convert", *options, *files],
            env={"PORTAL_DATABASE_URL": f"sqlite:///{tmp_path}/none.db"},
        )

    return run


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.decode(line) for line in result.stdout.splitlines()]


def test_a_message_is_a_line_with_its_digits_as_they_were_written(
    convert: Convert, tmp_path: Path
) -> None:
    result = convert(psa(1))
    (line,) = lines(result)
    assert (line["file"], line["index"]) == (str(tmp_path / "1.hl7"), 1)
    assert (line["control_id"], line["ack"], line["errors"]) == ("M1", "AA", [])
    assert [one.split(" ", 1)[0] for one in line["segments"]] == [
        *("MSH[1]", "PID[1]", "ORC[1]", "OBR[1]", "OBX[1]")
    ]
    results = [entry["resource"] for entry in line["bundle"]["entry"]]
    (observation,) = [one for one in results if one["resourceType"] == "Observation"]
    assert observation["valueQuantity"]["value"] == Decimal("5.10")
    assert '"value":5.10' in result.stdout
    assert not (tmp_path / "none.db").exists()


def test_a_bad_message_is_a_line_with_the_field_to_blame(convert: Convert) -> None:
    (line,) = lines(convert(psa(1).replace("19550301", "10660301")))
    assert (line["ack"], line["bundle"]) == ("AE", None)
    (error,) = line["errors"]
    assert (error["code"], error["hl7_code"], error["field"]) == ("date-bad", 102, "PID.7")


def test_several_files_batches_and_bare_messages_are_a_line_each(convert: Convert) -> None:
    one, two, three, four, five = (psa(n) for n in range(1, 6))
    batch = f"FHS|^~\\&\rBHS|^~\\&\r{one}{two}BTS|2\rFTS|1\r"
    framed = f"\x0b{five}\x1c\r"
    found = lines(convert(batch, three + four, framed))
    assert [(line["index"], line["control_id"]) for line in found] == [
        *((1, "M1"), (2, "M2"), (1, "M3"), (2, "M4"), (1, "M5"))
    ]


@pytest.mark.parametrize("content", [b"hello", b"\x00\xff", b"MSH|"])
def test_what_is_no_message_is_a_line_that_says_so(convert: Convert, content: bytes) -> None:
    (line,) = lines(convert(content))
    assert line["ack"] in {"AR", "AE"}
    assert line["errors"][0]["code"]


def test_people_read_the_same_in_words(convert: Convert) -> None:
    bad = psa(2).replace("19550301", "10660301")
    result = convert(psa(1) + bad, options=())
    assert result.exit_code == 0
    assert "message 1: AA (control id M1)" in result.stdout
    assert "OBX[1] filed in an Observation" in result.stdout
    assert "PID.7: This is not a date that can be believed. [date-bad]" in result.stdout


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(application(), ["feed", "convert", str(tmp_path / "none.hl7")])
    assert result.exit_code == 2
    # The terminal's frame may break the name in two.
    assert "none.hl7" in re.sub(r"[\s│]", "", result.output)


def test_a_bundle_is_converted_as_a_message_is(convert: Convert) -> None:
    sent = document()
    first, second = lines(convert(json.encode(sent), psa(1)))
    assert (first["control_id"], first["ack"], first["errors"]) == ("D1", "AA", [])
    assert first["segments"][0] == "Bundle.entry[0] filed in Provenance"
    assert len(first["segments"]) == len(sent["entry"])
    assert (second["control_id"], second["ack"]) == ("M1", "AA")
    wrong = json.encode(sent | {"entry": sent["entry"][1:]})
    shown = convert(wrong, options=())
    assert "Bundle.entry[0].resource: A document begins with its Composition." in shown.stdout
