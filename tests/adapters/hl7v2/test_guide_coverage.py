"""Every field that the HL7 "Version 2 to FHIR" guide maps changes what a message becomes, or is
left out for a reason that is written down.

The guide's fields come from its own sheets; whether a field changes anything is seen by taking it
out of a message in which all are valued.
"""

import csv
import re
from pathlib import Path

import pytest

from adapters.hl7v2.conversion import Conversion
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.oru_to_resources import convert
from adapters.hl7v2.unmapped_fields import UNMAPPED, reason
from tests.adapters.hl7v2.full_message import FULL, message

SHEETS = Path(__file__).resolve().parents[3] / "../shared/corpus/v2-to-fhir-maps/segments"
OF_RESULTS = frozenset(
    {
        "MSH",
        "SFT",
        "PID",
        "PD1",
        "NK1",
        "PV1",
        "PV2",
        "ORC",
        "OBR",
        "OBX",
        "NTE",
        "SPM",
        "TQ1",
        "PRT",
    }
)
OTHER_TARGETS = ("Immunization", "Medication", "DocumentReference", "Appointment", "CareTeam")
# A field that says the same as another is seen only where the other is silent.
SILENCED: dict[str, tuple[str, ...]] = {
    "MSH-4": ("MSH-22",),
    "MSH-17": ("MSH-22",),
    "MSH-7": ("OBR-22",),
    "MSH-26": ("ORC-28", "MSH-27"),
    "MSH-27": ("ORC-28", "MSH-26"),
    "PID-24": ("PID-25",),
    "PID-30": ("PID-29",),
    "ORC-2": ("OBR-2",),
    "ORC-3": ("OBR-3",),
    "ORC-7": ("OBR-27",),
    "OBR-2": ("ORC-2",),
    "OBR-3": ("ORC-3",),
    "OBR-9": ("SPM",),
    "OBR-14": ("SPM",),
    "OBR-15": ("SPM",),
    "OBR-16": ("ORC-12",),
    "OBR-27": ("ORC-7",),
    "SPM-20": ("SPM-21",),
    "TQ1-7": ("OBR-6",),
}
GIVEN: dict[str, dict[str, str]] = {
    # Fields that stay empty in the full message, because they silence another.
    "OBR-5": {"OBR-5": "A"},
    "OBR-6": {"OBR-6": "20260805"},
    "TQ1-9": {"TQ1-9": "A"},
    "ORC-5": {"ORC-5": "HD"},
    "PID-35": {"PID-35": "DOG"},
    # Two specimens, so that OBX-33 has something to tell apart.
    "OBX-33": {"SPM again": "S2"},
}


def outcome(change: dict[str, str]) -> Conversion | str:
    try:
        return convert(read(message(change)), Dialect())
    except Refused as refused:
        return refused.code


def changes_something(field: str) -> bool:
    """Tell whether *field* makes a difference to what the full message becomes."""
    if field[:3] not in FULL:
        return False
    around = dict.fromkeys(SILENCED.get(field, ()), "") | GIVEN.get(field, {})
    return outcome(around) != outcome(around | {field: ""})


def guide_fields() -> list[str]:
    """The fields to which the guide's sheets for a result message give a target."""
    found = set()
    for path in SHEETS.glob("*.csv"):
        sheet = re.search(r"R4_ (\w+)\[(.+?)\]", path.name)
        if not sheet or sheet[1] not in OF_RESULTS:
            continue
        if any(target in sheet[2] for target in OTHER_TARGETS):
            continue
        with path.open(encoding="utf8") as lines:
            for row in csv.reader(lines):
                field = re.fullmatch(rf"({sheet[1]}-\d+)[.\d]*", row[1].strip() if row[1:] else "")
                if field and len(row) > 9 and row[9].strip():
                    found.add(field[1])
    return sorted(found, key=lambda field: (field[:3], int(field[4:])))


FIELDS = guide_fields()
if not FIELDS:
    pytest.skip("the guide's sheets are not present", allow_module_level=True)


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_the_guide_changes_something_or_is_left_out_for_a_reason(field):
    name, _, number = field.partition("-")
    assert changes_something(field) != bool(reason(name, int(number)))


def test_every_reason_is_for_a_field_of_the_guide():
    of_guide = {*FIELDS, *(field[:3] for field in FIELDS)}
    unneeded = {field for field in UNMAPPED if field not in of_guide}
    # PV1 has reasons for all of its fields, mapped by the guide or not.
    assert {field for field in unneeded if not field.startswith("PV1-")} == set()


def test_most_fields_of_the_guide_for_results_are_mapped():
    names = ("PID", "PD1", "ORC", "OBR", "OBX", "NTE", "SPM")
    fields = [field for field in FIELDS if field[:3] in names]
    mapped = [field for field in fields if not reason(field[:3], int(field[4:]))]
    assert len(mapped) >= 0.9 * len(fields)
