"""A clinic letter in a message: which document it is, how far it has come, what it says."""

from base64 import b64encode

import pytest

from adapters.hl7v2.conversion import PATIENT, Flag, resolve
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Refused
from fhir_server.model.ids import derived_id
from fhir_server.model.validate import judge
from tests.adapters.hl7v2.mdm_messages import OBX, PID, TXA, converted, msh, texts
from tests.adapters.hl7v2.oru_messages import field_of, readable

THO = "http://terminology.hl7.org/CodeSystem"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def refusal(*segments, dialect=None):
    with pytest.raises(Refused) as caught:
        converted(*segments, dialect=dialect or Dialect())
    return caught.value.ack, caught.value.hl7_code, caught.value.code, caught.value.field


def test_a_letter_keeps_who_wrote_it_when_and_about_which_order():
    letter = converted()
    tree = readable(letter.document.tree)
    content = tree.pop("content")
    assert tree == {
        "resourceType": "DocumentReference",
        "masterIdentifier": {"value": "D1"},
        "status": "current",
        "subject": {"reference": "Patient/named"},
        "docStatus": "final",
        "identifier": [{"value": "letter.txt"}],
        "type": {
            "coding": [
                {
                    "system": "urn:portal-fhir:codes:NMH",
                    "code": "CN",
                    "display": "Clinic letter",
                }
            ]
        },
        "date": "2026-08-03T14:00:00+01:00",
        "author": [
            {
                "reference": "Practitioner/https://fhir.hl7.org.uk/Id/gmc-number G9999991",
                "display": "Dr Ngozi Okafor",
            }
        ],
        "custodian": {"reference": "Organization/sender NMH", "display": "NMH"},
        "securityLabel": [{"coding": [{"system": f"{THO}/v2-0272", "code": "U"}]}],
        "meta": {"security": [{"system": f"{THO}/v2-0272", "code": "U"}]},
        "context": {
            "period": {"start": "2026-08-03T10:00:00+01:00"},
            "related": [
                {
                    "type": "ServiceRequest",
                    "identifier": {
                        "type": {"coding": [{"system": f"{THO}/v2-0203", "code": kind}]},
                        "value": value,
                    },
                }
                for kind, value in (("PLAC", "P1"), ("FILL", "F1"))
            ],
        },
    }
    assert [one["attachment"]["contentType"] for one in content] == ["text/plain; charset=utf-8"]
    assert texts(letter) == ["Dear Mr Ashdown"]
    facts = (letter.number, letter.doc_status, letter.is_available, letter.holds, letter.flags)
    assert facts == ("D1", "final", True, (), ())


def test_every_resource_of_a_letter_is_one_that_the_record_takes():
    letter = converted(msh("T10"), PID, field_of(TXA, 13, "D0"), OBX)
    keys = [one.key for one in letter.all_made()]
    ids = {key: derived_id(b"k", *key) for key in (PATIENT, *keys, *letter.named())}
    kinds = [judge(resolve(one.tree, ids))["resourceType"] for one in letter.all_made()]
    assert kinds == ["Organization", "Practitioner", "DocumentReference", "Provenance"]


def test_lines_of_one_text_keep_their_columns_and_other_codes_are_texts_of_their_own():
    letter = converted(
        msh(),
        PID,
        TXA,
        "OBX|1|TX|BODY^Letter^L||Dose   20 mg~||||||F",
        r"OBX|2|FT|BODY^Letter^L||  twice\.br\  daily||||||F",
        "OBX|3|TX|PLAN^Plan^L||See you in May||||||F",
        "NTE|1||Typed from a tape",
    )
    assert texts(letter) == [
        "Dose   20 mg\n\n  twice\n  daily",
        "See you in May",
        "Typed from a tape",
    ]
    titles = [one["attachment"]["title"] for one in letter.document.tree["content"]]
    assert titles == ["Letter", "Plan", "Comment"]


