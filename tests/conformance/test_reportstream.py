"""How far we agree with the outputs that CDC's ReportStream publishes, and where we do not."""

import pytest

from adapters.hl7v2.conversion import Tree
from tests.conformance.reportstream import Tally, compare
from tests.conformance.reportstream_page import DECIDED, NOT_MADE, counted, figures, section, share
from tests.conformance.reportstream_pairs import pairs
from tests.conformance.reportstream_theirs import ID, OWN


def test_outside_what_is_theirs_alone_we_agree_with_nineteen_elements_of_twenty() -> None:
    assert share(figures()) >= 0.95
    assert share(figures(), also=set(OWN) - {ID}) > 0.8


def test_every_difference_has_a_reason_and_every_reason_is_needed() -> None:
    told = figures()
    assert set(told["otherwise"]) == set(DECIDED)
    assert set(told["own"]) == set(OWN)
    assert set(told["elsewhere"]) <= set(NOT_MADE)


def test_what_was_counted_is_what_is_counted_now() -> None:
    if not pairs():
        pytest.skip("shared corpus not present")
    assert counted() == figures(), "make docs counts anew"


def test_the_page_says_both_shares() -> None:
    text = section(lambda heading, rows: " ".join((*heading, *("".join(row) for row in rows))))
    assert f"{share(figures()):.1%}" in text
    assert f"{share(figures(), also=set(OWN) - {ID}):.1%}" in text


def bundle(*resources: Tree) -> Tree:
    return {"entry": [{"resource": one} for one in resources]}


def test_an_element_that_differs_is_counted_as_a_difference() -> None:
    tally = Tally()
    theirs = {"resourceType": "Observation", "id": "1", "status": "final", "valueString": "a"}
    compare(
        [{"resourceType": "Observation", "status": "final", "valueString": "b"}],
        bundle(theirs),
        tally,
    )
    assert dict(tally.alike) == {"Observation.resourceType": 1, "Observation.status": 1}
    assert dict(tally.otherwise) == {"Observation.valueString": 1}
    assert dict(tally.own) == {ID: 1}


def test_two_results_of_theirs_are_not_both_found_in_one_of_ours() -> None:
    tally = Tally()
    theirs = [{"resourceType": "Observation", "id": n, "status": "final"} for n in "12"]
    compare([{"resourceType": "Observation", "status": "final"}], bundle(*theirs), tally)
    assert dict(tally.alike) == {"Observation.resourceType": 1, "Observation.status": 1}
    assert dict(tally.otherwise) == {"Observation.resourceType": 1, "Observation.status": 1}
