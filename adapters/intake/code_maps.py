"""A laboratory's own code to SNOMED CT or LOINC: added beside it, never in its place.

A code that no map knows is counted on the unmapped list, where a person can give it a meaning;
until then its results are kept, shown to clinicians, and held from the patient.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update

from adapters.hl7v2.conversion import LocalCode
from adapters.intake.tables import code_map, unmapped_code
from fhir_server.record import Writer

Tree = dict[str, Any]
CodeMap = Mapping[tuple[str, str], Tree]
"""(system, code) of the laboratory to the coding that means the same."""


def for_feed(writer: Writer, feed: str, codes: Iterable[LocalCode]) -> CodeMap:
    """Return what the feed's map knows of these codes."""
    wanted = sorted({local.code for local in codes})
    if not wanted:
        return {}
    rows = writer.select(
        select(code_map).where(code_map.c.feed == feed, code_map.c.code.in_(wanted))
    )
    return {
        (row.system, row.code): {
            "system": row.target_system,
            "code": row.target_code,
            "display": row.target_display,
        }
        for row in rows
    }


def applied(tree: Tree, known: CodeMap) -> Tree:
    """Return *tree* with the known meaning of its code added after the laboratory's own."""
    concept = tree.get("code", {})
    codings = concept.get("coding", [])
    added = [
        known[key]
        for coding in codings
        if (key := (coding.get("system", ""), coding.get("code", ""))) in known
    ]
    if not added:
        return tree
    return {**tree, "code": {**concept, "coding": [*codings, *added]}}


def count_unmapped(writer: Writer, feed: str, codes: Iterable[LocalCode]) -> None:
    """Count each code once on the feed's list of codes without a meaning."""
    table = unmapped_code.c
    for local in {(one.system, one.code): one for one in codes}.values():
        key = (table.feed == feed, table.system == local.system, table.code == local.code)
        seen = writer.execute(
            update(unmapped_code).where(*key).values(count=table.count + 1, last_seen=writer.now)
        )
        if not seen:
            writer.execute(
                insert(unmapped_code).values(
                    feed=feed,
                    system=local.system,
                    code=local.code,
                    display=local.text,
                    unit=local.unit,
                    count=1,
                    first_seen=writer.now,
                    last_seen=writer.now,
                )
            )


def set_meaning(writer: Writer, feed: str, local: tuple[str, str], target: Tree) -> None:
    """Give the laboratory's code *local* (system, code) its meaning from now on, for this feed."""
    system, code = local
    table = code_map.c
    writer.execute(
        delete(code_map).where(table.feed == feed, table.system == system, table.code == code)
    )
    writer.execute(
        insert(code_map).values(
            feed=feed,
            system=system,
            code=code,
            target_system=target["system"],
            target_code=target["code"],
            target_display=target.get("display", ""),
            changed=writer.now,
            changed_by=writer.access.agent.behind or writer.access.agent.user,
        )
    )
    writer.execute(
        delete(unmapped_code).where(
            unmapped_code.c.feed == feed,
            unmapped_code.c.system == system,
            unmapped_code.c.code == code,
        )
    )
