"""Judging whole resources, with fhir.resources as the oracle on one side.

Whatever fhir.resources refuses, we refuse. What we refuse beyond it stands in `MORE_REFUSALS`.
"""

import csv
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.errors import Invalid, Unprocessable
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
PROPERTY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", sorted(JUDGED_TYPES))
def test_a_valid_resource_comes_back_byte_for_byte(
    name: str, sample_bytes: Mapping[str, bytes], oracle_refuses: Oracle
) -> None:
    tree = judge(sample_bytes[name], name)
    assert json.encode(tree) == sample_bytes[name]
    assert judge(tree) == tree
    assert not oracle_refuses(tree)


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


@pytest.mark.parametrize("name", sorted(JUDGED_TYPES))
def test_the_order_of_the_sender_does_not_matter(
    name: str, sample_bytes: Mapping[str, bytes]
) -> None:
    def reversed_(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: reversed_(tree[key]) for key in reversed(tree)}
        return [reversed_(one) for one in tree] if isinstance(tree, list) else tree

    backwards = json.encode(reversed_(json.decode(sample_bytes[name])))
    assert backwards != sample_bytes[name]
    assert json.encode(judge(backwards)) == sample_bytes[name]


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9
    )
)
def test_a_result_keeps_its_digits_through_judgement(value: Decimal) -> None:
    tree = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    tree["valueQuantity"] = {"value": value}
    assert str(judge(tree)["valueQuantity"]["value"]) == str(value)
    assert f'"value":{value}'.encode() in json.encode(judge(tree))


def test_every_fault_gets_an_issue_with_its_place(sample: Sample, faults_of: Faults) -> None:
    tree = sample(
        "Observation",
        status=None,
        issued="2023-02-30T00:00:00Z",
        valueString="x",
        component=[{"valueInteger": "1"}, {"code": {"text": 1}}, 5],
        note={"text": "x"},
        category=[],
        mood="good",
    )
    assert faults_of(tree) == [
        ("structure", "Observation has no element 'mood' in FHIR R4.", "Observation.mood"),
        ("required", "Observation.status is missing.", "Observation.status"),
        (
            "structure",
            "Observation.category is an empty array; leave it out.",
            "Observation.category",
        ),
        (
            "value",
            "Observation.issued must be an instant with zone such as 2024-03-09T14:05:00Z.",
            "Observation.issued",
        ),
        ("structure", "Observation.note repeats, so it must be an array.", "Observation.note"),
        (
            "required",
            "Observation.component[0].code is missing.",
            "Observation.component[0].code",
        ),
        (
            "value",
            "Observation.component[0].valueInteger must be a whole number of 32 bits.",
            "Observation.component[0].valueInteger",
        ),
        (
            "value",
            "Observation.component[1].code.text must be a text that is not empty.",
            "Observation.component[1].code.text",
        ),
        ("structure", "Observation.component[2] must be an object.", "Observation.component[2]"),
        (
            "structure",
            "Observation.value[x] can have one type only; valueQuantity and valueString are given.",
            "Observation.value",
        ),
    ]


def test_faults_inside_contained_resources_and_entries_have_their_place(
    sample: Sample, faults_of: Faults
) -> None:
    tree = sample("Observation", contained=[{"resourceType": "Device", "id": "analyser", "x": 1}])
    assert [where for _, _, where in faults_of(tree)] == ["Observation.contained[0].x"]
    bundle = sample("Bundle")
    bundle["entry"][0]["resource"]["active"] = "yes"
    bundle["entry"][1]["resource"]["issue"] = []
    assert [where for _, _, where in faults_of(bundle)] == [
        "Bundle.entry[0].resource.active",
        "Bundle.entry[1].resource.issue",
    ]


@pytest.mark.parametrize(
    ("content", "issue"),
    [
        (b"[]", ("structure", "A resource must be a JSON object.", "")),
        (b"{}", ("required", "resourceType is missing.", "resourceType")),
        (b'{"resourceType":5}', ("required", "resourceType is missing.", "resourceType")),
        (
            b'{"resourceType":"Appointment"}',
            ("not-supported", "This type of resource is not known here.", "resourceType"),
        ),
    ],
)
def test_what_is_no_resource_is_refused(
    content: bytes, issue: tuple[str, str, str], faults_of: Faults
) -> None:
    assert faults_of(content) == [issue]


def test_a_resource_of_another_type_than_expected_is_refused(sample: Sample) -> None:
    with pytest.raises(Unprocessable, match=r"The resource must be of type Patient\."):
        judge(sample("Observation"), "Patient")


def test_a_missing_status_may_be_explained_by_an_extension(sample: Sample) -> None:
    reason = {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}
    tree = sample("Observation", status=None, _status=reason)
    assert judge(tree)["_status"] == reason
    assert "status" not in judge(tree)


