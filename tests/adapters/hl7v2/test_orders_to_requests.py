"""An order message: one request for each test, what is suspected left out, nothing lost."""

from typing import Any

import pytest

from adapters.hl7v2.conversion import PATIENT, Flag, resolve
from adapters.hl7v2.dialect import STANDARD
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.orders import Orders
from adapters.hl7v2.orders_to_requests import HELD_BACK, convert
from fhir_server.model.ids import derived_id
from fhir_server.model.validate import judge
from tests.adapters.hl7v2.oru_messages import PID, field_of, oru, readable

MSH = r"MSH|^~\&|EPR|NMH|PORTAL|PFH|20260803140507||OML^O21|M1|P|2.5.1"
ORC = "ORC|NW|P1|F1|G1||||1^^^^^S|20260803120000|||G9999991^Okafor^Ngozi^^^Dr^^^GMC"
OBR = "OBR|1|P1|F1|PSA^Prostate specific antigen^L||202608041000||||||||||||||||||CH"
THO = "http://terminology.hl7.org/CodeSystem"


def converted(*segments: str) -> Orders:
    return convert(read(oru(*(segments or (MSH, PID, ORC, OBR)))), STANDARD)


def request(*segments: str) -> Any:
    (group,) = converted(*segments).groups
    return readable(group.service_request.tree)


def test_a_request_says_what_was_asked_by_whom_and_when():
    assert request(MSH, PID, field_of(ORC, 5, "IP"), OBR) == {
        "resourceType": "ServiceRequest",
        "identifier": [
            {"type": {"coding": [{"system": f"{THO}/v2-0203", "code": kind}]}, "value": value}
            for kind, value in (("PLAC", "P1"), ("FILL", "F1"))
        ],
        "status": "active",
        "intent": "order",
        "code": {
            "coding": [
                {
                    "system": "urn:portal-fhir:codes:NMH",
                    "code": "PSA",
                    "display": "Prostate specific antigen",
                }
            ]
        },
        "subject": {"reference": "Patient/named"},
        "requisition": {
            "type": {"coding": [{"system": f"{THO}/v2-0203", "code": "PGN"}]},
            "value": "G1",
        },
        "occurrenceDateTime": "2026-08-04T10:00:00+01:00",
        "authoredOn": "2026-08-03T12:00:00+01:00",
        "requester": {
            "reference": "Practitioner/https://fhir.hl7.org.uk/Id/gmc-number G9999991",
            "display": "Dr Ngozi Okafor",
        },
        "category": [{"coding": [{"system": f"{THO}/v2-0074", "code": "CH"}]}],
        "meta": {"tag": [{"system": f"{THO}/v2-0038", "code": "IP"}]},
    }


def test_what_could_say_what_is_suspected_stays_out():
    obr = field_of(field_of(field_of(OBR, 13, "?relapse"), 31, "C61^Cancer^I10"), 46, "X^Urgent^L")
    tree = request(
        *(MSH, PID, field_of(ORC, 16, "R^Suspicion^L"), obr, "NTE|1||for the MDT"),
        *("DG1|1||C61", "OBX|1|ST|Q^Why^L||pain||||||F"),
    )
    assert not set(HELD_BACK) & tree.keys()
    assert not any(word in str(tree) for word in ("relapse", "C61", "Suspicion", "MDT", "pain"))


def test_the_key_is_that_of_the_result_and_every_resource_is_valid():
    orders = converted(MSH, PID, ORC, OBR, "SPM|1|^S1||BLD", "ORC|NW|P2", "OBR|2|P2||CEA^CEA^L")
    first, second = orders.groups
    assert first.service_request.key == ("ServiceRequest", "NMH", "FILL", "F1", "PSA")
    assert second.service_request.key == ("ServiceRequest", "NMH", "PLAC", "P2", "CEA")
    made = list(orders.all_made())
    ids = {key: derived_id(b"k", *key) for key in (PATIENT, *(one.key for one in made))}
    assert len(ids) == len(made) + 1
    assert [judge(resolve(one.tree, ids))["resourceType"] for one in made] == [
        *("Organization", "Practitioner", "Specimen", "ServiceRequest", "Provenance"),
        *("ServiceRequest", "Provenance"),
    ]


