"""Letters from the clinic: held until signed and in use, then there; replaced, cancelled, late."""

from base64 import b64decode
from dataclasses import replace

import pytest

from adapters.intake.feeds import LOOPBACK
from fhir_server.notices import notices
from tests.adapters.intake.ward import ALAN, BRIAN, Tree, Ward

# What is tested here is the rules; that both engines file alike is tested with results.
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

T1, T2, T3 = "20261124050000", "20261124060000", "20261124070000"


def mdm(
    event: str = "T02",
    *,
    control_id: str = "L1",
    number: str = "D1",
    parent: str = "",
    sent: str = T1,
    signed: str = "AU",
    available: str = "AV",
    confidential: str = "",
    kind: str = "CN^Clinic letter",
    text: str = "Dear Alan",
    nhs_number: str = ALAN,
) -> str:
    author = "G1^Okafor^Ngozi^^^Dr^^^GMC"
    state = f"{signed}|{confidential}|{available}"
    born = "19550301" if nhs_number == ALAN else "19600101"
    name = "Example^Alan" if nhs_number == ALAN else "Other^Brian"
    return "\r".join(
        [
            f"MSH|^~\\&|EPR|RXX|PORTAL|CMCA|{sent}||MDM^{event}|{control_id}|P|2.5.1",
            f"EVN|{event}|{sent}",
            f"PID|1||{nhs_number}^^^NHS^NH||{name}||{born}|M",
            f"TXA|1|{kind}|TX|20261120||20261123120000|||{author}|||{number}|{parent}||||{state}",
            *([f"OBX|1|TX|B^Letter^L||{text}||||||F"] if text else []),
        ]
    )


def text_of(tree: Tree) -> str:
    (content,) = tree["content"]
    return b64decode(content["attachment"].get("data", "")).decode()


def shown(trees: list[Tree]) -> list[tuple[str, str, str]]:
    """Number, status and text of documents, in the order of their numbers."""
    found = [(one["masterIdentifier"]["value"], one["status"], text_of(one)) for one in trees]
    return sorted(found)


def letters(ward: Ward) -> list[tuple[str, str, str]]:
    """What the patient has."""
    return shown(ward.seen("DocumentReference"))


def known(ward: Ward) -> list[tuple[str, str, str]]:
    """What a clinician has."""
    return shown(ward.known("DocumentReference"))


def test_a_signed_letter_in_use_is_the_patient_s_at_once_with_a_note(ward: Ward) -> None:
    assert ward.send(mdm()).code == "AA"
    assert letters(ward) == [("D1", "current", "Dear Alan")]
    (letter,) = ward.seen("DocumentReference")
    (note,) = ward.seen("Communication")
    sent = note.pop("sent")
    assert sent <= note.pop("meta")["lastUpdated"]
    assert note == {
        "resourceType": "Communication",
        "id": note["id"],
        "status": "completed",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/communication-category",
                        "code": "notification",
                    }
                ]
            }
        ],
        "subject": {"reference": f"Patient/{ward.patient()}"},
        "about": [{"reference": f"DocumentReference/{letter['id']}"}],
        "sender": letter["custodian"],
        "recipient": [{"reference": f"Patient/{ward.patient()}"}],
        "payload": [
            {"contentString": "There is a new letter for you. You can read it under Letters."}
        ],
    }
    (told,) = ward.seen("Provenance")
    assert told["target"] == [{"reference": f"DocumentReference/{letter['id']}"}]


@pytest.mark.parametrize(
    "waits",
    [
        {"signed": "DO"},
        {"signed": ""},
        {"available": "UN"},
        {"available": ""},
        {"confidential": "R"},
        {"confidential": "?"},
        {"kind": "PC^Psychiatric consultation"},
        {"kind": "SP^Surgical pathology"},
        {"kind": "DI^Diagnostic imaging"},
        {"event": "T01", "text": ""},
    ],
)
def test_what_waits_is_nowhere_for_the_patient_and_there_for_a_clinician(
    ward: Ward, waits: dict[str, str]
) -> None:
    assert ward.send(mdm(**waits)).code == "AA"
    for kind in ("DocumentReference", "Communication", "Provenance"):
        assert ward.seen(kind) == []
    (letter,) = ward.known("DocumentReference")
    assert ward.versions(ward.as_patient(), letter) == []
    assert len(ward.versions(ward.as_clinician(), letter)) == 1