def test_the_caller_keeps_the_tree_that_was_judged(sample: Sample) -> None:
    tree = sample("Observation")
    before = deepcopy(tree)
    canonical = judge(tree)
    canonical["subject"]["reference"] = "Patient/changed"
    canonical["contained"][0]["id"] = "changed"
    assert tree == before


def test_case_104_extensions_nested_150_deep_are_refused(sample: Sample, faults_of: Faults) -> None:
    inner: dict[str, Any] = {"url": "urn:x", "valueString": "y"}
    for _ in range(150):
        inner = {"url": "urn:x", "extension": [inner]}
    assert faults_of(sample("Patient", extension=[inner])) == [
        ("structure", "The JSON nests deeper than 64 objects and arrays.", "")
    ]


def test_case_105_a_second_subject_is_refused(faults_of: Faults) -> None:
    content = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        b'"subject":{"reference":"Patient/a"},"subject":{"reference":"Patient/b"}}'
    )
    assert faults_of(content) == [
        ("structure", "The same key stands twice in one JSON object.", "Observation.subject")
    ]


def test_case_52_a_bundle_inside_a_resource_is_refused(sample: Sample, faults_of: Faults) -> None:
    tree = sample("Observation", contained=[{"resourceType": "Bundle", "type": "collection"}])
    assert [where for _, _, where in faults_of(tree)] == ["Observation.contained[0]"]


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


def test_a_name_that_no_element_has_is_not_repeated(sample: Sample, faults_of: Faults) -> None:
    tree = sample("Patient")
    tree["Alan Archer, 1953"] = 1
    assert faults_of(tree) == [
        (
            "structure",
            "Patient holds something whose name no element of FHIR R4 has.",
            "Patient",
        )
    ]


MORE_REFUSALS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a number written as a text": (
        "Observation",
        {"valueQuantity": {"value": "5.10"}},
        "Observation.valueQuantity.value",
    ),
    "a whole number written as a text": (
        "Patient",
        {"multipleBirthInteger": "2"},
        "Patient.multipleBirthInteger",
    ),
    "a whole number with a point": (
        "Patient",
        {"multipleBirthInteger": Decimal("2.0")},
        "Patient.multipleBirthInteger",
    ),
    "a boolean as a word": ("Patient", {"active": "yes"}, "Patient.active"),
    "a boolean as a number": ("Patient", {"active": 1}, "Patient.active"),
    "a number for a text date": ("Patient", {"birthDate": 0}, "Patient.birthDate"),
    "null": ("Patient", {"maritalStatus": {"text": None}}, "Patient.maritalStatus.text"),
    "a null that nothing stands beside": (
        "Patient",
        {"name": [{"given": ["Alan", None]}]},
        "Patient.name[0].given[1]",
    ),
    "an array and its extensions of unequal length": (
        "Patient",
        {"name": [{"given": ["Alan"], "_given": [None, {"id": "x"}]}]},
        "Patient.name[0].given",
    ),
    "an empty array": ("Patient", {"identifier": []}, "Patient.identifier"),
    "an empty object": ("Patient", {"maritalStatus": {}}, "Patient.maritalStatus"),
    "an element with an id alone": (
        "Patient",
        {"maritalStatus": {"id": "x"}},
        "Patient.maritalStatus",
    ),
    "the models' own name for an extension": (
        "Observation",
        {"status__ext": {"id": "x"}},
        "Observation",
    ),
    "comments of the models": (
        "Observation",
        {"fhir_comments": "x"},
        "Observation",
    ),
    "a code that the required binding lacks": ("Patient", {"gender": "M"}, "Patient.gender"),
    "an id of more than 64 characters": ("Patient", {"id": "x" * 65}, "Patient.id"),
    "a blank in a URI": ("Patient", {"implicitRules": "a b"}, "Patient.implicitRules"),
    "a tab in a code": (
        "Patient",
        {"language": "en\tGB"},
        "Patient.language",
    ),
    "white space around base64": (
        "Practitioner",
        {"photo": [{"contentType": "image/png", "data": "QU JD"}]},
        "Practitioner.photo[0].data",
    ),
    "two alternatives of which one is an extension": (
        "Patient",
        {"_deceasedDateTime": {"id": "x"}},
        "Patient.deceased",
    ),
    "a contained resource of a type that is not judged": (
        "Patient",
        {"contained": [{"resourceType": "Binary", "contentType": "text/plain"}]},
        "Patient.contained[0]",
    ),
}


@pytest.mark.parametrize("reason", MORE_REFUSALS)
def test_what_fhir_resources_lets_pass_is_refused_for_a_named_reason(
    reason: str, sample: Sample, faults_of: Faults, oracle_refuses: Oracle
) -> None:
    name, changes, expression = MORE_REFUSALS[reason]
    tree = sample(name, **changes)
    assert not oracle_refuses(tree), "fhir.resources refuses it by now: take it off the list"
    assert [where for _, _, where in faults_of(tree)] == [expression]


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
