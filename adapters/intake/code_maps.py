"""A laboratory's own code to SNOMED CT or LOINC: added beside it, never in its place.

A code that no map knows is counted on the unmapped list, where a person can give it a meaning;
until then its results are kept, shown to clinicians, and held from the patient.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, insert, select, union, update

from adapters.hl7v2.coding_systems import STANDARD
from adapters.hl7v2.conversion import LocalCode
from adapters.intake import message_keys
from adapters.intake.inbox import bucket_of_key, key_of
from adapters.intake.tables import code_map, inbox_key, unmapped_code
from fhir_server.errors import Unprocessable
from fhir_server.record import Writer

Tree = dict[str, Any]
CodeMap = Mapping[tuple[str, str], Tree]
"""(system, code) of the laboratory to the coding that means the same."""


def meanings(feed: str, codes: Iterable[LocalCode]) -> Select[Any]:
    """Return the statement for what the feed's map knows of these codes."""
    wanted = sorted({key_of(local.code) for local in codes})
    return select(code_map).where(code_map.c.feed == feed, code_map.c.code.in_(wanted))


def has_unmapped(known: Sequence[Row[Any]], codes: Iterable[LocalCode]) -> bool:
    """Tell whether one of *codes* is not among the rows *known*."""
    mapped = {(row.system, row.code) for row in known}
    return any((local.system, local.code) not in mapped for local in codes)


def work_list_bucket(feed: str) -> int:
    """Return the bucket whose lock guards the feed's list of codes without a meaning."""
    return bucket_of_key(f"unmapped\x1f{feed}")


def for_feed(writer: Writer, feed: str, codes: Sequence[LocalCode]) -> CodeMap:
    """Return what the feed's map knows of these codes."""
    rows = writer.select(meanings(feed, codes)) if codes else ()
    return {(row.system, row.code): _coding(row) for row in rows}


def _coding(row: Row[Any]) -> Tree:
    coding = {"system": row.target_system, "code": row.target_code}
    return coding | ({"display": row.target_display} if row.target_display else {})


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


def count_unmapped(writer: Writer, feed: str, codes: Iterable[LocalCode], control_id: str) -> None:
    """Count each code once on the feed's list of codes without a meaning.

    The message that sent them, with this control id, is found by them until they have a meaning.
    The caller holds the lock of `work_list_bucket`: two processes would count in each other's way.
    """
    table = unmapped_code.c
    named = {(key_of(one.system), key_of(one.code)): one for one in codes}
    for (system, code), local in named.items():
        _let_find(writer, feed, control_id, (system, code))
        key = (table.feed == feed, table.system == system, table.code == code)
        seen = writer.execute(
            update(unmapped_code).where(*key).values(count=table.count + 1, last_seen=writer.now)
        )
        if not seen:
            writer.execute(
                insert(unmapped_code).values(
                    feed=feed,
                    system=system,
                    code=code,
                    display=key_of(local.text),
                    unit=key_of(local.unit),
                    count=1,
                    first_seen=writer.now,
                    last_seen=writer.now,
                )
            )


def _let_find(writer: Writer, feed: str, control_id: str, local: tuple[str, str]) -> None:
    key = message_keys.of_code(writer.id_key, feed, *local)
    line = {
        "bucket": bucket_of_key(key),
        "key": key,
        "received": writer.now,
        "feed": feed,
        "control_id": key_of(control_id),
        "sha256": "",
    }
    known = select(inbox_key.c.bucket).where(*(inbox_key.c[name] == line[name] for name in line))
    if not writer.select(known):
        writer.execute(insert(inbox_key).values(line))


@dataclass(frozen=True, slots=True)
class Meaning:
    """A laboratory's code, by the URI of its system, and the coding that means the same."""

    system: str
    code: str
    target: Tree


def set_meaning(writer: Writer, feed: str, local: tuple[str, str], target: Tree) -> None:
    """Give the laboratory's code *local* (system, code) its meaning: see `set_meanings`."""
    set_meanings(writer, feed, (Meaning(*local, target),))


def set_meanings(writer: Writer, feed: str, meanings: Sequence[Meaning]) -> None:
    """Give each of the laboratory's codes its meaning from now on, for this feed.

    The caller holds the lock of `work_list_bucket`. Raises Unprocessable for a meaning in neither
    SNOMED CT nor LOINC, which would take a result for known that is not.
    """
    for one in meanings:
        if one.target.get("system") not in STANDARD or not one.target.get("code") or not one.code:
            raise Unprocessable.of(
                f"A code gets its meaning in one of {', '.join(sorted(STANDARD))}, as system|code."
            )
    rows = {(key_of(one.system), key_of(one.code)): one.target for one in meanings}
    if not rows:
        return
    keys = [{"in_system": system, "with_code": code} for system, code in rows]
    for table in (code_map, unmapped_code):
        here = (table.c.system == bindparam("in_system"), table.c.code == bindparam("with_code"))
        writer.execute(delete(table).where(table.c.feed == feed, *here), keys)
    agent = writer.access.agent
    writer.execute(
        insert(code_map),
        [
            {
                "feed": feed,
                "system": system,
                "code": code,
                "target_system": target["system"],
                "target_code": target["code"],
                "target_display": target.get("display", ""),
                "changed": writer.now,
                "changed_by": agent.behind or agent.user,
            }
            for (system, code), target in rows.items()
        ],
    )


def of_feed(feed: str) -> Select[Any]:
    """Return the statement for every code of the feed that has a meaning."""
    table = code_map.c
    return select(code_map).where(table.feed == feed).order_by(table.code, table.system)


def systems_of(feed: str, code: str) -> Select[Any]:
    """Return the statement for the systems in which the feed sent *code*, or has a meaning for it.

    For a person who knows the code from the list, and not the URI of the laboratory's system.
    """
    found = (
        select(table.c.system).where(table.c.feed == feed, table.c.code == code)
        for table in (unmapped_code, code_map)
    )
    return select(union(*found).subquery().c.system)
