"""The compiled structures against fhir.resources, on resources that went wrong in random ways.

Whatever fhir.resources refuses, we refuse; what we refuse beyond it is in `test_faults.py`.
"""

import csv
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.errors import Invalid
from fhir_server.model import json
from fhir_server.model.faults import faults
from fhir_server.model.r4 import JUDGED_TYPES, SERVED_TYPES
from fhir_server.model.structures import reordered
from fhir_server.model.validate import judge

CORPUS = Path(__file__).resolve().parents[3] / "../shared/corpus/hl7v2"

Sample = Callable[..., dict[str, Any]]
Faults = Callable[..., list[tuple[str, str, str]]]
Oracle = Callable[[dict[str, Any]], bool]
Path_ = tuple[str | int, ...]

JUNK: list[Any] = [
    None,
    "",
    " ",
    "x",
    "#x",
    "2023-02-30",
    "2024-05-06T07:08:09Z",
    True,
    0,
    -1,
    5,
    2**40,
    Decimal("5.0"),
    [],
    [None],
    ["x"],
    [["x"]],
    {},
    {"id": "x"},
    {"reference": "Patient/x"},
    {"extension": [{"url": "urn:x", "valueString": "y"}]},
    {"coding": [{"code": "x"}]},
    {"resourceType": "Observation"},
    [{"resourceType": "Nonsense"}],
    [{}],
]
NEW_KEYS = [
    "nonsense",
    "status__ext",
    "fhir_comments",
    "_status",
    "_given",
    "_code",
    "valueString",
    "valueInteger",
    "effectiveInstant",
    "deceasedDateTime",
    "resourceType",
    "extension",
    "contained",
    "id",
    "text",
    "class",
    "class_",
]


def places(tree: Any, path: Path_ = ()) -> Iterator[Path_]:
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for step, value in steps:
        yield (*path, step)
        if isinstance(value, dict | list):
            yield from places(value, (*path, step))


def parent_of(tree: Any, path: Path_) -> Any:
    for step in path[:-1]:
        tree = tree[step]
    return tree


def mutate(tree: dict[str, Any], draw: Callable[[Any], Any]) -> None:
    path = draw(st.sampled_from(sorted(places(tree), key=repr)))
    parent, step = parent_of(tree, path), path[-1]
    match draw(st.sampled_from(["drop", "junk", "wrap", "double", "add", "rename", "text"])):
        case "drop":
            del parent[step]
        case "junk":
            parent[step] = deepcopy(draw(st.sampled_from(JUNK)))
        case "wrap":
            parent[step] = [parent[step]]
        case "double" if isinstance(parent[step], list):
            parent[step] = parent[step] * 2
        case "double" if isinstance(parent, list):
            parent.append(deepcopy(parent[step]))
        case "add":
            owner = parent[step] if isinstance(parent[step], dict) else parent
            if isinstance(owner, dict):
                key = draw(st.sampled_from(NEW_KEYS))
                owner[key] = deepcopy(draw(st.sampled_from(JUNK)))
        case "rename" if isinstance(parent, dict):
            parent[f"_{step}"] = parent.pop(step)
        case "text":
            parent[step] = str(parent[step])


@st.composite
def mutated(draw: Callable[[Any], Any], tree: dict[str, Any]) -> dict[str, Any]:
    changed = deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        if len(changed) > 1:
            mutate(changed, draw)
    return changed


# The fixtures hold constants, so that one set of them does for all examples.
PROPERTY = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", sorted(JUDGED_TYPES))
@given(choices=st.data())
@PROPERTY
def test_whatever_fhir_resources_refuses_is_refused(
    name: str, choices: st.DataObject, sample: Sample, faults_of: Faults, oracle_refuses: Oracle
) -> None:
    tree = choices.draw(mutated(sample(name)))
    if oracle_refuses({**tree, "resourceType": name}):
        assert faults_of({**tree, "resourceType": name})


@pytest.mark.parametrize("name", sorted(JUDGED_TYPES))
@given(choices=st.data())
@PROPERTY
def test_the_fast_answer_and_the_one_with_reasons_agree(
    name: str, choices: st.DataObject, sample: Sample
) -> None:
    tree = json.decode(json.encode(choices.draw(mutated(sample(name)))))
    assert (reordered(tree, name) is None) == bool(list(faults(tree, name, name)))


@pytest.mark.parametrize("name", sorted(JUDGED_TYPES))
@given(choices=st.data())
@PROPERTY
def test_whatever_is_accepted_is_kept_whole(
    name: str, choices: st.DataObject, sample: Sample
) -> None:
    tree = choices.draw(mutated(sample(name)))
    try:
        canonical = judge(tree, name)
    except Invalid:
        return
    assert canonical == json.decode(json.encode(tree))
    assert next(iter(canonical)) == "resourceType"
    assert judge(json.encode(canonical)) == canonical


FIRST_USE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from fhir_server.model.validate import judge

sys.setswitchinterval(1e-6)
samples = [path.read_bytes().replace(b"\\n", b"") for path in Path(sys.argv[1]).glob("*.json")]
start = Barrier(2 * len(samples))

def first(content):
    start.wait()
    return judge(content)["resourceType"]

with ThreadPoolExecutor(start.parties) as threads:
    print(len(list(threads.map(first, samples * 2))))
"""


def test_many_threads_may_be_the_first_to_judge() -> None:
    samples = Path(__file__).parent / "samples"
    done = subprocess.run(
        [sys.executable, "-c", FIRST_USE, str(samples)], check=True, capture_output=True, text=True
    )
    assert done.stdout == f"{2 * len(JUDGED_TYPES)}\n"


def corpus_bundles() -> Iterator[Path]:
    with (CORPUS / "INDEX.tsv").open(encoding="utf8") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        yield from sorted(
            {CORPUS / row["expected"] for row in rows if row["direction"] == "v2>fhir"}
        )


@pytest.mark.skipif(not (CORPUS / "INDEX.tsv").is_file(), reason="the corpus is not beside us")
def test_resources_of_other_converters_are_judged_at_least_as_strictly_as_by_the_models(
    oracle_refuses: Oracle, faults_of: Faults
) -> None:
    accepted = refused = 0
    for path in corpus_bundles():
        content = path.read_bytes()
        bundle = json.decode(content) if content.startswith(b"{") else {}
        for entry in bundle.get("entry", ()):
            tree = entry.get("resource", {})
            if tree.get("resourceType") not in SERVED_TYPES:
                continue
            found = faults_of(tree)
            accepted += not found
            refused += bool(found)
            assert found or not oracle_refuses(tree)
    assert accepted > refused
