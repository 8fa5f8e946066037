"""How the ledger writes what came from outside: bounded, on one line, in FHIR's datatypes."""

import re
from typing import Any

Tree = dict[str, Any]

DCM = "http://dicom.nema.org/resources/ontology/DCM"
REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}(/_history/[0-9]{1,9})?")
"""A relative reference; the group is there where it names a version."""
TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")


def plain(text: str, limit: int) -> str:
    r"""Return *text* without control, format and surrogate characters, at most *limit* long.

    Such characters are written out (`\x0a`, `\u202e`), so that an entry can't break a line, hide a
    word or turn the direction of writing wherever it is shown. A longer text ends in an ellipsis.
    """
    if not text.isprintable():
        text = "".join(
            sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
        )
    text = text.strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def code(text: str, limit: int) -> str:
    """Return *text* as FHIR's code: as `plain`, with a hyphen for each gap between words."""
    return "-".join(plain(text, limit).split())


def coding(system: str, code: str, display: str = "") -> Tree:
    """Return a FHIR Coding, with its display where one is given."""
    if display:
        return {"system": system, "code": code, "display": display}
    return {"system": system, "code": code}


def filled(tree: Tree) -> Tree:
    """Return *tree* without what is empty, as FHIR has no empty element; it holds no False."""
    return {name: value for name, value in tree.items() if value}