def test_a_letter_that_waits_for_a_date_is_announced_without_a_word_of_it(ward: Ward) -> None:
    ward.send(mdm(kind="SP^Surgical pathology"))
    found = notices(ward.record, ward.as_patient(), ward.patient()).result(timeout=30)
    assert [(one.title, one.category) for one in found] == [("A letter", "histology")]
    ward.send(mdm("T11", control_id="L2", sent=T2, text=""))
    assert notices(ward.record, ward.as_patient(), ward.patient()).result(timeout=30) == ()


@pytest.mark.parametrize("event", ["T03", "T04", "T08"])
def test_a_letter_opens_when_it_is_signed(ward: Ward, event: str) -> None:
    ward.send(mdm(signed="DO"))
    assert letters(ward) == []
    ward.send(mdm(event, control_id="L2", sent=T2, text="" if event == "T03" else "Dear Alan"))
    assert letters(ward) == [("D1", "current", "Dear Alan")]
    assert len(ward.seen("Communication")) == 1


def test_a_signed_letter_does_not_go_back_to_a_draft(ward: Ward) -> None:
    ward.send(mdm())
    ward.send(mdm("T08", control_id="L2", sent=T2, signed="IP", text="Draft"))
    assert letters(ward) == [("D1", "current", "Dear Alan")]
    assert ward.flags("L2") == ["status-backwards MSH.7"]


def test_an_edit_is_a_new_version_and_an_older_one_is_not_applied(ward: Ward) -> None:
    ward.send(mdm("T08", control_id="L2", sent=T2, text="Dear Mr Alan"))
    assert ward.send(mdm(control_id="L1", sent=T1)).code == "AA"
    assert letters(ward) == [("D1", "current", "Dear Mr Alan")]
    assert ward.flags("L1") == ["version-older MSH.7"]
    ward.send(mdm("T08", control_id="L3", sent=T3, text="Dear Alan Example"))
    (letter,) = ward.seen("DocumentReference")
    assert [text_of(one) for one in ward.versions(ward.as_patient(), letter)] == [
        *("Dear Alan Example", "Dear Mr Alan")
    ]
    earlier = {"reference": f"DocumentReference/{letter['id']}/_history/1"}
    entities = [one["entity"][1:] for one in ward.seen("Provenance")]
    assert {"role": "revision", "what": earlier} in [one for told in entities for one in told]


def test_the_same_letter_again_changes_nothing(ward: Ward) -> None:
    ward.send(mdm())
    before = ward.seen("DocumentReference"), ward.seen("Communication")
    assert ward.send(mdm()).code == "AA"
    assert ward.send(mdm(control_id="L2")).code == "AA"
    assert (ward.seen("DocumentReference"), ward.seen("Communication")) == before


def test_a_replacement_marks_what_it_replaces(ward: Ward) -> None:
    ward.send(mdm())
    ward.send(mdm("T10", control_id="L2", number="D2", parent="D1", sent=T2, text="Better"))
    assert letters(ward) == [("D1", "superseded", "Dear Alan"), ("D2", "current", "Better")]
    old, new = sorted(ward.seen("DocumentReference"), key=lambda one: one["status"], reverse=True)
    assert new["relatesTo"] == [
        {
            "code": "replaces",
            "target": {
                "reference": f"DocumentReference/{old['id']}",
                "identifier": {"value": "D1"},
            },
        }
    ]


def test_a_replacement_that_is_not_signed_yet_is_hidden_and_the_old_one_is_marked(
    ward: Ward,
) -> None:
    ward.send(mdm())
    ward.send(mdm("T10", control_id="L2", number="D2", parent="D1", sent=T2, signed="DO"))
    assert letters(ward) == [("D1", "superseded", "Dear Alan")]
    ward.send(mdm("T03", control_id="L3", number="D2", sent=T3, text=""))
    (new,) = [one for one in ward.seen("DocumentReference") if one["status"] == "current"]
    assert new["relatesTo"][0]["code"] == "replaces"


