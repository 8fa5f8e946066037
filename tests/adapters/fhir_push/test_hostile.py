"""Hostile and odd Bundles, by name: each is refused with its place, or filed; none breaks us."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.fhir_push.reading import Came, read
from adapters.intake.reading import Read, Verdict
from fhir_server.model import json
from fhir_server.model.validate import judge
from tests.adapters.fhir_push.bundles import changed, message, transaction, url_of
from tests.adapters.fhir_push.hospital import MERSEY, Hospital
from tests.adapters.fhir_push.hostile_bundles import HOSTILE

Tree = dict[str, Any]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def came(tree: Tree | bytes) -> Read:
    raw = tree if isinstance(tree, bytes) else json.encode(tree)
    kind = "transaction" if isinstance(tree, dict) and tree["type"] == "transaction" else "message"
    return read((MERSEY,), Came(raw, kind, "10.0.0.1", NOW, "https://portal.example/fhir"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_bundle_ends_as_stated(name: str) -> None:
    tree, (ack, code, where) = HOSTILE[name]
    found = came(tree)
    if not code:
        assert not isinstance(found.content, Verdict)
        return
    assert isinstance(found.content, Verdict)
    why = found.content.why
    assert (found.content.ack, why.code) == (ack, code)
    assert why.field == where or (not where and why.field.startswith("Bundle.entry[3].request."))


def test_what_is_hostile_is_kept_answered_and_never_filed(hospital: Hospital) -> None:
    for name, (tree, (_, code, _)) in HOSTILE.items():
        if not code or name in {"many-entries", "many-parts"}:
            continue
        is_transaction = isinstance(tree, dict) and tree["type"] == "transaction"
        answer = hospital.transact(tree) if is_transaction else hospital.post(tree)
        assert answer.status_code in {200, 400, 422, 409}, name
        judge(answer.content)
    rows = hospital.rows()
    assert len(rows) >= 60
    assert {row[3] for row in rows} <= {"refused", "quarantined"}
    assert "fault" not in {row[4] for row in rows}
    assert hospital.known() == hospital.known("Patient") == hospital.known("Organization") == []


def paths(node: Any, way: tuple[str, ...] = ()) -> Iterator[str]:
    if way:
        yield ".".join(way)
    if isinstance(node, dict | list):
        for name, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from paths(child, (*way, str(name)))


MESSAGE, TRANSACTION = message(), transaction()
PLACES = [(tree, path) for tree in (MESSAGE, TRANSACTION) for path in paths(tree)]
ODD = st.sampled_from(
    [
        *("", "x", 0, -1, True, [], {}, [None], [[]], [{}], "2026", "a" * 300),
        *({"reference": "x"}, {"reference": 5}, [{"reference": "#x"}], {"value": []}),
        *(url_of("psa"), url_of("patient")),
    ]
)


@settings(max_examples=80)
@given(place=st.sampled_from(PLACES), value=ODD)
def test_whatever_one_element_becomes_the_bundle_is_taken_or_refused_with_its_place(
    place: tuple[Tree, str], value: Any
) -> None:
    tree, path = place
    raw = json.encode(changed(tree, path, value))
    kind = tree["type"]
    found = read((MERSEY,), Came(raw, kind, "10.0.0.1", NOW, "https://portal.example/fhir"))
    verdict = found.content if isinstance(found.content, Verdict) else Verdict("AA")
    if verdict.fault is not None:
        assert verdict.fault.code != "fault"
        assert verdict.fault.field.startswith("Bundle")
    assert found.words is not None
    (answer,) = found.words(verdict, NOW, None)
    judge(answer)
