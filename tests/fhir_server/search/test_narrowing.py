"""Granular scopes narrow by whole codes, or are refused: what was passed over would widen them."""

from urllib.parse import parse_qsl

import pytest

from fhir_server.access import Narrowing
from fhir_server.errors import Invalid, NotSupported
from fhir_server.search.index import token_hash
from fhir_server.search.narrowing import narrowing

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def group(*terms):
    return frozenset(token_hash("Observation", *term) for term in terms)


@pytest.mark.parametrize(
    ("scope", "groups"),
    [
        ("category=laboratory", [group(("category", "laboratory"))]),
        (f"category={CATEGORY}|laboratory", [group(("category", f"{CATEGORY}|laboratory"))]),
        ("category=http:%2F%2Fx%7Clab", [group(("category", "http://x|lab"))]),
        ("category=a,b", [group(("category", "a"), ("category", "b"))]),
        ("category=a&code=b", [group(("category", "a")), group(("code", "b"))]),
        ("combo-code=a", [group(("code", "a"), ("component-code", "a"))]),
    ],
)
def test_parameters_are_joined_by_and_commas_by_or(scope, groups):
    assert narrowing("Observation", parse_qsl(scope)) == Narrowing(tuple(groups))


@pytest.mark.parametrize(
    "scope",
    [
        "", "category:not=x", "category:in=x", "subject.name=x", "_has:Provenance:target:agent=x",
        "_include=Observation:subject", "colour=x", "x", "date=2026", "patient=x", "_id=x",
        "_count=1&category=x", "category=x&_sort=date", "category=x&date=2026", "category=",
        "category=a%00",
    ],
)  # fmt: skip
def test_anything_else_is_refused(scope):
    with pytest.raises((Invalid, NotSupported)):
        narrowing("Observation", parse_qsl(scope, keep_blank_values=True))


def test_only_whole_codes_match(shelf, people):
    access = people.patient(
        narrowed={"Observation": (narrowing("Observation", [("category", "lab")]),)}
    )
    for number, code in enumerate(["laboratory", "Lab", "lab"]):
        tree = {"resourceType": "Observation", "category": [{"coding": [{"code": code}]}]}
        shelf.put(tree, f"0aa{number:029x}", people.a)
    assert shelf.ids(access, "Observation") == [f"0aa{2:029x}"]
