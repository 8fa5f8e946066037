"""Isolates and their susceptibilities hang together."""

import pytest

from adapters.hl7v2.conversion import Flag
from tests.adapters.hl7v2.oru_messages import MSH, OBR, ORC, PID, converted, field_of

CULTURE = field_of(field_of(field_of(OBR, 3, "F1"), 4, "CULT^Culture^L"), 24, "MB")
SENSITIVITY = field_of(field_of(field_of(OBR, 3, "F2"), 4, "SENS^Susceptibility^L"), 24, "MB")


def isolate(sub_id, name="ECOLI"):
    return f"OBX|1|CE|ORG^Organism^L|{sub_id}|{name}^{name}^L||||||F"


def drug(sub_id, code="AMOX"):
    return f"OBX|2|ST|{code}^{code}^L|{sub_id}|R||||||F"


def members(conversion):
    """Each parent's code and OBX-4, with those of its members."""
    found = {}
    for group in conversion.groups:
        for made in group.observations:
            links = made.tree.get("hasMember", ())
            if links:
                found[made.key[-5], made.key[-3]] = [
                    (link["reference"].key[-5], link["reference"].key[-3]) for link in links
                ]
    return found


def child(obr_26, obr_29):
    return field_of(field_of(SENSITIVITY, 26, obr_26), 29, obr_29)


def test_a_group_that_names_its_parent_hangs_below_that_result():
    conversion = converted(
        MSH, PID, ORC, CULTURE, isolate(1), isolate(2, "STAPH"),
        ORC, child("ORG&Organism&L^2", "P1^F1"), drug(1), drug(1, "TRIM"),
    )  # fmt: skip
    assert members(conversion) == {("ORG", "2"): [("AMOX", "1"), ("TRIM", "1")]}
    assert conversion.flags == ()


@pytest.mark.parametrize(
    ("obr_26", "obr_29", "address"),
    [
        ("ORG&Organism&L^9", "P1^F1", "OBR[2].26"),
        ("ORG&Organism&L^1", "^F9", "OBR[2].26"),
        ("", "P1^F1", "OBR[2].29"),
    ],
)
def test_a_parent_that_is_not_in_the_message_is_flagged(obr_26, obr_29, address):
    conversion = converted(MSH, PID, ORC, CULTURE, isolate(1), ORC, child(obr_26, obr_29), drug(1))
    assert members(conversion) == {}
    assert conversion.flags == (Flag("parent-unseen", address),)


def test_within_one_report_results_of_one_isolate_hang_below_it():
    conversion = converted(
        MSH, PID, ORC, CULTURE, isolate(1), drug(1), drug(1, "TRIM"), isolate(2, "STAPH"), drug(2)
    )
    assert members(conversion) == {
        ("ORG", "1"): [("AMOX", "1"), ("TRIM", "1")],
        ("ORG", "2"): [("AMOX", "2")],
    }


def test_outside_microbiology_obx_4_groups_nothing():
    conversion = converted(
        MSH, PID, ORC, field_of(CULTURE, 24, "CH"), isolate(1), drug(1), drug(1, "TRIM")
    )
    assert members(conversion) == {}
