"""The door to fhir.resources lets R4 through, and nothing that is R4B alone."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fhir_server.model.r4 import JUDGED_TYPES, NOT_IN_R4, SERVED_TYPES, shape
from fhir_server.model.shapes import Shape

R4 = Path(__file__).parent / "r4_elements.txt"


def test_every_shape_has_the_elements_of_r4_in_their_order(all_shapes: Mapping[str, Shape]) -> None:
    ours = {
        name: " ".join(
            element.name + "*" * element.many + "!" * element.required for element in about.elements
        )
        for name, about in all_shapes.items()
    }
    theirs = dict(
        line.split(": ", 1) for line in R4.read_text().splitlines() if not line.startswith("#")
    )
    # The R4B models lack it, so it is refused.
    theirs["Extension"] = theirs["Extension"].replace(" valueMeta", "")
    assert ours == theirs


@pytest.mark.parametrize(
    ("name", "element"),
    [(name, element) for name, elements in NOT_IN_R4.items() for element in sorted(elements)],
)
def test_an_element_of_r4b_alone_is_refused(
    name: str,
    element: str,
    sample: Callable[..., dict[str, object]],
    faults_of: Callable[..., list[tuple[str, str, str]]],
    oracle_refuses: Callable[..., bool],
) -> None:
    values = {
        "valueCodeableReference": {"concept": {"text": "x"}},
        "valueRatioRange": {"lowNumerator": {"value": 1}, "denominator": {"value": 2}},
    }
    tree = sample("Patient", extension=[{"url": "urn:x", element: values[element]}])
    assert name == "Extension"
    assert not oracle_refuses(tree)
    assert [expression for _, _, expression in faults_of(tree)] == [
        f"Patient.extension[0].{element}"
    ]


def test_a_name_that_r4_does_not_have_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        shape("Observatoin")


def test_all_served_types_are_judged() -> None:
    assert len(SERVED_TYPES) == 15
    assert SERVED_TYPES < JUDGED_TYPES


def test_readers_do_not_pay_for_the_models() -> None:
    program = (
        "import sys, fhir_server.model.validate; "
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('fhir', 'pydantic')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
