"""Whole messages of our own three hospitals, and the whole of what becomes of each.

`tests/golden/accepted` holds messages and what they are converted to; `rejected` holds messages
and how they are refused. The file name begins with the hospital, whose dialect is below.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.hl7v2.conversion import PATIENT, ReportGroup, resolve
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.kinds import convert
from fhir_server.model import json
from fhir_server.model.ids import derived_id
from fhir_server.model.validate import judge
from tests.adapters.hl7v2.oru_messages import readable

GOLDEN = Path(__file__).parents[2] / "golden"
RECEIVED = datetime(2026, 8, 3, 15, 30, tzinfo=UTC)
HOSPITALS = {
    # Version 2.3, ISO 8859-1, the local number first and neither number with an authority.
    "northmere": Dialect(
        identifier_authorities=("NMH", "NHS"),
        identifier_systems={"NMH": "https://northmere.example/Id/hospital-number"},
        ods_codes=frozenset({"NMH"}),
        charset="iso8859-1",
    ),
    # Version 2.4, numbers in ST, reports as lines of TX.
    "eastvale": Dialect(numbers_in_text=True, local_base="https://eastvale.example/tests"),
    # Version 2.5.1, SPM, documents in ED.
    "southbrook": Dialect(ods_codes=frozenset({"SBH", "SBHLAB"})),
}
ACCEPTED = sorted((GOLDEN / "accepted").glob("*.hl7"))
REJECTED = sorted((GOLDEN / "rejected").glob("*.hl7"))


def converted(path: Path) -> Any:
    dialect = HOSPITALS[path.stem.partition("_")[0]]
    message = read(path.read_bytes(), default_charset=dialect.charset)
    return message, convert(message, dialect, received_at=RECEIVED)


def facts(group: ReportGroup) -> dict[str, Any]:
    """What a report tells the release policy."""
    return {
        "filler_number": group.filler_number,
        "placer_number": group.placer_number,
        "ordered_as": group.ordered_as,
        "section": group.section,
        "status": group.status,
        "version_at": group.version_at.isoformat(),
        "is": [
            name
            for name in ("preliminary", "unverified", "histology", "imaging", "free_text")
            if getattr(group, f"is_{name}")
        ],
        "withdrawn": [list(key) for key in group.withdrawn],
        "status_only": [list(key) for key in group.status_only],
        "unreleasable": [[list(key), reason] for key, reason in group.unreleasable],
        "holds": list(group.holds),
        "local_codes": [[c.system, c.code, c.text, c.unit] for c in group.local_codes],
        "security": [list(label) for label in group.security],
        "documents": [[d.title, d.content_type, d.size, d.hold] for d in group.documents],
    }


def said_of(path: Path) -> dict[str, Any]:
    """The whole answer of the converter about one message, as JSON."""
    try:
        _, conversion = converted(path)
    except Refused as refused:
        return {
            "ack": refused.ack,
            "error": refused.hl7_code,
            "code": refused.code,
            "field": refused.field,
            "text": refused.text,
        }
    person = conversion.person
    return {
        "flags": [[flag.code, flag.address] for flag in conversion.flags],
        "accounted": {str(number): fate for number, fate in conversion.accounted.items()},
        "person": {
            "nhs_number": person.nhs_number.digits if person.nhs_number else None,
            "identifiers": [list(identifier) for identifier in person.identifiers],
            "birth_date": person.birth_date,
        },
        "reports": [facts(group) for group in conversion.groups],
        "resources": [
            readable(person.tree),
            *({"key": list(made.key), **readable(made.tree)} for made in conversion.all_made()),
        ],
    }


@pytest.mark.parametrize("path", [*ACCEPTED, *REJECTED], ids=lambda path: path.stem)
def test_a_message_becomes_exactly_what_stands_beside_it(path: Path):
    expected = json.decode(path.with_suffix(".json").read_bytes())
    assert json.decode(json.encode(said_of(path))) == expected


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_every_resource_of_an_accepted_message_is_valid(path: Path):
    _, conversion = converted(path)
    named = [made.key for made in conversion.all_made()]
    unsent = [key for group in conversion.groups for key in group.status_only]
    ids = {key: derived_id(b"golden", *key) for key in (PATIENT, *named, *unsent)}
    trees = [conversion.person.tree, *(made.tree for made in conversion.all_made())]
    for key, tree in zip((PATIENT, *named), trees, strict=True):
        judged = judge({**resolve(tree, ids), "id": ids[key]}, tree["resourceType"])
        assert judged["id"] == ids[key]


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_every_segment_of_an_accepted_message_is_accounted_for(path: Path):
    message, conversion = converted(path)
    assert list(conversion.accounted) == [segment.number for segment in message.segments]


def test_each_hospital_has_cases():
    assert {path.stem.partition("_")[0] for path in ACCEPTED} == set(HOSPITALS)
