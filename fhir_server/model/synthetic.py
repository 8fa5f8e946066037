"""Whom a demonstration may know: nobody who may exist.

NHS numbers from 999 000 0000 to 999 999 9999 are given to nobody (NHS Data Dictionary, NHS NUMBER).
"""

from typing import Any

from fhir_server.errors import Unprocessable
from fhir_server.model.identifiers import NHS_NUMBER, NhsNumber

Tree = dict[str, Any]


def anybody(_tree: Tree) -> None:
    """Admit every resource: a portal that serves people."""


def only_synthetic(tree: Tree) -> None:
    """Admit a resource unless it gives a person an NHS number that somebody may have.

    Raises Unprocessable with the FHIRPath of the number.
    """
    for place, identifier in enumerate(tree.get("identifier", ())):
        if identifier.get("system") != NHS_NUMBER:
            continue
        number = NhsNumber.parse(identifier.get("value", ""))
        if number is None or not number.is_for_tests:
            raise Unprocessable.of(
                "This portal is a demonstration: it takes NHS numbers from 999 000 0000 to "
                "999 999 9999 only.",
                expression=f"{tree['resourceType']}.identifier[{place}].value",
            )
