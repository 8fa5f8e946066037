"""A hospital's application posts Bundles over a socket, and the patient's application reads."""

from typing import Any

from adapters.intake import registry, replay, tracing, trial
from fhir_server.model.validate import judge
from tests.adapters.fhir_push.bundles import (
    AT,
    BRIAN,
    LOINC,
    THO,
    V2_0074,
    changed,
    header,
    message,
    resources,
    transaction,
)
from tests.adapters.fhir_push.hospital import MERSEY, Hospital, said
from tests.world import OPERATOR

Tree = dict[str, Any]

REPORT, RESULT = f"entry.{AT['report']}.resource", f"entry.{AT['psa']}.resource"


def _path(name: str) -> str:
    return f"entry[{AT[name]}].resource"


def test_a_message_is_filed_and_the_patient_reads_it_with_the_digits_of_the_laboratory(
    hospital: Hospital,
) -> None:
    answer = hospital.post(message())
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert said(answer) == (200, "ok", "", "")
    assert hospital.rows() == [("mersey", "M1", "Bundle^message", "filed", "", "")]
    assert hospital.values() == ["7.30"]
    (report,) = hospital.seen("DiagnosticReport")
    (request,) = hospital.seen("ServiceRequest")
    (specimen,) = hospital.seen("Specimen")
    patient = f"Patient/{hospital.patient()}"
    assert report["basedOn"] == [{"reference": f"ServiceRequest/{request['id']}"}]
    assert report["specimen"] == [{"reference": f"Specimen/{specimen['id']}"}]
    assert report["subject"] == {"reference": patient, "display": "EXAMPLE, Alan"}
    assert report["meta"]["profile"] == [
        "https://fhir.hl7.org.uk/StructureDefinition/UKCore-DiagnosticReport-Lab"
    ]
    assert request["status"] == "completed"
    assert request["requester"]["reference"].startswith("Practitioner/")
    (provenance,) = hospital.seen("Provenance")
    assert provenance["entity"][0]["what"] == {
        "identifier": {"value": "M1"},
        "display": "FHIR message from LIMS",
    }
    assert provenance["agent"][0]["who"]["display"] == "Mersey Pathology"


def test_the_answer_to_a_message_names_it_and_is_valid(hospital: Hospital) -> None:
    answer = judge(hospital.post(message()).content, "Bundle")
    first = answer["entry"][0]["resource"]
    assert first["response"] == {"identifier": "M1", "code": "ok"}
    assert first["eventCoding"] == header()["eventCoding"]
    assert first["destination"] == [{"name": "LIMS", "endpoint": "https://lims.example/fhir"}]
    assert first["source"]["endpoint"] == f"{hospital.base}/$process-message"
    wrong = changed(message(number="M2"), f"{RESULT}.status", "done")
    refused = judge(hospital.post(wrong).content, "Bundle")
    details = refused["entry"][0]["resource"]["response"]["details"]["reference"]
    assert details == refused["entry"][1]["fullUrl"]


def test_a_transaction_is_filed_whole_and_answered_entry_by_entry(hospital: Hospital) -> None:
    answer = hospital.transact(transaction())
    tree = judge(answer.content, "Bundle")
    assert (answer.status_code, tree["type"]) == (200, "transaction-response")
    responses = [one["response"] for one in tree["entry"]]
    assert [one["status"] for one in responses] == ["200 OK"] * 4 + ["201 Created"] * 4
    assert responses[3]["location"] == f"Patient/{hospital.patient()}"
    (result,) = hospital.seen()
    assert responses[7] == {
        "status": "201 Created",
        "location": f"Observation/{result['id']}/_history/1",
        "etag": 'W/"1"',
    }
    assert hospital.rows() == [("mersey", "T1", "Bundle^transaction", "filed", "", "")]


def test_a_patient_who_is_known_and_one_who_is_not_are_answered_alike(hospital: Hospital) -> None:
    first = hospital.transact(transaction()).json()
    again = hospital.transact(transaction(resources(filler="REP-2"), "T2")).json()
    assert first["entry"][:4] == again["entry"][:4]


def test_the_same_bytes_get_the_same_answer_and_change_nothing(hospital: Hospital) -> None:
    for post, sent in ((hospital.post, message()), (hospital.transact, transaction(number="T9"))):
        first, stood = post(sent).content, hospital.known()
        assert post(sent).content == first
        assert hospital.known() == stood
    assert [row[1:4] for row in hospital.rows()] == [
        ("M1", "Bundle^message", "filed"),
        ("T9", "Bundle^transaction", "filed"),
    ]
    assert hospital.row("M1").copies == 1


