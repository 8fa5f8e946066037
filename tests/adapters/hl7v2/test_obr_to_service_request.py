"""The request: what was asked, by whom, and how it stands."""

import pytest

from tests.adapters.hl7v2.oru_messages import (
    MSH,
    OBR,
    OBX,
    ORC,
    PID,
    converted,
    field_of,
    readable,
)

OKAFOR = "G9999991^Okafor^Ngozi^^^Dr^^^GMC"


def conversion_of(orc=ORC, obr=OBR, *more):
    segments = (MSH, PID, *([orc] if orc else []), obr, *more, OBX)
    return converted(*segments)


def request(orc=ORC, obr=OBR, *more):
    return readable(conversion_of(orc, obr, *more).groups[0].service_request.tree)


@pytest.mark.parametrize(
    ("control", "status", "report", "meant"),
    [
        ("RE", "", "F", "completed"),
        ("RE", "", "C", "completed"),
        ("RE", "", "P", "active"),
        ("", "", "F", "completed"),
        ("NW", "", "F", "active"),
        ("CA", "", "F", "revoked"),
        ("HD", "", "P", "active"),
        ("HR", "", "P", "on-hold"),
        ("RE", "CM", "P", "completed"),
        ("NW", "CA", "F", "revoked"),
        ("RE", "XX", "F", "completed"),
    ],
)
def test_a_request_stands_as_the_order_says_else_as_its_report(control, status, report, meant):
    orc = field_of(field_of(ORC, 1, control), 5, status)
    assert request(orc, field_of(OBR, 25, report))["status"] == meant


@pytest.mark.parametrize(
    ("orc", "obr", "priority"),
    [
        (ORC, field_of(OBR, 5, "S"), "stat"),
        (ORC, field_of(OBR, 5, "U"), "urgent"),
        (ORC, field_of(OBR, 27, "1^^^^^A"), "asap"),
        (field_of(ORC, 7, "1^^^^^R"), OBR, "routine"),
        (ORC, field_of(OBR, 5, "PRN"), None),
    ],
)
def test_the_priority_is_found_in_any_versions_place(orc, obr, priority):
    assert request(orc, obr).get("priority") == priority


def test_timing_segments_say_priority_and_when():
    tree = request(ORC, OBR, "TQ1|1||||||20260804||S")
    assert (tree["priority"], tree["occurrenceDateTime"]) == ("stat", "2026-08-04")


@pytest.mark.parametrize(
    ("orc", "obr"),
    [
        (field_of(ORC, 12, OKAFOR), OBR),
        (ORC, field_of(OBR, 16, OKAFOR)),
        (None, field_of(OBR, 16, OKAFOR)),
    ],
)
def test_the_requester_is_in_orc_or_obr(orc, obr):
    assert request(orc, obr)["requester"] == {
        "reference": "Practitioner/https://fhir.hl7.org.uk/Id/gmc-number G9999991",
        "display": "Dr Ngozi Okafor",
    }


CALL_BACK = "http://hl7.org/fhir/StructureDefinition/servicerequest-order-callback-phone-number"


def test_who_asked_for_which_organisation_is_a_role_and_whom_to_call_stands_with_the_order():
    orc = ORC
    for number, sent in (
        (12, OKAFOR),
        (14, "01632960005"),
        (21, "Oncology^^^^^^^^^ONC"),
        (22, "3 High St^^Town"),
        (23, "01632960006"),
        (24, "4 High St^^Town"),
    ):
        orc = field_of(orc, number, sent)
    conversion = conversion_of(orc, field_of(OBR, 17, "01632960005"))
    made = {made.key[0]: made.tree for made in conversion.practitioners}
    phone = {"system": "phone", "value": "01632960005"}
    asked = conversion.groups[0].service_request.tree
    assert asked["extension"] == [{"url": CALL_BACK, "valueContactPoint": phone}]
    assert "telecom" not in made["PractitionerRole"]
    assert made["PractitionerRole"]["organization"]["display"] == "Oncology"
    assert made["Practitioner"]["address"] == [{"line": ["4 High St"], "city": "Town"}]
    oncology = next(m.tree for m in conversion.organizations if m.tree.get("name") == "Oncology")
    assert oncology["address"] == [{"line": ["3 High St"], "city": "Town"}]
    assert oncology["telecom"] == [{"system": "phone", "value": "01632960006", "use": "work"}]


def test_a_number_of_an_organisation_without_a_name_and_an_address_to_call_are_those_of_the_role():
    orc = field_of(field_of(ORC, 12, OKAFOR), 14, "a@example.org")
    conversion = conversion_of(field_of(orc, 23, "01632960006"), OBR)
    made = {made.key[0]: made.tree for made in conversion.practitioners}
    assert made["PractitionerRole"]["telecom"] == [
        {"system": "email", "value": "a@example.org"},
        {"system": "phone", "value": "01632960006", "use": "work"},
    ]
    assert "extension" not in conversion.groups[0].service_request.tree


def test_a_new_order_was_authored_when_it_was_placed():
    orc = field_of(field_of(ORC, 1, "NW"), 9, "20260802")
    assert request(orc)["authoredOn"] == "2026-08-02"
    assert "authoredOn" not in request(field_of(orc, 1, "RE"))


def test_reasons_details_and_alternate_numbers_are_kept():
    obr = field_of(field_of(field_of(OBR, 31, "^Follow-up"), 46, "^Fast"), 53, "A2^^^ALT")
    tree = request(field_of(field_of(ORC, 33, "A1^^^ALT"), 38, "FG1"), obr)
    assert tree["reasonCode"] == [{"text": "Follow-up"}]
    assert tree["orderDetail"] == [{"text": "Fast"}]
    assert [
        (identifier["type"]["coding"][0]["code"], identifier["value"])
        for identifier in tree["identifier"]
    ] == [("PLAC", "P1"), ("FILL", "F1"), ("PLAC", "A2"), ("PLAC", "A1"), ("FGN", "FG1")]


def test_a_reflex_order_names_the_order_that_caused_it():
    tree = request(ORC, field_of(field_of(OBR, 11, "G"), 29, "P0^F0"))
    assert tree["intent"] == "reflex-order"
    assert tree["basedOn"][0]["identifier"]["value"] == "F0"


def test_dates_of_the_specimen_are_no_dates_of_the_order():
    assert not {"occurrenceDateTime", "authoredOn"} & request().keys()


@pytest.mark.parametrize("sent", ["QST", "SCI"])
def test_what_was_asked_with_the_order_belongs_to_the_request_and_not_the_report(sent):
    answer = field_of(field_of(OBX, 3, "PREG^Pregnant^L"), 29, sent)
    group = conversion_of(ORC, OBR, answer).groups[0]
    assert len(group.service_request.tree["supportingInfo"]) == 1
    assert len(group.report.tree["result"]) == 1
    assert len(group.observations) == 2
