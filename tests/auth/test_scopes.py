"""Scopes: the grammar, and that nothing derived from scopes ever allows more than they do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.scopes import (
    ANY,
    GRANULAR,
    Constraint,
    Context,
    Scope,
    ScopeSet,
    parse,
    reduced,
)
from fhir_server.errors import Invalid
from fhir_server.search.parameters import PARAMETERS

TYPES = ("Observation", "DiagnosticReport", "Communication")
VALUES = ("laboratory", "vital-signs", "http://loinc.org|2857-1", "|x", "a%&=1")


def constraints(resource_type):
    names = st.sampled_from(sorted(GRANULAR[resource_type]))
    one = st.builds(Constraint, names, st.frozensets(st.sampled_from(VALUES[:4]), min_size=1))
    return st.frozensets(one, max_size=2)


@st.composite
def scopes(draw):
    context = draw(st.sampled_from(Context))
    resource_type = draw(st.sampled_from((*TYPES, ANY)))
    narrow = draw(constraints(resource_type)) if resource_type != ANY else frozenset()
    letters = draw(st.frozensets(st.sampled_from("rs" if narrow else "cruds"), min_size=1))
    return Scope(context, resource_type, letters, narrow, draw(st.booleans()))


scope_sets = st.builds(
    ScopeSet, st.lists(scopes(), max_size=5).map(reduced), st.booleans(), st.booleans()
)
resources = st.fixed_dictionaries(
    {name: st.frozensets(st.sampled_from(VALUES[:4])) for name in ("category", "code", "status")}
)


def allows(scope_set, context, resource_type, letter, resource):
    """What a set of scopes means for one resource, said as plainly as possible."""
    return any(
        scope.context == context
        and scope.resource_type in (ANY, resource_type)
        and letter in scope.letters
        and all(resource[one.parameter] & one.values for one in scope.constraints)
        for scope in scope_set.resources
    )


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("patient/Observation.rs", Scope(Context.PATIENT, "Observation", frozenset("rs"))),
        ("user/*.cruds", Scope(Context.USER, ANY, frozenset("cruds"))),
        ("system/Patient.c", Scope(Context.SYSTEM, "Patient", frozenset("c"))),
        ("patient/Observation.read", Scope(Context.PATIENT, "Observation", frozenset("rs"))),
        ("patient/Communication.write", Scope(Context.PATIENT, "Communication", frozenset("cud"))),
        ("patient/*.*", Scope(Context.PATIENT, ANY, frozenset("cruds"))),
        (
            "patient/Observation.rs?category=laboratory,vital-signs&status=final",
            Scope(
                Context.PATIENT,
                "Observation",
                frozenset("rs"),
                frozenset(
                    {
                        Constraint("category", frozenset({"laboratory", "vital-signs"})),
                        Constraint("status", frozenset({"final"})),
                    }
                ),
            ),
        ),
    ],
)
def test_a_scope_is_read_as_smart_defines_it(text, scope):
    assert parse(text) == ScopeSet((scope,))
    assert str(parse(text)) == text


def test_o2_16_a_scope_asked_in_the_words_of_version_1_is_answered_in_them():
    asked = parse("patient/Observation.read patient/Communication.* launch/patient")
    allowed = parse("patient/*.crs launch/patient")
    assert str(asked.intersect(parse("patient/*.cruds launch/patient"))) == (
        "launch/patient patient/Observation.read patient/Communication.*"
    )
    assert str(asked.intersect(allowed)) == (
        "launch/patient patient/Observation.read patient/Communication.crs"
    )


@pytest.mark.parametrize(
    "text",
    [
        "patient/Observation.sr",
        "patient/Observation.rrs",
        "patient/Observation.dus",
        "patient/Observation.rs?category:not=x",
        "patient/Observation.rs?subject.name=x",
        "patient/Observation.rs?_id=x",
        "patient/Observation.rs?_has:Patient=x",
        "patient/Observation.rs?unknown=x",
        "patient/Observation.rs?category",
        "patient/Observation.rs?category=",
        "patient/Observation.rs?category=a,,b",
        "patient/Observation.rs?category=a%20b",
        "patient/Observation.rs?category=a+b",
        "patient/Observation.rs?category=a%5C,b",
        "patient/Observation.rs?category=a|b|c",
        "patient/Observation.rs?category=system|",
        "patient/Observation.rs?category=%ff",
        "patient/Observation.rs?x",
        "patient/Observation.rs?",
        "patient/Observation.crs?category=laboratory",
        "patient/*.rs?category=laboratory",
        "patient/Patient.rs?identifier=x",
        "patient%2fObservation.rs",
        "patient/Observation%2Ers",
        "patient/observation.rs",
        "PATIENT/Observation.rs",
        "patient/Observation",
        "patient/Observation.",
        "patient/.rs",
        "patient/Observation.READ",
        "launch/Patient",
        "nonsense",
        'patient/"Observation.rs',
        "patient/Observation.rs\tpatient/*.rs",
        "patient/Observation.rs\u00a0",
    ],
)
def test_case_101_a_scope_that_is_not_exactly_understood_is_refused(text):
    with pytest.raises(Invalid, match=r"Scope [12] |narrow"):
        parse(f"patient/Patient.r {text}")


def test_a_refusal_names_the_scope_by_its_place_and_repeats_nothing_that_was_sent():
    with pytest.raises(Invalid) as refused:
        parse("patient/Patient.rs launch/patient patient/Observation.sr")
    (issue,) = refused.value.issues
    assert issue.text == "Scope 3 is not understood."


def test_o7_6_percent_encoding_is_read_and_never_compared_as_text():
    encoded = parse("patient/Observation.rs?category=http:%2F%2Floinc.org%7C2857-1")
    plain = parse("patient/Observation.rs?category=http://loinc.org|2857-1")
    assert encoded == plain
    assert parse("patient/Observation.rs?category=a%2Cb") == parse(
        "patient/Observation.rs?category=b,a"
    )


def test_scopes_that_are_not_offered_are_passed_over():
    assert parse("openid fhirUser profile launch launch/encounter online_access") == ScopeSet()


def test_granular_scopes_that_could_not_be_kept_apart_are_refused():
    for text in (
        "patient/Observation.r?category=laboratory patient/Observation.s?category=vital-signs",
        "patient/Observation.r patient/Observation.rs?category=laboratory",
        "patient/*.r patient/Observation.rs?category=laboratory",
    ):
        with pytest.raises(Invalid, match="must all have the same letters"):
            parse(text)


def test_a_granular_scope_beside_the_whole_of_its_type_says_nothing_more():
    assert str(parse("patient/Observation.rs?status=final patient/*.rs")) == "patient/*.rs"


def test_a_scope_parameter_without_end_is_refused():
    with pytest.raises(Invalid, match="longer than 8192"):
        parse("patient/Observation.rs " * 400)


def test_each_parameter_that_may_narrow_a_scope_is_a_token_that_is_searched_by():
    for resource_type, names in GRANULAR.items():
        assert names <= PARAMETERS[resource_type].keys()


@given(scope_sets)
def test_what_is_written_is_read_again_as_it_was(scope_set):
    words = [parse(str(scope)).resources for scope in scope_set.resources]
    assert words == [(scope,) for scope in scope_set.resources]


@given(
    scope_sets,
    scope_sets,
    st.sampled_from(Context),
    st.sampled_from((*TYPES, "Patient")),
    st.sampled_from("cruds"),
    resources,
)
def test_an_intersection_allows_exactly_what_both_allow(one, other, context, kind, letter, found):
    probe = (context, kind, letter, found)
    both = one.intersect(other)
    assert allows(both, *probe) == (allows(one, *probe) and allows(other, *probe))
    assert both.launch_patient == (one.launch_patient and other.launch_patient)
    assert both.offline == (one.offline and other.offline)


@given(
    scope_sets,
    scope_sets,
    st.sampled_from(Context),
    st.sampled_from(TYPES),
    st.sampled_from("cruds"),
    resources,
)
def test_what_lies_within_a_set_never_allows_more(one, other, context, kind, letter, found):
    probe = (context, kind, letter, found)
    if one.within(other):
        assert allows(other, *probe) or not allows(one, *probe)
    assert one.intersect(other).within(other)
    assert one.intersect(other).within(one)


@given(st.text(alphabet="patientusersystem/*.cruds?=&,|%:_ ObservationPatient", max_size=60))
def test_any_text_is_refused_or_read_and_written_without_change_of_meaning(text):
    try:
        scope_set = parse(text)
    except Invalid:
        return
    assert parse(str(scope_set)) == scope_set
