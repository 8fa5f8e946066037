"""What somebody may not see changes no byte of any answer that they get.

The same request to two portals, one of which has more in it: another patient's record that is
alike in everything and reaches for this one, or this patient's own results that are held. Status,
headers, body, totals, links, ids and order are compared whole, but for one thing (`unsealed`).
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth import policy
from fhir_server.access import WholeStore
from fhir_server.model import json
from fhir_server.search.parameters import PARAMETERS, Kind, Parameter
from tests import postgres
from tests.conftest import ENGINES
from tests.security.strangers import STRANGERS, rows_of
from tests.security.twins import (
    BASE,
    NURSE,
    THEIRS,
    A,
    B,
    Shown,
    Twins,
    message,
    settle,
    twins,
)

NEVER = "0aa" + "9" * 29
OWN_TYPES = (
    "Patient", "Observation", "DiagnosticReport", "ServiceRequest", "Specimen", "Provenance",
    "Communication", "CareTeam", "Consent", "DocumentReference", "Appointment",
)  # fmt: skip


@contextmanager
def copies(request: pytest.FixtureRequest, engine: str, folder: Path) -> Iterator[list[str]]:
    """Give two databases that are copies of one, its keys included."""
    if engine == "sqlite":
        template = request.getfixturevalue("_sqlite_template")
        yield [f"sqlite:///{shutil.copy(template, folder / f'{n}.db')}" for n in range(2)]
        return
    template, admin = (request.getfixturevalue(f) for f in ("_postgresql_template", "pg_admin"))
    names = [f"twin_{uuid4().hex}" for _ in range(2)]
    for name in names:
        postgres.copy(admin, template, name)
    server = request.getfixturevalue("pg_server")
    yield [postgres.in_database(server, name) for name in names]
    for name in names:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module", params=[f"{s}-{e}" for e in ENGINES for s in STRANGERS])
def worlds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Twins]]:
    """What the stranger is, and two portals: one without, one with it."""
    stranger, engine = request.param.split("-")
    folder = tmp_path_factory.mktemp("twins")
    with copies(request, engine, folder) as urls, twins(urls, folder) as both:
        settle(both, STRANGERS[stranger])
        yield stranger, both


def alike(both: Twins, asker: str, method: str, path: str, **sent: Any) -> Shown:
    """Return the one answer that both give."""
    alone, beside = map(unsealed, both.ask(asker, method, path, **sent))
    pairs = enumerate(zip(alone[2], beside[2], strict=False))
    place = next((n for n, (one, other) in pairs if one != other), "the end")
    assert alone == beside, f"{asker} {method} {path}: the answers differ from byte {place}"
    return alone


def unsealed(shown: Shown) -> Shown:
    """Leave out where a link goes on in the ledger: that place is one among everybody's entries,
    and it is sealed, so that nobody but the server can read it."""
    status, headers, body = shown
    if b"AuditEvent" in body or b"/patient/access" in body:
        body = re.sub(rb"(?<=page=)[\w-]+", b"", body)
    return status, headers, body


def askers(stranger: str) -> list[str]:
    """Who may not see the stranger: of what is held, clinicians know."""
    return ["patient", "nurse"] if stranger == "another" else ["patient"]


def walk(both: Twins, asker: str, path: str) -> int:
    """Ask for a search and the pages after it; return how many matches there were."""
    found = 0
    for _ in range(6):
        status, _, body = alike(both, asker, "GET", path)
        if status != 200:
            return found
        bundle = json.decode(body)
        found += sum(one["search"]["mode"] == "match" for one in bundle.get("entry", ()))
        links = {one["relation"]: one["url"] for one in bundle["link"]}
        if "next" not in links:
            return found
        path = links["next"].removeprefix(BASE)
    return found


def references(both: Twins) -> list[str]:
    """Return what exists in either portal, and what never did."""
    twin = both.beside
    known = [f"{row.type}/{row.id}" for one in (A, B) for row in rows_of(twin, twin.patient(one))]
    return [*known, f"Practitioner/{NURSE}", f"Practitioner/{THEIRS}", f"Observation/{NEVER}"]


def values(both: Twins, parameter: Parameter) -> list[str]:
    """Return values that mean something for *parameter*, and some that do not."""
    if parameter.name in {"_id", "patient", "subject"} or parameter.kind is Kind.REFERENCE:
        known = references(both)
        ids = [one.partition("/")[2] for one in known]
        return [*known, *ids, ",".join(ids[:5]), f"{BASE}/fhir/{known[0]}", "nobody"]
    if parameter.kind is Kind.DATE:
        return ["2026", "ge2026-11-24", "lt2026-11-24T08:40:00Z", "ne2026", "1955-03-01", "soon"]
    if parameter.kind is Kind.STRING:
        return ["Example", "exam", "Person", "Nurse", "RXX", "x"]
    return [
        "2857-1", "http://loinc.org|2857-1", "http://loinc.org|", "|2857-1", "final", "corrected",
        "preliminary", "laboratory", "N1", "N2", "H1", "C1", B, "male", "true", "active", "",
        "2857-1,718-7", "in-progress",
    ]  # fmt: skip


HOWS = [
    "", "_sort=_id", "_sort=-_lastUpdated", "_sort=date", "_sort=-date", "_count=1", "_count=2",
    "_summary=count", "_total=accurate", "_total=none", "_count=0",
]  # fmt: skip
MODIFIERS = ["", ":not", ":exact", ":contains", ":Patient", ":missing", ":identifier", ":text"]


@st.composite
def searches(draw: st.DrawFn, both: Twins) -> tuple[str, str]:
    """Draw a type and the query of a search."""
    resource_type = draw(st.sampled_from(OWN_TYPES))
    pairs = []
    for name in draw(st.lists(st.sampled_from(sorted(PARAMETERS[resource_type])), max_size=3)):
        parameter = PARAMETERS[resource_type][name]
        modifier = draw(st.sampled_from(MODIFIERS)) if draw(st.booleans()) else ""
        pairs.append((name + modifier, draw(st.sampled_from(values(both, parameter)))))
    includes = [n for n, one in PARAMETERS[resource_type].items() if one.kind is Kind.REFERENCE]
    included = draw(st.lists(st.sampled_from(includes), max_size=2, unique=True))
    pairs += [("_include", f"{resource_type}:{name}") for name in included]
    hows = draw(st.lists(st.sampled_from(HOWS), max_size=2, unique=True))
    query = "&".join(filter(None, (urlencode(pairs), *hows)))
    return resource_type, query


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_search_tells_of_what_may_not_be_seen(worlds: tuple[str, Twins], data: Any) -> None:
    stranger, both = worlds
    asker = data.draw(st.sampled_from(askers(stranger)))
    resource_type, query = data.draw(searches(both))
    if data.draw(st.booleans()):
        walk(both, asker, f"/fhir/{resource_type}?{query}")
    else:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/fhir/{resource_type}/_search"
        alike(both, asker, "POST", path, content=query, headers=form)


def test_every_parameter_in_turn_finds_the_same(worlds: tuple[str, Twins]) -> None:
    stranger, both = worlds
    found = 0
    for asker in askers(stranger):
        for resource_type in OWN_TYPES:
            found += walk(both, asker, f"/fhir/{resource_type}?_count=2")
            for name, parameter in PARAMETERS[resource_type].items():
                value = values(both, parameter)[0]
                found += walk(both, asker, f"/fhir/{resource_type}?{urlencode({name: value})}")
    assert found > 50


def test_every_resource_of_anybody_answers_the_same(worlds: tuple[str, Twins]) -> None:
    stranger, both = worlds
    seen = 0
    for asker in askers(stranger):
        for reference in references(both):
            for path in ("", "/_history", "/_history/1"):
                status, *_ = alike(both, asker, "GET", f"/fhir/{reference}{path}")
                seen += status == 200
    assert seen > 40


def test_what_one_writes_is_answered_the_same(worlds: tuple[str, Twins]) -> None:
    stranger, both = worlds
    a, b = (both.alone.patient(one) for one in (A, B))
    heads = [one for one in references(both) if one.startswith("Communication/")]
    statuses = []
    for subject in (a, b, NEVER):
        for head in (None, *heads, f"Communication/{NEVER}"):
            about = {"partOf": [{"reference": head}]} if head else {}
            tree = message(subject, a, **about) | {"status": "completed"}
            sent = {"content": json.encode(tree), "headers": {"Content-Type": "application/json"}}
            for asker in askers(stranger):
                body = alike(both, asker, "POST", "/fhir/Communication", **sent)
                statuses.append(body[0])
    assert 201 in statuses
    assert 422 in statuses
    for asker in askers(stranger):
        assert walk(both, asker, "/fhir/Communication?_count=2&_sort=_id") > 1


def test_no_page_of_the_portal_tells_of_another(worlds: tuple[str, Twins]) -> None:
    stranger, both = worlds
    reports = [one for one in references(both) if one.startswith("DiagnosticReport/")]
    paths = [f"/patient/results/{one.partition('/')[2]}" for one in reports]
    letters = [one for one in references(both) if one.startswith("DocumentReference/")]
    paths += [f"/patient/letters/{one.partition('/')[2]}" for one in letters]
    paths += ["/patient/messages", "/patient/messages/new", f"/patient/results/{NEVER}"]
    paths += ["/patient/letters", "/patient/appointments"]
    if stranger == "another":
        # Of one's own held results these two tell, as they should: a notice, and who filed it.
        paths += ["/patient", "/patient/access"]
    statuses = [alike(both, "page", "GET", path)[0] for path in paths]
    assert {200, 404} <= set(statuses)


def test_the_ledger_tells_a_patient_of_nobody_else(worlds: tuple[str, Twins]) -> None:
    stranger, both = worlds
    alike(both, "nurse", "GET", "/fhir/AuditEvent")
    if stranger == "another":
        for query in ("_count=5", "_count=100", "subtype=message-filed", "_sort=_lastUpdated"):
            _, _, body = alike(both, "patient", "GET", f"/fhir/AuditEvent?{query}")
            assert json.decode(body)["entry"] or query == "_sort=_lastUpdated"


def test_the_stranger_is_there_and_would_be_noticed(
    worlds: tuple[str, Twins], monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger, both = worlds
    asker = "nurse"
    if stranger == "another":
        asker = "patient"
        monkeypatch.setattr(policy, "_reach", lambda _: WholeStore())
        monkeypatch.setattr(policy, "_standing", policy._standing.__wrapped__)
    alone, beside = both.ask(asker, "GET", "/fhir/Observation?_count=100")
    # With what stands before it: a random id may have these digits, too.
    value = b'"value":999'
    assert (value in alone[2], value in beside[2]) == (False, True)
    with pytest.raises(AssertionError, match="the answers differ"):
        alike(both, asker, "GET", "/fhir/Observation?_count=100")
