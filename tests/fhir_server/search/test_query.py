"""A URL becomes a query, whole; whatever is not understood is refused, since it would widen it."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.errors import Invalid, NotSupported
from fhir_server.search.criteria import RecordCriterion, TokenCriterion
from fhir_server.search.index import token_hash
from fhir_server.search.parameters import PARAMETERS
from fhir_server.search.query import Query, parse
from fhir_server.search.wanted import Wanted

A, B = "0aa" + "1" * 29, "0bb" + "2" * 29
BASE = "https://portal.example/fhir"


def asked(url: str) -> Query:
    resource_type, _, text = url.partition("?")
    return parse(resource_type, parse_qsl(text, keep_blank_values=True), BASE)


def test_a_query_holds_everything_that_was_asked():
    assert asked(f"Observation?patient={A}&category=laboratory&_count=5") == Query(
        resource_type="Observation",
        criteria=(
            TokenCriterion((token_hash("Observation", "category", "laboratory"),), False, False),
            RecordCriterion((A,)),
        ),
        wanted=Wanted(count=5),
        pairs=(("_count", "5"), ("category", "laboratory"), ("patient", A)),
    )


@pytest.mark.parametrize(
    ("url", "patients"),
    [
        ("Observation", None),
        (f"Observation?patient={A}", (A,)),
        (f"Observation?patient={A},{B}", (A, B)),
        (f"Observation?patient={A},{B}&subject={B}", (B,)),
        (f"Observation?patient={A}&patient={B}", ()),
        (f"Observation?patient={A}&subject=Patient/{B}", ()),
        ("Observation?patient=x", ()),
    ],
)
def test_a_query_knows_whose_records_it_is_confined_to(url, patients):
    assert asked(url).patients == patients


def test_the_same_question_has_the_same_text_whatever_its_order_page_and_format():
    one = asked(f"Observation?code=a%7Cb&patient={A}&_format=json")
    other = asked(f"Observation?patient={A}&_page=xyz&code=a|b")
    assert one.canonical() == other.canonical() == f"code=a%7Cb&patient={A}"


def test_the_text_of_a_query_asks_the_same_again():
    query = asked(
        f"Observation?patient={A}&code:not=a%26b&_sort=-date&_include=Observation:specimen"
    )
    assert asked(f"Observation?{query.canonical()}") == query


@pytest.mark.parametrize(
    "text",
    [
        "subject.name=Smith",
        "subject:Patient.name=Smith",
        "_has:Observation:patient:code=x",
        "_filter=subject eq Patient/x",
        "_query=x", "_text=x", "_content=x", "_list=x", "_elements=id", "_contained=true",
        "_revinclude=Observation:subject", "_revinclude=*", "_type=Observation", "_tag=x",
        "_security=x", "_profile=x", "_include:iterate=Observation:subject",
        "_include:recurse=Observation:subject", "_sort:desc=date",
    ],
)  # fmt: skip
def test_what_fhir_has_and_this_server_has_not_is_refused(text):
    with pytest.raises(NotSupported):
        asked(f"Observation?{text}")


@pytest.mark.parametrize(
    "text", ["colour=x", "_fields=x", "Code=x", "=x", "code:=x", "$=x", "_pretty=true"]
)
def test_a_parameter_that_nobody_knows_is_refused(text):
    with pytest.raises(Invalid):
        asked(f"Observation?{text}")


def test_a_type_that_is_not_searched_is_refused():
    with pytest.raises(NotSupported, match="Basic can't be searched here"):
        asked("Basic?code=x")


@pytest.mark.parametrize(
    "text",
    ["&".join(["code=a"] * 51), "code=" + ",".join(["a" * 400] * 30)],
)
def test_a_query_has_bounds(text):
    with pytest.raises(Invalid):
        asked(f"Observation?{text}")


NAMES = st.sampled_from(sorted({name for named in PARAMETERS.values() for name in named}))
OWN = st.sampled_from(["_sort", "_count", "_include", "_total", "_summary", "_format", "_page"])
MODIFIERS = st.sampled_from(["", ":not", ":exact", ":contains", ":Patient", ":missing", ":"])
VALUES = st.one_of(
    st.text(),
    st.sampled_from(
        [A, f"Patient/{A}", "ge2026", "a|b", "-date", "0", "20", "count", "Observation:subject"]
    ),
)
PAIRS = st.lists(
    st.tuples(st.one_of(st.text(), st.builds("{}{}".format, NAMES | OWN, MODIFIERS)), VALUES),
    max_size=4,
)


@given(st.sampled_from([*PARAMETERS, "Basic", ""]), PAIRS)
def test_any_url_is_understood_or_refused(resource_type, pairs):
    try:
        query = parse(resource_type, pairs, BASE)
    except (Invalid, NotSupported) as refusal:
        assert all(issue.text for issue in refusal.issues)  # noqa: PT017
        return
    assert query.resource_type == resource_type
    assert 1 <= query.wanted.count <= 100
    assert query.canonical().isascii()
