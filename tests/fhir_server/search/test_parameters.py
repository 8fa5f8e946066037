"""The parameters are FHIR's: each path leads through elements that the type really has."""

from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_server.search.parameters import PARAMETERS, Parameter, Place
from fhir_server.search.sorts import SORT_DATES, includes, sorts

ALL = [
    pytest.param(kind, one, id=f"{kind}.{name}")
    for kind, named in PARAMETERS.items()
    for name, one in named.items()
    if one.paths
]


def element_type(resource_type: str, path: str) -> str:
    """Return the name of the type that *path* leads to, by the models of another make."""
    model: Any = get_fhir_model_class(resource_type)
    annotation = None
    for name in path.split("."):
        fields = {info.alias or key: info for key, info in model.model_fields.items()}
        annotation = bare(fields[name].annotation)
        if hasattr(annotation, "get_model_klass"):
            model = annotation.get_model_klass()
    return str(getattr(annotation, "__name__", annotation))


def bare(annotation: Any) -> Any:
    while get_origin(annotation) in {list, Union, UnionType}:
        annotation = next(one for one in get_args(annotation) if one is not type(None))
    return annotation


@pytest.mark.parametrize(("resource_type", "parameter"), ALL)
def test_each_path_leads_to_an_element_of_the_type(resource_type: str, parameter: Parameter):
    for path in parameter.paths:
        assert element_type(resource_type, path)


@pytest.mark.parametrize("resource_type", sorted(SORT_DATES.keys() & PARAMETERS.keys()))
def test_each_sort_date_is_an_element_of_the_type(resource_type: str):
    for path in SORT_DATES[resource_type]:
        assert element_type(resource_type, path)


@pytest.mark.parametrize("resource_type", PARAMETERS)
def test_every_type_is_found_by_id_and_by_when_it_was_updated(resource_type: str):
    places = {name: one.place for name, one in PARAMETERS[resource_type].items()}
    assert places["_id"] is Place.ID
    assert places["_lastUpdated"] is Place.UPDATED


def test_whose_record_it_is_can_be_asked_of_every_type_that_has_a_patient():
    asked = {kind for kind, named in PARAMETERS.items() if "patient" in named}
    assert asked == PARAMETERS.keys() - {
        "Patient", "Organization", "Practitioner", "PractitionerRole",
    }  # fmt: skip


def test_a_union_is_made_of_parameters_of_the_same_type():
    for named in PARAMETERS.values():
        for one in named.values():
            assert all(named[part].kind is one.kind for part in one.union)
            assert all(named[part].selective == one.selective for part in one.union)
            assert bool(one.union) != (bool(one.paths) or one.place is not Place.INDEX)


@pytest.mark.parametrize(
    ("resource_type", "expected"),
    [
        ("Observation", ("date",)),
        ("Communication", ("date", "sent")),
        ("ServiceRequest", ("date", "authored")),
        ("Appointment", ("date",)),
        ("Specimen", ("date", "collected")),
        ("Provenance", ("date", "recorded")),
        ("AuditEvent", ("date",)),
        ("Patient", ()),
    ],
)
def test_a_type_is_sorted_by_its_date_under_the_name_that_it_has_there(resource_type, expected):
    assert sorts(resource_type) == expected


def test_references_can_be_included():
    assert includes("PractitionerRole") == (
        "PractitionerRole:practitioner",
        "PractitionerRole:organization",
    )
    assert "DiagnosticReport:result" in includes("DiagnosticReport")
