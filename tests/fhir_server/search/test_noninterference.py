"""What a patient may not see changes no answer: not its rows, their order, or their number."""

from collections.abc import Callable
from itertools import product

import pytest

WHATS = [
    "", "code=psa", "code:not=psa", "combo-code=psa", "category=lab", "category:not=lab",
    "status=final", "identifier=urn:lab|F1", "identifier=F1", "date=2026", "date=lt2026-02",
    "performer=Patient/{a}", "performer=Patient/{b}", "has-member=Observation/{ob}",
    "_id={oa},{ob},{held}", "_lastUpdated=ge2026", "_lastUpdated=lt2026", "patient={a}",
    "patient={b}", "patient={a},{b}", "subject=Patient/{b}", "subject:Patient={a}",
    "specimen=Specimen/s", "patient={a}&code=psa", "patient={b}&code=psa",
]  # fmt: skip
HOWS = ["", "_sort=-date", "_sort=_id", "_count=1"]
OBSERVATIONS, REPORT = [f"0aa{number:029x}" for number in range(1, 5)], "0aa" + "d" * 29
HELD, THEIRS = "0aa" + "e" * 29, "0bb" + "f" * 29


def observation(patient: str, number: int, performer: str, member: str) -> dict:
    return {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:lab", "value": f"F{number}"}],
        "status": "final",
        "category": [{"coding": [{"code": "lab" if number % 2 else "imaging"}]}],
        "code": {"coding": [{"code": "psa" if number < 3 else "cea"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"2026-0{number}-01",
        "performer": [{"reference": f"Patient/{performer}"}],
        "hasMember": [{"reference": f"Observation/{member}"}],
        "specimen": {"reference": "Specimen/s"},
    }


@pytest.fixture
def own(shelf, people) -> None:
    """A's record, which refers to things of B and to held things of A."""
    for number, id_ in enumerate(OBSERVATIONS, 1):
        tree = observation(people.a, number, people.b, THEIRS)
        shelf.put(tree, id_, people.a, updated=shelf.now - 100 * number)
    results = [{"reference": f"Observation/{one}"} for one in (OBSERVATIONS[0], HELD, THEIRS)]
    report = {"resourceType": "DiagnosticReport", "result": results}
    shelf.put(report, REPORT, people.a)


def put_theirs(shelf, people) -> None:
    """Put B's record there: alike in everything, performed by A, with A's results as members."""
    for number, id_ in enumerate([THEIRS, *(f"0bb{one:029x}" for one in range(1, 5))], 1):
        tree = observation(people.b, min(number, 4), people.a, OBSERVATIONS[0])
        shelf.put(tree, id_, people.b, updated=shelf.now - 50 * number)
    shelf.put({"resourceType": "Patient"}, people.b, people.b)


def put_unseen(shelf, people) -> None:
    """Put there what A has and may not see: held, not open yet, and labelled results."""
    unseen = [{"release_at": None}, {"release_at": shelf.now + 1}, {"labels": 1}]
    for number, kept in enumerate(unseen, 1):
        tree = observation(people.a, number, people.a, OBSERVATIONS[0])
        id_ = HELD if number == 1 else f"0aa{'c' * 28}{number}"
        shelf.put(tree, id_, people.a, updated=shelf.now - 150 * number, **kept)


@pytest.mark.parametrize("put", [put_theirs, put_unseen])
@pytest.mark.usefixtures("own")
def test_what_may_not_be_seen_changes_no_answer(shelf, people, put: Callable):
    access = people.patient(hidden_labels=1)
    names = {"a": people.a, "b": people.b, "oa": OBSERVATIONS[0], "ob": THEIRS, "held": HELD}
    urls = [
        f"Observation?{'&'.join(filter(None, pair))}".format(**names)
        for pair in product(WHATS, HOWS)
    ]
    report = "DiagnosticReport?_include=DiagnosticReport:result"

    def answers():
        return {
            url: (list(shelf.walk(access, url)), shelf.number(access, url)) for url in urls
        }, shelf.included(access, report)

    before = answers()
    put(shelf, people)
    assert answers() == before
    assert before[1] == [f"Observation/{OBSERVATIONS[0]}"]
    assert [bool(rows[0]) for rows, _ in before[0].values()].count(True) > 60
