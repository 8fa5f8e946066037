"""Attacks by search parameters: cases 108 and 110, and parameters sent twice (case 16, 27).

A search is bounded, is made of bound parameters, and nothing in it is a pattern.
"""

from typing import Any

from fhir_server.model.validate import judge
from fhir_server.rest.interactions import INTERACTIONS, parameters_of

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
METACHARACTERS = (
    "'",
    "\"'`--;/*",
    "' OR '1'='1",
    "'; DROP TABLE resource; --",
    "x') UNION SELECT body FROM resource --",
    "%",
    "_",
    "%25%",
    "\\",
    "\\'",
    "?",
    ":1",
    "%(x)s",
    "{0}",
    "$1",
    "$$",
    "a\\|b",
    "(((((((((((a+)+)+)+)+)+)+)+)+)+)+)+$",
    "\u2028",
    "\u202e",
    "🩸" * 100,
    "' OR 1=1 OR 'a'='a",
    "1e309",
    "9" * 400,
    "-" * 400,
)
TELLING = ("'", "' OR '1'='1", "%")
ALTERNATIVES = ",".join(one.replace("\\", "\\\\").replace(",", "\\,") for one in METACHARACTERS)
BOUNDED = frozenset({200, 400})


def asked(asker: Any, path: str, **parameters: Any) -> Any:
    response = asker.get(path, params=parameters)
    assert response.status_code in BOUNDED, (path, parameters, response.text)
    judge(response.content)
    return response


def test_case_108_more_than_a_page_is_a_page(world: Any) -> None:
    alan = world.as_patient(world.alan)
    for count in ("1000000", "999999999", "101", "100"):
        bundle = alan.get(f"Observation?_count={count}").json()
        assert len(bundle["entry"]) == 2
    for count in ("1000000000000", "-1", "1e9", "0x10", " 5", "\u0665", "NaN", ""):
        assert asked(alan, "Observation", _count=count).status_code == 400


def test_case_108_a_search_has_so_many_values_and_parameters(world: Any) -> None:
    alan = world.as_patient(world.alan)
    for name in ("code", "_id", "patient", "date", "status"):
        value = "2026" if name == "date" else "x"
        few, many = ",".join([value] * 100), ",".join([value] * 500)
        assert asked(alan, "Observation", **{name: few}).status_code == 200
        assert asked(alan, "Observation", **{name: many}).status_code == 400
    for number, status in ((50, 200), (51, 400), (200, 400), (201, 400), (5000, 400)):
        path = "Observation?" + "&".join(["code=x"] * number)
        assert alan.get(path).status_code == status
        form = alan.ask(
            "POST", "Observation/_search", content="&".join(["code=x"] * number), headers=FORM
        )
        assert form.status_code == status
    long = asked(alan, "Observation", code="x" * 501)
    assert (long.status_code, long.json()["issue"][0]["expression"]) == (400, ["code"])


def test_case_108_a_date_is_a_date_and_never_a_pattern(world: Any) -> None:
    alan = world.as_patient(world.alan)
    for date in (
        *("*", "2026-*", "%", "20", "0000", "2026-13", "2026-02-30", "2026-11-24T25:00", "gt"),
        *("xx2026", "2026..2027", "2026-11-24T10:00:00+99:00", "-2026", "99999"),
    ):
        for name in ("date", "_lastUpdated"):
            assert asked(alan, "Observation", **{name: date}).status_code == 400, date
    for date in (
        *("0001", "9999", "9999-12-31", "ap9999", "lt0001-01-01", "sa9999-12-31T23:59:59Z"),
        *("2026-11-24T10:00:60Z", "ge1500-01-01"),
    ):
        asked(alan, "Observation", date=date)


def test_case_110_no_parameter_of_any_type_lets_sql_in(world: Any) -> None:
    system = world.as_client()
    everything = system.get("Observation?_summary=count").json()["total"]
    for kind in INTERACTIONS:
        asker = world.as_auditor() if kind == "AuditEvent" else system
        for name in parameters_of(kind):
            for value in (*TELLING, ALTERNATIVES):
                response = asked(asker, kind, **{name: value})
                if response.status_code == 200:
                    assert "entry" not in response.json(), (kind, name, value)
                for told in ("SQL", "sqlite", "psycopg", "Traceback", "/work", "SELECT "):
                    assert told not in response.text.replace(value, "")
    assert system.get("Observation?_summary=count").json()["total"] == everything