def test_other_content_under_a_number_that_came_before_is_kept_and_told(hospital: Hospital) -> None:
    hospital.post(message())
    other = hospital.post(message(resources(value="9.9")))
    assert said(other) == (200, "fatal-error", "control-id-reused", "Bundle.identifier")
    hospital.transact(transaction())
    again = hospital.transact(transaction(resources(value="9.9")))
    assert said(again) == (409, "", "control-id-reused", "Bundle.identifier")
    assert hospital.values() == ["7.30"]
    assert [row[3] for row in hospital.rows()] == ["filed", "quarantined"] * 2


def test_a_transaction_without_a_number_is_known_by_its_content(hospital: Hospital) -> None:
    sent = changed(transaction(), "identifier", None)
    assert hospital.transact(sent).content == hospital.transact(sent).content
    ((_, number, _, fate, _, _),) = hospital.rows()
    assert (number[:7], fate) == ("sha256-", "filed")


def test_preliminary_becomes_final_is_corrected_and_what_is_older_changes_nothing(
    hospital: Hospital,
) -> None:
    def send(number: str, value: str, status: str, hour: int) -> tuple[int, str, str, str]:
        issued = f"2026-11-24T{hour:02}:00:00+00:00"
        return said(
            hospital.post(message(resources(value=value, status=status, issued=issued), number))
        )

    assert send("M1", "7.1", "preliminary", 8) == (200, "ok", "", "")
    assert hospital.values() == []
    assert send("M2", "7.2", "final", 9) == (200, "ok", "", "")
    assert hospital.values() == ["7.2"]
    assert send("M3", "7.9", "corrected", 11) == (200, "ok", "", "")
    assert send("M4", "7.2", "final", 10) == (200, "ok", "", "")
    assert hospital.values() == ["7.9"]
    assert hospital.flags("M4") == [f"version-older Bundle.{_path('report')}.issued"]
    (result,) = hospital.seen()
    assert (result["status"], result["meta"]["versionId"]) == ("corrected", "3")


def test_a_transaction_with_an_older_version_says_that_it_was_not_filed(
    hospital: Hospital,
) -> None:
    hospital.transact(transaction())
    late = resources(value="1.0", issued="2026-11-24T07:00:00+00:00")
    responses = [
        one["response"] for one in hospital.transact(transaction(late, "T2")).json()["entry"]
    ]
    assert [one["status"] for one in responses[4:]] == ["202 Accepted"] * 4
    assert "A later version is stored" in responses[7]["outcome"]["issue"][0]["details"]["text"]
    assert hospital.values() == ["7.30"]


def test_a_report_that_is_taken_back_takes_all_its_results_with_it(hospital: Hospital) -> None:
    parts = resources()
    parts["cea"] = changed(parts["psa"], "identifier.0.value", "R-2")
    parts["report"]["result"].append({"reference": "urn:uuid:00636561-0000-4000-8000-000000000000"})
    assert said(hospital.post(message(parts)))[1] == "ok"
    assert hospital.values() == ["7.30", "7.30"]
    gone = resources(status="entered-in-error", issued="2026-11-24T12:00:00+00:00")
    gone["report"]["conclusion"] = "Raised."
    assert said(hospital.post(message(gone, "M2")))[1] == "ok"
    assert hospital.seen() == hospital.seen("DiagnosticReport") == []
    assert [one["status"] for one in hospital.known()] == ["entered-in-error"] * 2
    assert not any("valueQuantity" in one for one in hospital.known())
    (report,) = hospital.known("DiagnosticReport")
    assert (report["status"], "conclusion" in report) == ("entered-in-error", False)


def test_a_report_of_a_document_alone_is_taken_back_with_it(hospital: Hospital) -> None:
    parts = resources()
    del parts["psa"], parts["report"]["result"]
    page = {"contentType": "text/plain", "data": "aGVsbG8=", "title": "Report"}
    parts["report"]["presentedForm"] = [page]
    parts["report"]["code"]["coding"][0] = {"system": LOINC, "code": "11502-2"}
    hospital.post(message(parts))
    (report,) = hospital.seen("DiagnosticReport")
    assert report["presentedForm"][0]["data"] == "aGVsbG8="
    parts["report"] |= {"status": "entered-in-error", "issued": "2026-11-24T11:00:00+00:00"}
    hospital.post(message(parts, "M2"))
    assert hospital.seen("DiagnosticReport") == []
    (gone,) = hospital.known("DiagnosticReport")
    assert (gone["status"], "presentedForm" in gone) == ("entered-in-error", False)


