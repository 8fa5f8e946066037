"""A report that comes as a document: what its Composition says beyond the report counts as well."""

from typing import Any

import pytest

from adapters.fhir_push.head import head_of
from adapters.fhir_push.reading import Came, choose, kind_of, read
from adapters.hl7v2.conversion import Conversion
from adapters.hl7v2.orders import Orders
from adapters.intake import replay
from adapters.intake.feeds import Mismatch
from adapters.intake.reading import Verdict
from fhir_server.model import json
from fhir_server.model.validate import judge
from tests.adapters.fhir_push.bundles import (
    ODS,
    THO,
    changed,
    composition,
    document,
    message,
    organization,
    ref,
    resources,
    transaction,
    url_of,
)
from tests.adapters.fhir_push.hospital import MERSEY, Hospital, said
from tests.adapters.fhir_push.hostile_documents import HEAD, HOSTILE
from tests.adapters.fhir_push.test_convert import NOW, became, flags
from tests.world import OPERATOR

Tree = dict[str, Any]


def verdict(tree: Tree) -> tuple[str, str, str]:
    """How a document that is not taken is answered: acknowledgement, code and place."""
    found = read((MERSEY,), Came(json.encode(tree), "document", "10.0.0.1", NOW)).content
    assert isinstance(found, Verdict), found
    return found.ack, found.why.code, found.why.field


def test_a_document_is_filed_and_the_patient_reads_its_results(hospital: Hospital) -> None:
    answer = hospital.post(document(), "/Bundle")
    tree = judge(answer.content, "Bundle")
    assert (answer.status_code, tree["type"]) == (200, "transaction-response")
    statuses = [one["response"]["status"] for one in tree["entry"]]
    assert statuses == ["202 Accepted", *["200 OK"] * 4, *["201 Created"] * 4]
    assert hospital.rows() == [("mersey", "D1", "Bundle^document", "filed", "", "")]
    assert hospital.values() == ["7.30"]
    (provenance,) = hospital.seen("Provenance")
    assert provenance["entity"][0]["what"] == {
        "identifier": {"value": "D1"},
        "display": "FHIR document",
    }
    assert provenance["agent"][0]["who"]["display"] == "Mersey Pathology"


def test_a_document_and_a_message_become_the_same() -> None:
    (group,), (other,) = became(document()).groups, became(message()).groups
    assert (group.report, group.observations) == (other.report, other.observations)


def test_the_same_document_gets_the_same_answer_and_changes_nothing(hospital: Hospital) -> None:
    first, second = (hospital.post(document(), "/Bundle") for _ in range(2))
    assert first.content == second.content
    assert len(hospital.rows()) == 1
    (report,) = hospital.seen("DiagnosticReport")
    assert report["meta"]["versionId"] == "1"


def test_a_document_that_waited_is_run_again_as_a_document(hospital: Hospital) -> None:
    wrong = document(resources(birth_date="1956-03-01"))
    hospital.post(document(), "/Bundle")
    hospital.post(changed(wrong, "identifier.value", "D2"), "/Bundle")
    assert hospital.fate("D2")[0] == "quarantined"
    (done,) = replay.replay(hospital.portal.record, OPERATOR, hospital.portal.feeds(), "D2")
    assert (done.fate, kind_of("Bundle^document")) == ("quarantined", "document")


def test_a_result_that_only_a_section_names_is_the_reports() -> None:
    parts = resources()
    del parts["report"]["result"]
    (group,) = became(document(parts)).groups
    (psa,) = group.observations
    assert group.report.tree["result"] == [{"reference": url_link(psa.key)}]


def url_link(key: Any) -> Any:
    """The Link that a reference to *key* is rewritten as."""
    (group,) = became(document()).groups
    (link,) = (one["reference"] for one in group.report.tree["result"])
    assert link.key == key
    return link


def test_a_group_in_a_section_brings_its_members_once() -> None:
    parts = resources()
    del parts["report"]["result"]
    panel = {name: part for name, part in parts["psa"].items() if name != "valueQuantity"}
    parts["panel"] = panel | {
        "code": {"text": "Tumour markers"},
        "identifier": [{"system": "http://lab.example/result", "value": "R-PANEL"}],
        "hasMember": [ref("psa")],
    }
    inner = [{"title": "Blood", "entry": [ref("psa"), {"reference": url_of("panel")}]}]
    (group,) = became(document(parts, section=[{"title": "All", "section": inner}])).groups
    assert [one.tree["code"].get("text") for one in group.observations] == ["Tumour markers", None]
    assert len(group.report.tree["result"]) == 1