def test_case_110_no_result_parameter_lets_sql_in(world: Any) -> None:
    alan = world.as_patient(world.alan)
    names = (
        *("_sort", "_count", "_include", "_total", "_summary", "_page", "_elements", "_format"),
        *("_id", "code:not", "code:in", "subject:Patient", "a' OR 1=1 --", "code;DROP", ""),
    )
    for name in names:
        for value in METACHARACTERS:
            response = alan.get("Observation", params={name: value})
            assert response.status_code in BOUNDED | {406}
            judge(response.content)


def test_case_110_a_wildcard_is_a_letter_like_any_other(world: Any) -> None:
    nurse = world.as_clinician(world.nurse)
    assert len(nurse.ids("Patient?family=Exam")) == 2
    assert len(nurse.ids("Patient?family:contains=xampl")) == 2
    for wild in ("%25", "_", "E%25", "Ex_mple", "%25xample", "*", "Ex*", "[A-Z]xample", "E?ample"):
        for name in ("family", "family:contains", "family:exact", "name"):
            response = nurse.get(f"Patient?{name}={wild}")
            assert response.json().get("total") in {0, None}, (name, wild)
            assert "entry" not in response.json(), (name, wild)


def test_case_16_parameters_sent_twice_never_widen(world: Any) -> None:
    alan = world.as_patient(world.alan)
    mine, theirs = world.alan, world.brian
    for query, total in {
        f"patient={mine}&patient={theirs}": 0,
        f"patient={theirs}&patient={mine}": 0,
        f"patient={mine},{theirs}": 2,
        f"patient={mine}&subject={theirs}": 0,
        f"patient={mine}&subject:Patient={theirs}": 0,
        f"patient={theirs}&Patient={mine}": None,
        f"patient={theirs}&patient[]={mine}": None,
        f"patient={theirs};patient={mine}": 0,
        f"patient={theirs}%26patient={mine}": 0,
        f"patient={mine}&patient=": None,
        f"patient={mine}&_count=1&_count=100": None,
        f"patient={mine}&_page=x&_page=y": None,
        f"patient={mine}&_format=json&_format=xml": None,
    }.items():
        response = alan.get(f"Observation?{query}")
        assert response.json().get("total") == total, query
        assert response.status_code == (400 if total is None else 200), query
        entries = response.json().get("entry", [])
        assert {one["resource"]["subject"]["reference"] for one in entries} <= {f"Patient/{mine}"}


def test_case_27_a_form_and_an_address_are_one_search(world: Any) -> None:
    alan = world.as_patient(world.alan)
    never = "0a" * 16
    for address, form, total in (
        ("", "", 2),
        (f"?patient={world.alan}", "code=2857-1", 2),
        (f"?patient={world.alan}", f"patient={world.brian}", 0),
        (f"?patient={world.brian}", f"patient={world.alan}", 0),
        (f"?patient={world.brian}", "", 0),
        ("", f"subject=Patient/{world.brian}", 0),
        ("?_count=1", "_count=2", None),
        ("?_format=json", "_format=json", None),
        ("?foo=1", "code=x", None),
    ):
        response = alan.ask("POST", f"Observation/_search{address}", content=form, headers=FORM)
        assert response.json().get("total") == total, (address, form)
        query = "&".join(filter(None, (address.removeprefix("?"), form)))
        if total is not None:
            by_get = alan.get(f"Observation?{query}")
            assert by_get.json()["link"] == response.json()["link"]
            assert by_get.json().get("entry") == response.json().get("entry")
        nobody = alan.ask(
            "POST",
            f"Observation/_search{address.replace(world.brian, never)}",
            content=form.replace(world.brian, never),
            headers=FORM,
        )
        assert nobody.status_code == response.status_code