def test_a_file_is_what_its_bytes_are():
    pdf = f"OBX|1|ED|BODY^Letter^L||^application^msword^Base64^{b64encode(PDF).decode()}||||||F"
    letter = converted(msh(), PID, field_of(TXA, 25, "Clinic letter"), pdf)
    (content,) = letter.document.tree["content"]
    assert content["attachment"]["contentType"] == "application/pdf"
    assert content["attachment"]["title"] == letter.title == "Clinic letter"
    script = b64encode(b"<html><script>1</script></html>").decode()
    assert converted(
        msh(), PID, TXA, f"OBX|1|ED|B^L^L||^text^html^Base64^{script}||||||F"
    ).holds == ("document-active",)


@pytest.mark.parametrize(
    ("sent", "doc_status"),
    [("AU", "final"), ("LA", "final"), ("DI", "preliminary"), ("PA", "preliminary"), ("", "")],
)
def test_only_what_somebody_has_authenticated_is_final(sent, doc_status):
    letter = converted(msh(), PID, field_of(TXA, 17, sent), OBX)
    assert letter.doc_status == doc_status
    assert letter.document.tree.get("docStatus", "") == doc_status


@pytest.mark.parametrize(
    ("sent", "status", "is_available"),
    [
        ("AV", "current", True),
        ("UN", "current", False),
        ("", "current", False),
        ("OB", "superseded", False),
        ("CA", "entered-in-error", False),
    ],
)
def test_availability_says_whether_it_stands(sent, status, is_available):
    letter = converted(msh(), PID, field_of(TXA, 19, sent), OBX)
    assert (letter.document.tree["status"], letter.is_available) == (status, is_available)


def test_an_agreement_stands_where_availability_is_left_out():
    dialect = Dialect(document_availability="AV")
    assert converted(msh(), PID, field_of(TXA, 19, ""), OBX, dialect=dialect).is_available
    assert not converted(msh(), PID, field_of(TXA, 19, "UN"), OBX, dialect=dialect).is_available


@pytest.mark.parametrize(("sent", "code"), [("R", "R"), ("V", "V"), ("SECRET", "V")])
def test_a_confidential_letter_waits_and_an_unknown_label_is_very_restricted(sent, code):
    letter = converted(msh(), PID, field_of(TXA, 18, sent), OBX)
    assert letter.holds == ("security-label",)
    label = {"system": f"{THO}/v3-Confidentiality", "code": code}
    assert letter.document.tree["meta"] == {"security": [label]}


@pytest.mark.parametrize(
    ("event", "relation"),
    [("T05", "appends"), ("T06", "appends"), ("T09", "replaces"), ("T10", "replaces")],
)
def test_an_addendum_appends_and_a_replacement_replaces(event, relation):
    letter = converted(msh(event), PID, field_of(TXA, 13, "D0"), OBX)
    assert (letter.relation, letter.parent_number) == (relation, "D0")
    assert list(letter.named()) == [("DocumentReference", "NMH", "D0")]
    assert readable(letter.document.tree)["relatesTo"] == [
        {
            "code": relation,
            "target": {
                "reference": "DocumentReference/NMH D0",
                "identifier": {"value": "D0"},
            },
        }
    ]


def test_a_replacement_without_another_number_is_a_later_version():
    same = converted(msh("T10"), PID, field_of(TXA, 13, "D1"), OBX)
    missing = converted(msh("T10"), PID, TXA, OBX)
    assert (same.relation, missing.relation) == ("", "")
    assert Flag("parent-missing", "TXA[1].13") in missing.flags
    assert same.document.key == missing.document.key == converted().document.key


def test_the_parent_of_an_original_is_named_and_nothing_more():
    letter = converted(msh(), PID, field_of(TXA, 13, "D0"), OBX)
    assert letter.relation == ""
    assert letter.document.tree["context"]["related"][-1] == {
        "type": "DocumentReference",
        "identifier": {"value": "D0"},
    }


def test_an_announcement_has_a_name_and_no_content():
    letter = converted(msh("T01"), PID, TXA)
    assert (texts(letter), letter.has_content) == (["-"], False)
    assert letter.document.tree["content"] == [
        {"attachment": {"title": "Clinic letter", "creation": "2026-08-03T14:00:00+01:00"}}
    ]


