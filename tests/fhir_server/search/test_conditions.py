"""What each kind of parameter finds, on both engines."""

import pytest


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("code=psa", {1, 3}),
        ("code=urn:codes|psa", {1, 3}),
        ("code=urn:codes|", {1, 2, 3}),
        ("code=|psa", set()),
        ("code=urn:other|psa", set()),
        ("code=psa,cea", {1, 2, 3}),
        ("code:not=psa", {2}),
        ("code:not=psa,cea", set()),
        ("category=laboratory", {3}),
        ("category:not=laboratory", {1, 2}),
        ("code=psa&category=laboratory", {3}),
        ("code=psa&code=cea", set()),
        ("status=final", {1, 2, 3}),
        ("status=http://hl7.org/fhir/observation-status|final", {1, 2, 3}),
        ("combo-code=part", {2}),
        ("component-code=part", {2}),
        ("specimen=Specimen/s1", {1}),
        ("specimen=s1", {1}),
        ("identifier=urn:lab|F2", {2}),
        ("identifier=F2", {2}),
        ("performer=Organization/o1", {3}),
        ("performer:Organization=o1", {3}),
        ("performer:Practitioner=o1", set()),
    ],
)
@pytest.mark.parametrize("whose", ["patient", "clinician", "filing"])
def test_tokens_and_references(shelf, people, put, query, found, whose):
    shelf.care(people.a, people.practitioner)
    put(1, specimen={"reference": "Specimen/s1"})
    put(
        2,
        code="cea",
        component=[{"code": {"coding": [{"code": "part"}]}}],
        identifier=[{"system": "urn:lab", "value": "F2"}],
        effectiveDateTime="2026-01-01",
    )
    put(
        3,
        category=[{"coding": [{"code": "laboratory"}]}],
        performer=[{"reference": "Organization/o1"}],
        effectiveDateTime="2025-01-01T10:00:00Z",
    )
    access = getattr(people, whose)()
    expected = {shelf.oid(one) for one in found}
    assert set(shelf.ids(access, f"Observation?{query}")) == expected
    assert set(shelf.ids(access, f"Observation?{query}&patient={people.a}")) == expected
    assert shelf.number(access, f"Observation?{query}") == len(expected)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("date=2026-01-05", {1}),
        ("date=2026-01", {1, 2}),
        ("date=eq2026-01-05T10:00:00Z", {1}),
        ("date=ne2026-01-05", {2, 3}),
        ("date=gt2026-01-05", {2, 3}),
        ("date=ge2026-01-05", {1, 2, 3}),
        ("date=ge2026-01-06", {2, 3}),
        ("date=lt2026-01-05", set()),
        ("date=lt2026-01-06", {1}),
        ("date=le2026-01-05", {1}),
        ("date=sa2026-01-05", {2, 3}),
        ("date=sa2026-01-10", {3}),
        ("date=eb2026-01-10", {1}),
        ("date=eb2026-01-05", set()),
        ("date=2026-01-05,2026-01-10", {1}),
        ("date=ge2026-01-05&date=lt2026-02", {1, 2}),
        ("date=ge2026-01-10&date=le2026-01-20", {2}),
        ("date=ap2026-01-15", {1, 2}),
        ("date=ap2026-01-15,ap2026-03-10", {1, 2, 3}),
    ],
)
@pytest.mark.parametrize("whose", ["patient", "filing"])
def test_dates(shelf, people, put, query, found, whose):
    put(1, effectiveDateTime="2026-01-05T10:00:00Z")
    put(2, effectivePeriod={"start": "2026-01-10", "end": "2026-01-20"})
    put(3, effectivePeriod={"start": "2026-03-01"})
    put(4)
    access = getattr(people, whose)()
    assert set(shelf.ids(access, f"Observation?{query}")) == {shelf.oid(one) for one in found}


def test_a_sample_taken_after_midnight_in_summer_is_found_on_that_day(shelf, people, put):
    put(1, effectiveDateTime="2026-06-01T23:30:00Z")
    assert shelf.ids(people.patient(), "Observation?date=2026-06-02") == [shelf.oid(1)]
    assert shelf.ids(people.patient(), "Observation?date=2026-06-01") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=neal", {1}),
        ("name=NEA", {1}),
        ("name=eal", set()),
        ("name:contains=eal", {1}),
        ("name=john", {1, 2}),
        ("name=john,tessa", {1, 2, 3}),
        ("family=oneill", {3}),
        ("family=O’Neill", {3}),
        ("family:exact=O’Neill", {3}),
        ("family:exact=o’neill", set()),
        ("given=tess", {3}),
        ("name=%25", set()),
        ("name:contains=%25", {2}),
        ("name:contains=_", {2}),
        ("name:contains=/", {2}),
        ("name=n%25l", set()),
        ("name=' OR 1=1 --", set()),
    ],
)
def test_strings(shelf, people, query, found):
    for number, family, given_name in (
        (1, "Neal", "John"),
        (2, "100%_/x", "John"),
        (3, "O’Neill", "Tessa"),
    ):
        shelf.put(
            {"resourceType": "Practitioner", "name": [{"family": family, "given": [given_name]}]},
            shelf.oid(number, f"0{number}0"),
        )
    expected = {shelf.oid(one, f"0{one}0") for one in found}
    assert set(shelf.ids(people.patient(), f"Practitioner?{query}")) == expected


def test_ids(shelf, people, put):
    put(1), put(2), put(3, patient=people.b)
    wanted = f"{shelf.oid(2)},{shelf.oid(3, '0bb')},nonsense,{shelf.oid(1)}"
    assert set(shelf.ids(people.patient(), f"Observation?_id={wanted}")) == {
        shelf.oid(1),
        shelf.oid(2),
    }
    assert shelf.number(people.patient(), f"Observation?_id={wanted}") == 2
    assert shelf.ids(people.patient(), "Observation?_id=nonsense") == []


def test_a_search_is_confined_to_its_type(shelf, people, put):
    put(1)
    shelf.put(
        {"resourceType": "DiagnosticReport", "code": {"coding": [{"code": "psa"}]}},
        shelf.oid(2),
        people.a,
    )
    assert shelf.ids(people.patient(), "Observation?code=psa") == [shelf.oid(1)]
    assert shelf.ids(people.patient(), "DiagnosticReport?code=psa") == [shelf.oid(2)]
