"""What `_include` adds to a page: what its matches refer to, as far as the caller may read it.

https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select

from fhir_server.access import Access, Interaction, visible
from fhir_server.model.ids import is_id
from fhir_server.search.conditions import among
from fhir_server.search.index import Tree, references
from fhir_server.search.sql import COLUMNS
from fhir_server.search.wanted import Wanted
from fhir_server.store.tables import resource

_TOGETHER = 200
"""Resources of one statement: SQLite's expressions are 1,000 deep at most."""


def referred(wanted: Wanted, trees: Iterable[Tree]) -> list[str]:
    """Return the references of the matches, *trees*, whose targets are wanted, each once."""
    found = dict[str, None]()
    for tree in trees:
        for include in wanted.includes:
            for reference in references(tree, include.parameter.paths):
                if not include.target or reference.startswith(f"{include.target}/"):
                    found[reference] = None
    return list(found)


def included(access: Access, references: Iterable[str], now: int) -> list[Select[Any]]:
    """Return the statements for those of *references* that the caller may read.

    One or more for each type, with the columns of a `Stored`; *now* is in microseconds. Types
    that the caller may not read, absolute references and ids that are not ours are left out
    without a word.
    """
    ids_of: dict[str, list[str]] = {}
    for reference in dict.fromkeys(references):
        kind, _, id_ = reference.partition("/")
        if is_id(id_) and access.permits(kind, Interaction.READ):
            ids_of.setdefault(kind, []).append(id_)
    return [
        select(*(resource.c[name] for name in COLUMNS)).where(
            visible(access, kind, resource, now),
            among(resource.c.bucket, resource.c.id, ids[start : start + _TOGETHER]),
        )
        for kind, ids in ids_of.items()
        for start in range(0, len(ids), _TOGETHER)
    ]
