"""How an answer is wanted: order, length, total, includes."""

import pytest

from fhir_server.errors import Invalid
from fhir_server.search.parameters import PARAMETERS
from fhir_server.search.wanted import Include, SortKey, Total, Wanted, wanted


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], Wanted(SortKey.UPDATED, True, 20, False, None, (), "")),
        ([("_sort", "date")], Wanted(sort=SortKey.DATE, descending=False)),
        ([("_sort", "-date")], Wanted(sort=SortKey.DATE)),
        ([("_sort", "_id")], Wanted(sort=SortKey.ID, descending=False)),
        ([("_sort", "_lastUpdated")], Wanted(descending=False)),
        ([("_count", "1")], Wanted(count=1)),
        ([("_count", "1000000")], Wanted(count=100)),
        ([("_count", "0")], Wanted(count_only=True)),
        ([("_summary", "count")], Wanted(count_only=True)),
        ([("_summary", "false")], Wanted()),
        ([("_total", "accurate")], Wanted(total=Total.ACCURATE)),
        ([("_total", "none")], Wanted(total=Total.NONE)),
        ([("_format", "application/fhir json")], Wanted()),
        ([("_page", "abc")], Wanted(page="abc")),
        ([("code", "x")], Wanted()),
    ],
)
def test_an_answer_is_wanted_so(pairs, expected):
    assert wanted("Observation", pairs) == expected


def test_includes_name_references_of_the_type_each_once():
    specimen = PARAMETERS["Observation"]["specimen"]
    performer = PARAMETERS["Observation"]["performer"]
    pairs = [
        ("_include", "Observation:specimen"),
        ("_include", "Observation:performer:Organization"),
        ("_include", "Observation:specimen"),
    ]
    expected = (Include(specimen), Include(performer, "Organization"))
    assert wanted("Observation", pairs).includes == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_sort", "code"), ("_sort", "date,_id"), ("_sort", "--date"), ("_sort", ""),
        ("_count", "-1"), ("_count", "x"), ("_count", ""), ("_count", "1e3"), ("_count", "٣"),
        ("_count", "9" * 10), ("_summary", "true"), ("_summary", "data"), ("_total", "exact"),
        ("_format", "xml"), ("_format", "application/fhir+xml"), ("_page", ""),
        ("_include", "*"), ("_include", "Observation:*"), ("_include", "Observation:code"),
        ("_include", "Patient:organization"), ("_include", "Observation:subject:Group"),
        ("_include", "Observation"), ("_include", ""),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_refused(name, value):
    with pytest.raises(Invalid) as caught:
        wanted("Observation", [(name, value)])
    assert caught.value.issues[0].expression == name


def test_a_type_without_a_date_is_not_sorted_by_it():
    with pytest.raises(Invalid, match="_sort"):
        wanted("Patient", [("_sort", "date")])


@pytest.mark.parametrize("name", ["_sort", "_count", "_page", "_total", "_summary", "_format"])
def test_a_result_parameter_is_given_once(name):
    value = {
        "_sort": "_id",
        "_count": "1",
        "_total": "none",
        "_summary": "count",
        "_format": "json",
    }
    pair = (name, value.get(name, "x"))
    with pytest.raises(Invalid, match="given twice"):
        wanted("Observation", [pair, pair])