def test_what_was_replaced_before_it_came_is_not_shown(ward: Ward) -> None:
    ward.send(mdm("T10", control_id="L2", number="D2", parent="D1", sent=T2, text="Better"))
    assert ward.flags("L2") == ["parent-unseen TXA.13"]
    (letter,) = ward.seen("DocumentReference")
    assert letter["relatesTo"] == [{"code": "replaces", "target": {"identifier": {"value": "D1"}}}]
    assert ward.send(mdm(sent=T1)).code == "AA"
    assert letters(ward) == known(ward) == [("D2", "current", "Better")]
    assert ward.flags("L1") == ["version-older MSH.7"]


def test_an_addendum_stands_beside_its_letter(ward: Ward) -> None:
    ward.send(mdm())
    ward.send(mdm("T06", control_id="L2", number="D2", parent="D1", sent=T2, text="P.S."))
    assert letters(ward) == [("D1", "current", "Dear Alan"), ("D2", "current", "P.S.")]


def test_what_is_cancelled_is_gone_for_the_patient_and_an_error_for_a_clinician(
    ward: Ward,
) -> None:
    ward.send(mdm())
    (letter,) = ward.seen("DocumentReference")
    assert ward.send(mdm("T11", control_id="L2", sent=T2, text="")).code == "AA"
    assert (letters(ward), ward.seen("Communication")) == ([], [])
    assert ward.versions(ward.as_patient(), letter) == []
    assert known(ward) == [("D1", "entered-in-error", "")]
    earlier = ward.versions(ward.as_clinician(), letter)
    assert [text_of(one) for one in earlier] == ["", "Dear Alan"]


def test_a_cancellation_that_comes_first_holds(ward: Ward) -> None:
    ward.send(mdm("T11", control_id="L2", sent=T2, text=""))
    assert ward.flags("L2") == ["cancel-unseen TXA.12"]
    ward.send(mdm(sent=T1))
    assert letters(ward) == []


def test_a_letter_that_becomes_obsolete_stays_marked(ward: Ward) -> None:
    ward.send(mdm())
    ward.send(mdm("T03", control_id="L2", sent=T2, available="OB", text=""))
    assert letters(ward) == [("D1", "superseded", "Dear Alan")]
    ward.send(mdm(control_id="L3", number="D3", available="OB"))
    assert len(letters(ward)) == 1


@pytest.mark.parametrize(
    ("other", "address"),
    [
        ({"number": "D1"}, "TXA[1].12"),
        ({"event": "T10", "number": "D2", "parent": "D1"}, "TXA[1].13"),
    ],
)
def test_a_document_number_of_another_patient_waits_for_a_person(
    ward: Ward, other: dict[str, str], address: str
) -> None:
    ward.send(mdm())
    answer = ward.send(mdm(control_id="L2", nhs_number=BRIAN, **other))
    assert (answer.code, answer.hl7, answer.name) == ("AE", "205", "document-other-patient")
    assert ward.fate("L2") == ("quarantined", "document-other-patient", address.replace("[1]", ""))
    assert letters(ward) == [("D1", "current", "Dear Alan")]
    assert ward.seen("DocumentReference", BRIAN) == []


def test_a_backload_brings_letters_without_notes(ward: Ward) -> None:
    ward.send(mdm(), replace(LOOPBACK, name="history", backload=True))
    assert letters(ward) == [("D1", "current", "Dear Alan")]
    assert ward.seen("Communication") == []


def test_a_letter_is_found_by_its_numbers_and_stands_on_the_ledger(ward: Ward) -> None:
    ward.send(mdm())
    (entry,) = [one for one in ward.ledger() if one["subtype"][0]["code"] == "message-filed"]
    named = [one["what"].get("reference", "") for one in entry["entity"] if "what" in one]
    assert any(one.startswith("DocumentReference/") for one in named)