def test_the_policy_decides_when_a_patient_sees_what(hospital: Hospital) -> None:
    section = {"coding": [{"system": V2_0074, "code": "SP"}]}
    label = {"system": f"{THO}/v3-Confidentiality", "code": "R"}
    histology = changed(message(), f"{REPORT}.category.0", section)
    local = {"coding": [{"system": "http://lab.example/codes", "code": "XYZ"}]}
    unmapped = changed(message(resources(filler="R2"), "M2"), f"{RESULT}.code", local)
    labelled = changed(
        message(resources(filler="R3"), "M3"), f"{REPORT}.meta", {"security": [label]}
    )
    for sent in (histology, unmapped, labelled):
        assert said(hospital.post(sent))[1] == "ok"
    assert hospital.seen() == []
    assert len(hospital.known()) == 3


def test_which_patient_is_meant_is_never_guessed(hospital: Hospital) -> None:
    hospital.post(message())
    other = message(resources(birth_date="1956-03-01", filler="R2"), "M2")
    # A feed is told AA where a person disagrees, unless it has agreed on another answer.
    assert said(hospital.post(other)) == (200, "ok", "", "")
    assert hospital.fate("M2") == (
        "quarantined",
        "identity-conflict",
        f"Bundle.{_path('patient')}.birthDate",
    )
    in_transaction = hospital.transact(transaction(resources(birth_date="1956-03-01"), "T2"))
    assert {one["response"]["status"] for one in in_transaction.json()["entry"]} == {"202 Accepted"}
    moved = message(resources(nhs_number=BRIAN), "M3")
    assert said(hospital.post(moved)) == (
        200,
        "fatal-error",
        "order-other-patient",
        f"Bundle.{_path('report')}.identifier",
    )
    nobody = changed(message(number="M4"), f"entry.{AT['patient']}.resource.birthDate", None)
    assert said(hospital.post(nobody))[2:] == (
        "identity-unclear",
        f"Bundle.{_path('patient')}.birthDate",
    )
    assert hospital.values() == ["7.30"]
    assert hospital.seen(nhs_number=BRIAN) == []


def test_what_waits_is_found_by_its_person_and_run_again_once_its_cause_is_mended(
    hospital: Hospital,
) -> None:
    record, feeds = hospital.portal.record, hospital.portal.feeds
    wrong = resources()
    wrong["patient"]["identifier"][0]["use"] = "official"
    silent = MERSEY.__class__(
        **{name: getattr(MERSEY, name) for name in MERSEY.__slots__} | {"sending_facility": "RYY"}
    )
    record.submit(OPERATOR, lambda writer: registry.agree(writer, silent)).result(10)
    feeds.reread()
    assert said(hospital.post(message(wrong)))[1:3] == ("fatal-error", "not-for-us")
    (found,) = tracing.by_key(record, "999 000 0018").rows
    assert (found.control_id, found.fate) == ("M1", "refused")
    record.submit(OPERATOR, lambda writer: registry.agree(writer, MERSEY)).result(10)
    kept = hospital.row("M1")
    assert replay.run_again(record, OPERATOR, feeds.reread(), kept).fate == "filed"
    conflict = message(resources(birth_date="1956-03-01"), "M2")
    hospital.post(message(number="M3"))
    hospital.post(conflict)
    tried = trial.tried(record, OPERATOR, feeds(), hospital.row("M2"))
    assert (tried.fate, tried.code) == ("quarantined", "identity-conflict")
    missing = changed(message(resources(filler="R9"), "M4"), "timestamp", None)
    hospital.post(changed(missing, f"{REPORT}.issued", None))
    (still,) = replay.replay(record, OPERATOR, feeds(), "M4")
    assert (still.code, still.address) == ("date-missing", f"Bundle.{_path('report')}.issued")


def test_a_message_that_waited_for_a_person_is_filed_when_it_is_run_again(
    hospital: Hospital,
) -> None:
    record, feeds = hospital.portal.record, hospital.portal.feeds
    needs = MERSEY.__class__(
        **{name: getattr(MERSEY, name) for name in MERSEY.__slots__} | {"needs_nhs_number": True}
    )
    record.submit(OPERATOR, lambda writer: registry.agree(writer, needs)).result(10)
    feeds.reread()
    parts = resources()
    parts["patient"]["identifier"] = [{"system": "http://lab.example/patient", "value": "P1"}]
    assert said(hospital.post(message(parts))) == (
        200,
        "fatal-error",
        "identity-rule",
        f"Bundle.{_path('patient')}.identifier",
    )
    record.submit(OPERATOR, lambda writer: registry.agree(writer, MERSEY)).result(10)
    tried = trial.tried(record, OPERATOR, feeds.reread(), hospital.row("M1"))
    assert tried.fate == "filed"
    assert hospital.known() == []
    (done,) = replay.replay(record, OPERATOR, feeds(), "M1")
    assert done.fate == "filed"
    assert len(hospital.known()) == 1