@pytest.mark.parametrize(
    ("taken", "received", "collection"),
    [
        ("202608031300", "", {"collectedDateTime": "2026-08-03T13:00:00+01:00"}),
        ("202608041300", "", None),
        ("20260804", "", None),
        ("202608031300", "202608031330", {"collectedDateTime": "2026-08-03T13:00:00+01:00"}),
    ],
)
def test_a_sample_that_is_still_to_be_taken_has_no_date(taken, received, collection):
    spm = f"SPM|1|^S1||BLD||||||||||?relapse|||{taken}|{received}"
    (group,) = converted(MSH, PID, ORC, field_of(OBR, 7, "202608031200"), spm).groups
    (specimen,) = group.specimens
    assert specimen.tree.get("collection") == collection
    assert ("receivedTime" in specimen.tree) == bool(received)
    assert "note" not in specimen.tree


def test_an_earlier_result_that_comes_along_is_no_order():
    orders = converted(MSH, PID, ORC, OBR, "ORC|PR|P0|F0", "OBR|2|P0|F0|PSA^PSA^L", "OBX|1|NM|X||7")
    assert [group.filler_number for group in orders.groups] == ["F1"]
    earlier = "kept raw: an earlier result, sent along with the order"
    told = "kept raw: told to the laboratory with the order, for staff only"
    assert [orders.accounted[number] for number in (5, 6, 7)] == [earlier, earlier, told]


def test_every_segment_is_accounted_for():
    orders = converted(
        *(MSH, PID, "PV1|1|O|||||||||||||||||V1^^^NMH^VN", "AL1|1", ORC, "TQ1|1||||||||R", OBR),
        *("NTE|1||why", "TQ1|2", "DG1|1", "OBX|1|ST|Q||x", "SPM|1|^S1||BLD", "NTE|1||cold"),
    )
    assert orders.groups[0].service_request.tree["priority"] == "routine"
    assert orders.accounted == {
        1: "filed in Provenance",
        2: "filed in Patient",
        3: "filed in the reference to the visit",
        4: "kept raw: not mapped",
        5: "filed in ServiceRequest 1",
        6: "filed in ServiceRequest 1",
        7: "filed in ServiceRequest 1",
        8: "kept raw: a comment on the order, for staff only",
        9: "filed in ServiceRequest 1",
        10: "kept raw: not mapped",
        11: "kept raw: told to the laboratory with the order, for staff only",
        12: "filed in Specimen 1",
        13: "filed in Specimen 1",
    }


def test_a_missing_control_code_is_told():
    assert (
        Flag("order-control-missing", "ORC[1].1")
        in converted(MSH, PID, field_of(ORC, 1, ""), OBR).flags
    )
    orders = converted(MSH, PID, OBR)
    assert Flag("order-control-missing", "ORC.1") in orders.flags
    assert orders.groups[0].status == ""


@pytest.mark.parametrize(
    ("segments", "told"),
    [
        ((MSH, ORC, OBR), (100, "message-empty", "PID")),
        ((MSH, PID), (100, "message-empty", "OBR")),
        ((MSH, PID, ORC), (100, "message-empty", "OBR")),
        ((MSH, PID, "ORC|NW|P1", "RXO|1"), (100, "order-not-a-test", "RXO[1]")),
        ((MSH, PID, "ORC|PR|P1", OBR), (100, "message-empty", "OBR[1]")),
        ((MSH, PID, "ORC|NW", "OBR|1|||PSA^PSA^L"), (101, "order-number-missing", "OBR[1].3")),
        ((MSH, PID, ORC, field_of(OBR, 4, "")), (101, "test-missing", "OBR[1].4")),
        ((field_of(MSH, 7, ""), PID, ORC, OBR), (101, "date-missing", "MSH.7")),
    ],
)
def test_what_is_no_sound_order_is_refused_with_the_field(segments, told):
    with pytest.raises(Refused) as caught:
        converted(*segments)
    refused = caught.value
    assert (refused.ack, refused.hl7_code, refused.code, refused.field) == ("AE", *told)