@pytest.mark.parametrize("segments", [(msh("T11"), PID, TXA), (msh("T11"), PID, TXA, OBX)])
def test_what_is_cancelled_is_an_error_that_nobody_reads(segments):
    letter = converted(*segments)
    assert letter.is_withdrawn
    assert letter.document.tree["status"] == "entered-in-error"
    assert texts(letter) == ["-"]


def test_what_was_taken_back_or_is_empty_is_left_out_with_a_flag():
    letter = converted(
        msh(), PID, TXA, OBX, "OBX|2|TX|X^X^L||gone||||||W", "OBX|3|TX|Y^Y^L||||||||F"
    )
    assert texts(letter) == ["Dear Mr Ashdown"]
    assert letter.flags == (
        Flag("document-withdrawn", "OBX[2]"),
        Flag("document-empty", "OBX[3].5"),
    )


@pytest.mark.parametrize(
    ("segments", "told"),
    [
        ((msh(), TXA, OBX), (100, "message-empty", "PID")),
        ((msh(), PID), (100, "message-empty", "TXA")),
        ((msh(), PID, OBX, TXA), (100, "segment-order", "OBX[1]")),
        ((msh(), PID, TXA, TXA, OBX), (100, "documents-several", "TXA[2]")),
        ((msh(), PID, PID, TXA, OBX), (100, "patients-several", "PID[2]")),
        ((msh(), PID, field_of(TXA, 12, ""), OBX), (101, "document-number-missing", "TXA[1].12")),
        ((msh(), PID, TXA), (101, "document-missing", "OBX")),
        ((msh(), PID, TXA, "OBX|1|TX|A^A^L"), (101, "document-missing", "OBX[1].5")),
        ((msh(), PID, field_of(TXA, 17, "?"), OBX), (103, "completion-unknown", "TXA[1].17")),
        ((msh(), PID, field_of(TXA, 19, "?"), OBX), (103, "availability-unknown", "TXA[1].19")),
        ((msh(sent=""), PID, TXA, OBX), (101, "date-missing", "MSH.7")),
        (
            (msh(), PID, TXA, "OBX|1|ED|A^A^L||^application^pdf^Base64^JVBERi0xLjQK||||||F"),
            (102, "document-broken", "OBX[1].5"),
        ),
    ],
)
def test_what_is_no_sound_letter_is_refused_with_the_field(segments, told):
    assert refusal(*segments) == ("AE", *told)


def test_every_segment_is_accounted_for():
    letter = converted(
        msh("T10"),
        "SFT|x",
        "EVN|T10|20260803140507",
        PID,
        "PV1|1|O|||||||||||||||||V1^^^NMH^VN",
        "ORC|RE|P2|F2",
        "TQ1|1",
        "OBR|1|P2|F2|MDT^Meeting^L",
        TXA,
        "CON|1",
        OBX,
        "PRT|1",
        "NTE|1||said",
        "NTE|2||more",
    )
    assert letter.accounted == {
        1: "filed in Provenance",
        2: "kept raw: about the sending software",
        3: "kept raw: MSH says the same of the event",
        4: "filed in Patient",
        5: "filed in the reference to the visit",
        6: "filed in the reference to the order",
        7: "kept raw: about the order's time",
        8: "filed in the reference to the order",
        9: "filed in DocumentReference",
        10: "kept raw: a consent is not taken from a document's message",
        11: "filed in the content of DocumentReference",
        12: "kept raw: not mapped",
        13: "filed in the content of DocumentReference",
        14: "filed in the content of DocumentReference",
    }
    assert letter.document.tree["context"]["encounter"][0]["identifier"]["value"] == "V1"
    assert (letter.placer_numbers, letter.filler_numbers) == (("P2", "P1"), ("F2", "F1"))


def test_the_same_message_is_the_same_letter():
    assert converted() == converted()