def test_a_result_that_a_section_names_beside_two_reports_is_no_ones() -> None:
    parts = resources()
    del parts["report"]["result"]
    parts["other"] = parts["report"] | {"identifier": [{"system": "urn:x", "value": "REP-2"}]}
    assert verdict(document(parts)) == ("AE", "entry-unplaced", "Bundle.entry[8].resource")


def test_an_order_comes_as_a_document_too() -> None:
    parts = {name: part for name, part in resources().items() if name not in {"report", "psa"}}
    tree = document(parts, section=[{"entry": [ref("request")]}])
    found = read((MERSEY,), Came(json.encode(tree), "document", "10.0.0.1", NOW)).content
    assert isinstance(found, Orders)
    (group,) = found.groups
    assert (group.placer_number, group.holds) == ("O-REP-1", ())
    kept = changed(tree, "entry.0.resource.confidentiality", "R")
    restricted = read((MERSEY,), Came(json.encode(kept), "document", "10.0.0.1", NOW)).content
    assert isinstance(restricted, Orders)
    assert restricted.groups[0].holds == ("security-label",)


def test_a_document_that_is_not_finished_holds_its_report_until_it_is(hospital: Hospital) -> None:
    hospital.post(document(resources(status="preliminary"), status="preliminary"), "/Bundle")
    assert (hospital.seen(), len(hospital.known())) == ([], 1)
    done = resources(issued="2026-11-24T09:30:00+00:00")
    hospital.post(document(done, "D2"), "/Bundle")
    assert hospital.values() == ["7.30"]


@pytest.mark.parametrize(
    "elements",
    [
        {"confidentiality": "R"},
        {"confidentiality": "V"},
        {"meta": {"security": [{"code": "R"}]}},
        {"_confidentiality": {"extension": [{"url": "urn:x", "valueCode": "masked"}]}},
    ],
)
def test_a_document_that_is_not_for_everybody_holds_its_report(elements: Tree) -> None:
    (group,) = became(document(**elements)).groups
    assert group.holds == ("security-label",)
    (label,) = group.security
    assert label[1] in {"R", "V"}
    for tree in (group.report.tree, group.observations[0].tree, group.specimens[0].tree):
        assert [one["code"] for one in tree["meta"]["security"]] == [label[1]]


@pytest.mark.parametrize("tree", [message(), document(), transaction()])
def test_a_bundle_that_is_labelled_holds_its_report(tree: Tree) -> None:
    (group,) = became(tree | {"meta": {"security": [{"code": "R"}]}}).groups
    assert (group.holds, group.security) == (("security-label",), (("", "R"),))


def test_a_message_header_that_is_labelled_holds_its_report() -> None:
    labelled = changed(message(), "entry.0.resource.meta", {"security": [{"code": "R"}]})
    assert became(labelled).groups[0].holds == ("security-label",)


def test_a_label_that_the_report_has_already_is_not_said_twice() -> None:
    label = {"system": f"{THO}/v3-Confidentiality", "code": "R"}
    parts = resources()
    parts["report"]["meta"] = {"security": [label]}
    (group,) = became(document(parts, confidentiality="R")).groups
    assert group.report.tree["meta"]["security"] == [label]


def test_a_document_that_becomes_confidential_closes_what_was_open(hospital: Hospital) -> None:
    hospital.post(document(), "/Bundle")
    assert hospital.values() == ["7.30"]
    later = resources(issued="2026-11-24T09:30:00+00:00")
    hospital.post(document(later, "D2", confidentiality="R"), "/Bundle")
    assert (hospital.fate("D2")[0], hospital.values()) == ("filed", [])


@pytest.mark.parametrize("level", ["U", "N"])
def test_a_document_for_everybody_holds_nothing(level: str) -> None:
    (group,) = became(document(confidentiality=level)).groups
    assert (group.holds, group.security) == ((), ())


def test_a_document_that_is_taken_back_with_its_report_takes_back_the_results(
    hospital: Hospital,
) -> None:
    hospital.post(document(), "/Bundle")
    back = resources(status="entered-in-error", issued="2026-11-24T09:30:00+00:00")
    hospital.post(document(back, "D2", status="entered-in-error"), "/Bundle")
    assert hospital.fate("D2")[0] == "filed"
    assert [one["status"] for one in hospital.known()] == ["entered-in-error"]


