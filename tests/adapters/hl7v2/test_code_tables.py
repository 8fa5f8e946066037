"""The tables hold only codes that FHIR knows, and every status has one meaning."""

import pytest

from adapters.hl7v2 import code_tables as tables
from adapters.hl7v2.er7 import Refused
from tests.adapters.hl7v2.oru_messages import (
    MSH,
    OBR,
    OBX,
    ORC,
    PID,
    converted,
    field_of,
    observations,
)

OBSERVATION = frozenset(
    [
        "registered",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "cancelled",
        "entered-in-error",
        "unknown",
    ]
)
REPORT = frozenset(
    [
        "registered",
        "partial",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "appended",
        "cancelled",
        "entered-in-error",
        "unknown",
    ]
)
REQUEST = frozenset(
    ["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"]
)


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (tables.OBSERVATION_STATUS, OBSERVATION),
        (tables.REPORT_STATUS, REPORT),
        (tables.ORDER_STATUS, REQUEST),
        (tables.ORDER_CONTROL, REQUEST),
        (tables.GENDER, {"male", "female", "other", "unknown"}),
        (tables.PRIORITY, {"routine", "urgent", "asap", "stat"}),
        (
            tables.NAME_USE,
            {"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"},
        ),
        (tables.ADDRESS_USE, {"home", "work", "temp", "old", "billing"}),
        (tables.ADDRESS_TYPE, {"postal", "physical", "both"}),
        (tables.TELECOM_USE, {"home", "work", "temp", "old", "mobile"}),
        (tables.TELECOM_SYSTEM, {"phone", "fax", "email", "pager", "url", "sms", "other"}),
        (
            tables.SPECIMEN_STATUS,
            {"available", "unavailable", "unsatisfactory", "entered-in-error"},
        ),
        (
            tables.ABSENT_BY_STATUS,
            {"unknown", "temp-unknown", "not-asked", "not-performed", "error"},
        ),
    ],
)
def test_a_table_leads_only_to_codes_that_fhir_knows(table, codes):
    assert set(table.values()) <= set(codes)


@pytest.mark.parametrize("sent", sorted(tables.OBSERVATION_STATUS))
def test_each_result_status_has_one_meaning(sent):
    result = field_of(OBX, 11, sent)
    conversion = converted(MSH, PID, ORC, OBR, result)
    (tree,) = observations(conversion)
    assert tree["status"] == tables.OBSERVATION_STATUS[sent]
    assert ("valueQuantity" in tree) == (sent not in tables.WITHDRAWN)


@pytest.mark.parametrize("sent", sorted(tables.REPORT_STATUS))
def test_each_report_status_has_one_meaning(sent):
    conversion = converted(MSH, PID, ORC, field_of(OBR, 25, sent), OBX)
    assert conversion.groups[0].status == tables.REPORT_STATUS[sent]


@pytest.mark.parametrize("sent", ["Y", "Z", "Q", "final", "HM"])
def test_a_report_status_of_no_meaning_refuses_the_message(sent):
    with pytest.raises(Refused) as caught:
        converted(MSH, PID, ORC, field_of(OBR, 25, sent), OBX)
    assert (caught.value.hl7_code, caught.value.code, caught.value.field) == (
        103,
        "status-unknown",
        "OBR[1].25",
    )


@pytest.mark.parametrize("sent", sorted(tables.GENDER))
def test_each_administrative_sex_has_one_meaning(sent):
    conversion = converted(MSH, field_of(PID, 8, sent), ORC, OBR, OBX)
    assert conversion.person.gender == tables.GENDER[sent]


@pytest.mark.parametrize(("code", "display"), sorted(tables.INTERPRETATION.items()))
def test_each_abnormal_flag_is_the_same_code_with_its_meaning(code, display):
    (tree,) = observations(converted(MSH, PID, ORC, OBR, field_of(OBX, 8, code)))
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
    coding = {"system": system, "code": code, "display": display}
    assert tree["interpretation"] == [{"coding": [coding]}]


@pytest.mark.parametrize("sent", ["*", "**", "Y", "ABN", "+", "AC", "HM", "OBX", "QCF", "TOX"])
def test_a_flag_that_fhir_does_not_know_stays_as_text(sent):
    (tree,) = observations(converted(MSH, PID, ORC, OBR, field_of(OBX, 8, sent)))
    assert tree["interpretation"] == [{"text": sent}]


def test_a_flag_of_the_senders_own_keeps_its_name_and_its_system():
    (tree,) = observations(converted(MSH, PID, ORC, OBR, field_of(OBX, 8, "ABN^Abnormal")))
    own = {"system": "urn:portal-fhir:codes:NMH", "code": "ABN", "display": "Abnormal"}
    assert tree["interpretation"] == [{"coding": [own]}]


def test_psychiatric_and_hiv_labels_are_codes_of_act_code():
    system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    assert {tables.SECURITY[code][0] for code in ("PSY", "HIV", "AID", "EMP", "ETH")} == {system}
