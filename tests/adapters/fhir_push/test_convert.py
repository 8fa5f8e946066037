"""What a Bundle becomes: keys, directory, groups of results, documents, and why something waits."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.fhir_push.reading import Came, read
from adapters.hl7v2 import er7
from adapters.hl7v2.conversion import PATIENT, Conversion, Link
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.kinds import convert as convert_hl7
from adapters.intake.reading import Verdict
from fhir_server.model import json
from fhir_server.model.identifiers import check_digit
from tests.adapters.fhir_push.bundles import (
    CATEGORY,
    LOINC,
    SNOMED,
    THO,
    V2_0074,
    changed,
    message,
    ref,
    resources,
    transaction,
    url_of,
)
from tests.adapters.fhir_push.hospital import MERSEY
from tests.world import ALAN, psa

Tree = dict[str, Any]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def became(tree: Tree, **agreed: Any) -> Conversion:
    """What a Bundle becomes; what is agreed may differ."""
    feed = MERSEY.__class__(**{name: getattr(MERSEY, name) for name in MERSEY.__slots__} | agreed)
    found = read((feed,), Came(json.encode(tree), tree["type"], "10.0.0.1", NOW)).content
    assert isinstance(found, Conversion), found
    return found


def flags(conversion: Conversion) -> list[tuple[str, str]]:
    return [(flag.code, flag.address) for flag in conversion.flags]


def typed(kind: str, value: str) -> Tree:
    return {"type": {"coding": [{"system": f"{THO}/v2-0203", "code": kind}]}, "value": value}


def test_every_entry_is_accounted_for() -> None:
    conversion = became(message())
    assert list(conversion.accounted) == list(range(9))
    assert conversion.accounted[0] == "filed in Provenance"
    assert conversion.accounted[8] == "filed as Observation"


def test_a_message_and_a_transaction_become_the_same() -> None:
    first, second = became(message()), became(transaction())
    (group,), (other,) = first.groups, second.groups
    assert (group.report, group.observations) == (other.report, other.observations)
    assert first.person == second.person


def test_an_order_by_either_way_has_one_key() -> None:
    hl7 = convert_hl7(er7.read(psa(ALAN, "A1")), Dialect())
    assert isinstance(hl7, Conversion)
    parts = resources()
    parts["report"]["identifier"] = [typed("FILL", "A1")]
    parts["report"]["code"] = {"coding": [{"system": LOINC, "code": "2857-1"}]}
    (group,) = became(message(parts)).groups
    assert group.report.key == hl7.groups[0].report.key
    assert (group.authority, group.filler_number) == ("RXX", "A1")


def test_a_number_of_no_type_is_kept_under_its_own_system() -> None:
    (group,) = became(message()).groups
    assert group.report.key == (
        *("DiagnosticReport", "http://lab.example/report", "FILL", "REP-1", "721981007"),
    )
    assert (group.filler_number, group.placer_number) == ("REP-1", "O-REP-1")
    assert group.service_request is not None
    assert group.service_request.key[1:4] == ("http://practice.example/request", "PLAC", "O-REP-1")


def test_organisations_and_doctors_have_the_keys_of_hl7_v2() -> None:
    conversion = became(message())
    assert [one.key for one in conversion.organizations] == [
        ("Organization", "https://fhir.nhs.uk/Id/ods-organization-code", "RXX"),
        ("Organization", "https://fhir.nhs.uk/Id/ods-organization-code", "B82033"),
    ]
    (doctor,) = conversion.practitioners
    assert doctor.key == ("Practitioner", "https://fhir.hl7.org.uk/Id/gmc-number", "1234567")


def test_the_directory_takes_what_belongs_into_one_and_nothing_else() -> None:
    parts = resources()
    parts["doctor"] |= {
        "birthDate": "1970-01-01",
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
        "extension": [{"url": "urn:x", "valueString": "her patient Alan"}],
        "address": [{"text": "at home"}],
    }
    (doctor,) = became(message(parts)).practitioners
    assert doctor.tree.keys() == {"resourceType", "identifier", "name"}


def test_who_has_no_number_stays_a_name_where_they_are_named() -> None:
    parts = resources()
    del parts["doctor"]["identifier"]
    conversion = became(message(parts))
    assert conversion.practitioners == ()
    request = conversion.groups[0].service_request
    assert request is not None
    assert request.tree["requester"] == {"type": "Practitioner", "display": "Dr Jo Smith"}
    assert flags(conversion) == [("entry-kept", "Bundle.entry[3].resource")]


def test_a_role_is_known_by_who_has_it_for_whom() -> None:
    role = {
        "resourceType": "PractitionerRole",
        "practitioner": ref("doctor"),
        "organization": ref("practice"),
        "code": [{"coding": [{"system": SNOMED, "code": "62247001"}]}],
    }
    parts = resources() | {"role": role}
    parts["request"]["requester"] = {"reference": url_of("role")}
    conversion = became(message(parts))
    doctor, made = conversion.practitioners
    assert made.key[1:] == (*doctor.key[1:], *conversion.organizations[1].key[1:], "62247001")
    request = conversion.groups[0].service_request
    assert request is not None
    assert request.tree["requester"] == {"reference": Link(made.key)}


def test_what_is_not_filed_is_referred_to_in_words() -> None:
    visit = {
        "resourceType": "Encounter",
        "identifier": [{"system": "http://lab.example/visit", "value": "V1"}],
        "status": "finished",
        "class": {"system": f"{THO}/v3-ActCode", "code": "AMB"},
    }
    parts = resources() | {"visit": visit}
    parts["psa"]["encounter"] = {"reference": url_of("visit")}
    conversion = became(message(parts))
    (result,) = conversion.groups[0].observations
    assert result.tree["encounter"] == {"type": "Encounter", "identifier": visit["identifier"][0]}
    assert flags(conversion) == [("entry-kept", "Bundle.entry[9].resource")]


def test_a_name_stays_where_a_reference_leads_out_of_the_bundle() -> None:
    parts = resources()
    parts["report"]["performer"] = [
        {"reference": "https://ods.example/Organization/RXX", "display": "Mersey"}
    ]
    conversion = became(message(parts))
    assert conversion.groups[0].report.tree["performer"] == [{"display": "Mersey"}]
    where = "Bundle.entry[6].resource.performer[0].reference"
    assert flags(conversion) == [("reference-cut", where)]


@pytest.mark.parametrize(
    ("full_url", "reference"),
    [
        ("https://lims.example/fhir/Observation/7", "Observation/7"),
        ("https://lims.example/fhir/Observation/7", "https://lims.example/fhir/Observation/7"),
        (
            "https://lims.example/fhir/Observation/7",
            "https://lims.example/fhir/Observation/7/_history/2",
        ),
        (url_of("psa"), "Observation/7"),
    ],
    ids=["relative", "absolute", "of-a-version", "by-id"],
)
def test_references_are_found_however_they_are_written(full_url: str, reference: str) -> None:
    tree = message()
    tree["entry"][8]["fullUrl"] = full_url
    tree["entry"][8]["resource"]["id"] = "7"
    tree["entry"][6]["fullUrl"] = "https://lims.example/fhir/DiagnosticReport/1"
    tree["entry"][0]["resource"]["focus"] = [{"reference": tree["entry"][6]["fullUrl"]}]
    tree["entry"][6]["resource"]["result"] = [{"reference": reference}]
    (group,) = became(tree).groups
    assert group.report.tree["result"] == [{"reference": Link(group.observations[0].key)}]


def test_the_members_of_a_group_are_filed_with_its_report() -> None:
    parts = resources()
    parts["group"] = {
        name: part
        for name, part in parts["psa"].items()
        if name not in {"valueQuantity", "identifier"}
    }
    parts["group"]["hasMember"] = [ref("psa")]
    parts["report"]["result"] = [{"reference": url_of("group")}]
    (group,) = became(message(parts)).groups
    head, member = group.observations
    assert head.tree["hasMember"] == [{"reference": Link(member.key)}]
    assert [one.tree["subject"]["reference"] for one in group.observations] == [Link(PATIENT)] * 2
    assert group.report.tree["result"] == [{"reference": Link(head.key)}]


def test_results_of_one_code_are_told_apart_by_their_own_numbers_and_else_conflict() -> None:
    parts = resources()
    parts["second"] = deepcopy(parts["psa"])
    parts["second"]["identifier"][0]["value"] = "R-2"
    parts["report"]["result"].append({"reference": url_of("second")})
    (group,) = became(message(parts)).groups
    assert len({one.key for one in group.observations}) == 2
    assert group.holds == ()
    del parts["psa"]["identifier"], parts["second"]["identifier"]
    conversion = became(message(parts))
    assert conversion.groups[0].holds == ("obx-conflict",)
    assert len({one.key for one in conversion.groups[0].observations}) == 2


def test_a_report_that_answers_two_requests_completes_both() -> None:
    parts = resources()
    parts["second"] = deepcopy(parts["request"])
    parts["second"]["identifier"][0]["value"] = "O-2"
    parts["report"]["basedOn"].append({"reference": url_of("second")})
    (group,) = became(message(parts)).groups
    assert group.service_request is not None
    assert [one.tree["status"] for one in (group.service_request, *group.further_requests)] == [
        "completed",
        "completed",
    ]
    assert group.ordered_as == "PSA test, PSA test"


def test_a_report_without_a_request_makes_none() -> None:
    parts = resources()
    del parts["request"], parts["report"]["basedOn"]
    (group,) = became(message(parts)).groups
    assert group.service_request is None
    assert {one.key[0] for one in group.all_made()} == {
        *("DiagnosticReport", "Observation", "Specimen", "Provenance"),
    }


@pytest.mark.parametrize(
    ("coding", "histology", "imaging"),
    [
        ({"system": V2_0074, "code": "SP"}, True, False),
        ({"system": V2_0074, "code": "sp"}, True, False),
        ({"system": SNOMED, "code": "394597005"}, True, False),
        ({"system": V2_0074, "code": "RAD"}, False, True),
        ({"system": CATEGORY, "code": "imaging"}, False, True),
        ({"system": SNOMED, "code": "394914008"}, False, True),
        ({"system": V2_0074, "code": "LAB"}, False, False),
    ],
)
def test_the_category_says_of_which_department_a_report_is(
    coding: Tree, histology: bool, imaging: bool
) -> None:
    parts = resources()
    parts["report"]["category"] = [{"coding": [coding]}]
    (group,) = became(message(parts)).groups
    assert (group.is_histology, group.is_imaging) == (histology, imaging)


def test_a_feed_may_name_the_tests_that_are_histology() -> None:
    agreed = Dialect(histology_tests=frozenset({"721981007"}))
    assert became(message(), dialect=agreed).groups[0].is_histology


def test_labels_and_results_of_no_known_status_keep_a_report_from_the_patient() -> None:
    label = {"system": f"{THO}/v3-Confidentiality", "code": "R"}
    parts = resources()
    parts["psa"]["meta"] = {"security": [label], "profile": ["urn:x"], "versionId": "7"}
    parts["psa"]["status"] = "unknown"
    (group,) = became(message(parts)).groups
    (result,) = group.observations
    assert result.tree["meta"] == {"security": [label]}
    assert group.security == ((label["system"], "R"),)
    assert group.holds == ("security-label",)
    assert group.unreleasable == ((result.key, "unverified"),)


def test_a_document_is_what_its_bytes_are() -> None:
    page = {"contentType": "application/pdf", "data": "PGh0bWw+PC9odG1sPg==", "title": "Report"}
    tree = changed(message(), "entry.6.resource.presentedForm", [page, {"title": "nothing"}])
    conversion = became(tree)
    (group,) = conversion.groups
    (form,) = group.report.tree["presentedForm"]
    assert (form["contentType"], form["title"], form["size"]) == ("text/html", "Report", 13)
    assert group.holds == ("document-active",)
    where = "Bundle.entry[6].resource.presentedForm"
    assert flags(conversion) == [
        ("type-differs", f"{where}[0].contentType"),
        ("document-active", f"{where}[0]"),
        ("document-empty", f"{where}[1]"),
    ]


def test_a_document_elsewhere_is_not_fetched_and_waits() -> None:
    page = {"url": "https://lims.example/report.pdf"}
    (group,) = became(changed(message(), "entry.6.resource.presentedForm", [page])).groups
    assert group.report.tree["presentedForm"] == [page]
    assert group.holds == ("document-elsewhere",)


def test_what_is_taken_back_has_no_value_any_more() -> None:
    parts = resources()
    parts["psa"]["status"] = "entered-in-error"
    parts["psa"]["note"] = [{"text": "Wrong patient."}]
    (group,) = became(message(parts)).groups
    (result,) = group.observations
    assert group.withdrawn == (result.key,)
    assert not {"valueQuantity", "note"} & result.tree.keys()
    assert not group.taken_back


def test_a_time_of_sending_stands_in_for_a_missing_time_of_issue() -> None:
    conversion = became(changed(message(), "entry.6.resource.issued", None))
    (group,) = conversion.groups
    assert group.report.tree["issued"] == "2026-11-24T09:16:00+00:00"
    assert flags(conversion) == [("issued-assumed", "Bundle.entry[6].resource.issued")]


def test_a_person_has_the_numbers_that_the_feed_knows_them_by() -> None:
    parts = resources()
    parts["patient"]["identifier"] = [
        {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "999 000 0018"},
        {"system": "http://lab.example/patient", "value": "P1"},
        {"system": "http://mersey.example/number", "value": "M1"},
        {"value": "X1"},
        {"system": "http://mersey.example/number", "value": "M0", "use": "old"},
    ]
    agreed = Dialect(identifier_systems={"RXX": "http://mersey.example/number"})
    conversion = became(message(parts), dialect=agreed)
    person = conversion.person
    assert person.nhs_number is not None
    assert person.nhs_number.digits == "9990000018"
    assert person.tree["identifier"][0]["value"] == "9990000018"
    assert person.identifiers == (("http://lab.example/patient", "P1"), ("RXX", "M1"))
    assert (person.family, person.given, person.gender) == ("Example", "Alan", "male")
    assert flags(conversion) == [
        ("identifier-unplaced", "Bundle.entry[4].resource.identifier[3].value")
    ]


def test_a_person_in_the_directory_of_the_sender_alone_brings_no_picture_and_no_narrative() -> None:
    parts = resources()
    parts["patient"] |= {
        "photo": [{"contentType": "image/png", "data": "aGVsbG8="}],
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
        "managingOrganization": ref("practice"),
        "generalPractitioner": [ref("practice")],
        "meta": {"security": [{"system": f"{THO}/v3-Confidentiality", "code": "R"}]},
    }
    person = became(message(parts)).person
    assert person.restricted
    assert person.tree.keys() == {
        *("resourceType", "identifier", "name", "gender", "birthDate", "generalPractitioner"),
        "meta",
    }


def test_several_feeds_of_one_application_are_told_apart_by_the_sender() -> None:
    other = MERSEY.__class__(name="other", sending_facility="RYY", clients=("mersey-push",))
    body = json.encode(message())
    found = read((other, MERSEY), Came(body, "message", "10.0.0.1", NOW))
    assert found.feed.name == "mersey"
    unsaid = json.encode(transaction())
    refused = read((other, MERSEY), Came(unsaid, "transaction", "10.0.0.1", NOW)).content
    assert isinstance(refused, Verdict)
    assert refused.why.code == "not-for-us"


def test_a_portal_for_synthetic_people_keeps_no_byte_of_anybody_else() -> None:
    demo = MERSEY.__class__(
        **{name: getattr(MERSEY, name) for name in MERSEY.__slots__} | {"synthetic_only": True}
    )
    # Made here, so that nobody's number stands in a file.
    real = f"{'4' + '0' * 8}{check_digit('4' + '0' * 8)}"
    parts = resources(nhs_number=real)
    for tree in (message(parts), transaction(parts)):
        found = read((demo,), Came(json.encode(tree), tree["type"], "10.0.0.1", NOW))
        assert isinstance(found.content, Verdict)
        assert (found.content.why.code, found.arrival.raw) == ("number-not-synthetic", b"")
    spelled = json.encode(message(parts)).replace(real.encode(), b"\\u0034" + real[1:].encode())
    found = read((demo,), Came(spelled, "message", "10.0.0.1", NOW))
    assert isinstance(found.content, Verdict)
    assert (found.content.why.code, found.arrival.raw) == ("number-not-synthetic", b"")