def test_text_that_is_in_no_entry_is_told_to_whoever_runs_the_feed() -> None:
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A note</div>'}
    more = text | {"status": "additional"}
    comment = [*composition()["section"], {"title": "Comment", "text": text}]
    assert flags(became(document(section=comment))) == [("entry-kept", HEAD)]
    assert flags(became(document(text=more))) == [("entry-kept", HEAD)]
    around = [{"title": "Comment", "text": text, "section": composition()["section"]}]
    assert flags(became(document(section=around))) == [("entry-kept", HEAD)]
    of_nothing = [{"text": text, "entry": [ref("patient")]}]
    assert flags(became(document(section=of_nothing))) == [("entry-kept", HEAD)]
    assert flags(became(document(section=None, text=text))) == [("entry-kept", HEAD)]
    untold = {"_status": {"extension": [{"url": "urn:x", "valueCode": "masked"}]}}
    of_no_status = {name: part for name, part in text.items() if name != "status"} | untold
    assert flags(became(document(text=of_no_status))) == []
    beside = [composition()["section"][0] | {"text": text}]
    assert flags(became(document(section=beside, text=text))) == []
    assert became(document()).accounted[0] == "filed in Provenance"


def test_who_answers_for_a_document_says_whose_feed_it_is(hospital: Hospital) -> None:
    other = resources() | {"lab": organization("RYY", "Another")}
    answer = hospital.post(document(other), "/Bundle")
    assert said(answer) == (422, "", "not-for-us", f"{HEAD}.custodian")
    assert became(document(other, custodian=None)).groups
    by_network = document(custodian=ref("practice"), author=[ref("lab")])
    assert verdict(by_network) == ("AR", "not-for-us", f"{HEAD}.custodian")


ODS_RYY = {"identifier": {"system": ODS, "value": "RYY"}, "display": "Another"}


@pytest.mark.parametrize(
    "elements",
    [
        {"custodian": ODS_RYY},
        {"custodian": ODS_RYY | {"type": "Organization"}},
        {"custodian": None, "author": [ODS_RYY]},
        {"custodian": {"reference": f"{url_of('lab')}/_history/1"}},
        {"custodian": {"reference": "Organization/lab"}},
        {
            "custodian": ref("lab"),
            "author": [{"display": "Mersey"} | {"identifier": {"system": ODS, "value": "RXX"}}],
        },
    ],
)
def test_another_hospital_answers_for_no_document_of_this_feed(elements: Tree) -> None:
    parts = resources() | {"lab": organization("RYY", "Another")}
    tree = document(parts, **elements)
    at_home = "https://lab.example/fhir/Organization/lab"
    if elements.get("custodian") == {"reference": "Organization/lab"}:
        tree = json.decode(json.encode(tree).replace(url_of("lab").encode(), at_home.encode()))
        home = "https://lab.example/fhir/Composition/1"
        tree["entry"][0]["fullUrl"] = home
    assert verdict(tree)[1:] == ("not-for-us", f"{HEAD}.custodian")


def test_a_name_that_two_servers_gave_is_the_one_of_the_documents_own() -> None:
    parts = resources() | {"other": organization("RXX", "Mersey")}
    parts["lab"] = organization("RYY", "Another")
    tree = document(parts, custodian={"reference": "Organization/1"}, author=[ref("doctor")])
    places = {0: "a.example/Composition/1", 1: "a.example/Organization/1"}
    for number, place in (places | {9: "b.example/Organization/1"}).items():
        tree["entry"][number]["fullUrl"] = f"https://{place}"
    assert head_of(tree, b"", "document").senders == ("RYY",)


def test_authors_and_entries_are_not_multiplied() -> None:
    # Each author looked for in each entry takes minutes.
    tree = document(author=[{"reference": "urn:x"}] * 100_000, custodian=None)
    entry = {"fullUrl": "urn:y", "resource": {"resourceType": "Organization"}}
    head = head_of(tree | {"entry": [tree["entry"][0], *[entry] * 5_000]}, b"", "document")
    assert (head.senders, head.entries) == ((), 5_001)


def test_an_author_who_is_a_doctor_is_no_sender() -> None:
    tree = document(custodian=None)
    head = read((MERSEY,), Came(json.encode(tree), "document", "10.0.0.1", NOW))
    assert isinstance(head.content, Conversion)
    (group,) = head.content.groups
    assert group.provenance.tree["agent"][0]["who"]["display"] == "Dr Jo Smith"


def test_two_feeds_of_one_application_are_told_apart_by_who_answers() -> None:
    tree = document(custodian=None)
    head = head_of(tree, json.encode(tree), "document")
    found = choose((MERSEY, MERSEY), head)
    assert isinstance(found, Mismatch)
    assert found.text == "Several feeds name this application: custodian has to say which is meant."


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_ends_as_stated(name: str) -> None:
    tree, expected = HOSTILE[name]
    assert verdict(tree) == expected


def test_no_hostile_document_is_filed(hospital: Hospital) -> None:
    for tree, _ in HOSTILE.values():
        answer = hospital.post(tree, "/Bundle")
        assert answer.status_code in {400, 409, 422}
        judge(answer.content, "OperationOutcome")
    assert hospital.known() == hospital.known("Patient") == []
    assert {row[3] for row in hospital.rows()} <= {"refused", "quarantined"}
