"""A page includes what its matches refer to, as far as the caller may read it."""

from dataclasses import replace

import pytest

from fhir_server.access import Interaction, Narrowing
from fhir_server.search.includes import included, referred
from fhir_server.search.index import token_hash

REPORT, FIRST, SECOND = "0aa" + "a" * 29, "0aa" + "b" * 29, "0aa" + "c" * 29
DOCTOR, FOREIGN = "0dd" + "d" * 29, "0bb" + "e" * 29


@pytest.fixture
def report(shelf, people):
    """A report of A, with two results, a performer, and things that it should not reach."""
    result = {"resourceType": "Observation", "category": [{"coding": [{"code": "lab"}]}]}
    shelf.put({"resourceType": "Observation"}, FIRST, people.a)
    shelf.put(result, SECOND, people.a)
    shelf.put({"resourceType": "Observation"}, FOREIGN, people.b)
    shelf.put({"resourceType": "Patient"}, people.a, people.a)
    shelf.put({"resourceType": "Patient"}, people.b, people.b)
    shelf.put({"resourceType": "Practitioner"}, DOCTOR)
    shelf.put(
        {
            "resourceType": "DiagnosticReport",
            "subject": {"reference": f"Patient/{people.a}"},
            "result": [
                {"reference": f"Observation/{one}"} for one in (FIRST, SECOND, FOREIGN, "x")
            ],
            "performer": [
                {"reference": f"Practitioner/{DOCTOR}"},
                {"reference": f"Patient/{people.b}"},
                {"reference": f"https://elsewhere.example/fhir/Practitioner/{DOCTOR}"},
            ],
        },
        REPORT,
        people.a,
    )


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ("result", [f"Observation/{FIRST}", f"Observation/{SECOND}"]),
        ("performer", [f"Practitioner/{DOCTOR}"]),
        ("performer:Practitioner", [f"Practitioner/{DOCTOR}"]),
        ("performer:Organization", []),
        ("specimen", []),
    ],
)
@pytest.mark.usefixtures("report")
def test_what_a_report_refers_to_is_included_but_nothing_of_another_patient(
    shelf, people, include, expected
):
    url = f"DiagnosticReport?_include=DiagnosticReport:{include}"
    assert shelf.included(people.patient(), url) == expected


@pytest.mark.usefixtures("report")
def test_the_patient_can_be_included(shelf, people):
    url = "DiagnosticReport?_include=DiagnosticReport:patient"
    assert shelf.included(people.patient(), url) == [f"Patient/{people.a}"]


@pytest.mark.usefixtures("report")
def test_a_held_result_is_not_included_in_a_report_that_is_open(shelf, people):
    shelf.take(FIRST)
    shelf.put({"resourceType": "Observation"}, FIRST, people.a, release_at=None)
    url = "DiagnosticReport?_include=DiagnosticReport:result"
    assert shelf.included(people.patient(), url) == [f"Observation/{SECOND}"]


@pytest.mark.usefixtures("report")
def test_a_type_that_the_caller_may_not_read_is_not_included(shelf, people):
    url = "DiagnosticReport?_include=DiagnosticReport:result&_include=DiagnosticReport:performer"
    access = people.patient()
    searching_only = replace(
        access, grants={**access.grants, "Observation": frozenset({Interaction.SEARCH})}
    )
    assert shelf.included(searching_only, url) == [f"Practitioner/{DOCTOR}"]


@pytest.mark.usefixtures("report")
def test_a_narrow_scope_narrows_what_is_included_too(shelf, people):
    lab = frozenset({token_hash("Observation", "category", "lab")})
    access = people.patient(narrowed={"Observation": (Narrowing((lab,)),)})
    url = "DiagnosticReport?_include=DiagnosticReport:result"
    assert shelf.included(access, url) == [f"Observation/{SECOND}"]


@pytest.mark.usefixtures("report")
def test_a_clinician_who_does_not_care_for_the_patient_includes_nothing_of_theirs(
    shelf, people, now
):
    references = [f"Observation/{FIRST}", f"Practitioner/{DOCTOR}"]

    def found():
        statements = included(people.clinician(), references, now)
        return {row.id for statement in statements for row in shelf.rows(statement)}

    assert found() == {DOCTOR}
    shelf.care(people.a, people.practitioner)
    assert found() == {DOCTOR, FIRST}


def test_many_references_are_fetched_in_several_statements(people, now):
    references = [f"Observation/0aa{number:029x}" for number in range(450)] * 2
    assert len(included(people.patient(), references, now)) == 3


def test_each_reference_is_wanted_once(shelf):
    tree = {"resourceType": "Observation", "specimen": {"reference": "Specimen/x"}}
    wanted = shelf.query("Observation?_include=Observation:specimen").wanted
    assert referred(wanted, [tree, tree]) == ["Specimen/x"]
    assert referred(shelf.query("Observation").wanted, [tree]) == []
