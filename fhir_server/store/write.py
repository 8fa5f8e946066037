"""`Writer`: what a piece may do inside the committer's transaction.

It files resources with their versions, index rows and care relationships, keeps the notices of
held reports, writes audit entries, and inserts into the caller's own package's tables or executes
statements on them. Rows that are inserted wait with those of the other pieces of the transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar

from sqlalchemy import Executable, Row, Select, Table, bindparam, delete, select

from fhir_server.access import Access
from fhir_server.clock import from_micros, instant_text
from fhir_server.model import json
from fhir_server.model.ids import bucket_of
from fhir_server.model.profiles import claimed
from fhir_server.model.synthetic import anybody
from fhir_server.store import care, read, rows
from fhir_server.store.read import Stored
from fhir_server.store.tables import held_notice
from fhir_server.store.transaction import Transaction

Tree = dict[str, Any]
Change = Literal["created", "updated", "unchanged"]
T = TypeVar("T")

_OF_REPORT = tuple(
    held_notice.c[name] == bindparam(name) for name in ("bucket", "patient", "report")
)
_TOLD = select(held_notice.c.report).where(*_OF_REPORT)
_WITHDRAW = delete(held_notice).where(*_OF_REPORT)


@dataclass(frozen=True, slots=True)
class Filed:
    """What filing did to one resource."""

    stored: Stored
    change: Change


@dataclass(frozen=True, slots=True)
class Notice:
    """What a patient may know of a held report: from the order and the policy, not from the result.

    *opens* is in microseconds since 1970, None where no date is set.
    """

    patient: str
    report: str
    title: str
    category: str
    opens: int | None
    contact: str


class Writer:
    """One piece's hold on the transaction; it lives as long as the piece runs."""

    def __init__(
        self,
        transaction: Transaction,
        access: Access,
        now: int,
        id_key: bytes,
        entry: Callable[..., bytes],
        *,
        admit: Callable[[Tree], None] = anybody,
    ) -> None:
        self._admit = admit
        self._transaction = transaction
        self.access = access
        self.now = now
        self.id_key = id_key
        self.entries: list[bytes] = []
        self._entry = entry
        self._read: dict[tuple[str, str], Stored | None] = {}

    def current(self, resource_type: str, id_: str) -> Stored | None:
        """Return whatever stands under this id: unguarded, for the piece's own reasoning.

        What was read once is not read again: the piece holds the locks of what it writes.
        """
        key = (resource_type, id_)
        if (noted := self._transaction.noted(key)) is not None:
            return noted
        if key not in self._read:
            found = self._transaction.look(read.CURRENT, read.place(resource_type, id_))
            self._read[key] = read.stored(found[0]) if found else None
        return self._read[key]

    def look_up(self, resource_type: str, ids: Iterable[str]) -> None:
        """Read what stands under these ids in one go, for `current` and `file` to know."""
        wanted = [id_ for id_ in dict.fromkeys(ids) if (resource_type, id_) not in self._read]
        dialect = self._transaction.connection.dialect.name
        for places in read.places(resource_type, wanted, dialect):
            for one in map(read.stored, self._transaction.look(read.MANY[dialect], places)):
                self._read[one.type, one.id] = one
        for id_ in wanted:
            self._read.setdefault((resource_type, id_), None)

    def differs(self, tree: Tree, id_: str) -> bool:
        """Tell whether filing *tree* would change the content of what stands under this id."""
        before = self.current(tree["resourceType"], id_)
        return before is None or not _same_content(before, tree)

    def file(
        self,
        tree: Tree,
        *,
        id_: str,
        patient: str,
        release_at: int | None,
        labels: int = 0,
        reason: str = "",
    ) -> Filed:
        """Make *tree*, judged before, the current version of the resource *id_*.

        A new version is made only where something but the version and its time differs. The old
        one is kept as it stood, with who replaced it and why. *release_at* is microseconds since
        1970, raised to the version's own time where it is earlier; None holds the version.

        Raises what the record's *admit* raises for a resource that it does not take.
        """
        self._admit(tree)
        before = self.current(tree["resourceType"], id_)
        if before is not None and before.patient != patient:
            raise AssertionError("a resource never moves from one patient to another")
        if before is not None and self._stands(before, tree, release_at, labels):
            return Filed(before, "unchanged")
        version = 1 if before is None else before.version + 1
        last_updated = self.now if before is None else max(self.now, before.last_updated + 1)
        stored = Stored(
            type=tree["resourceType"],
            id=id_,
            version=version,
            last_updated=last_updated,
            patient=patient,
            release_at=None if release_at is None else max(release_at, last_updated),
            labels=labels,
            body=_body(tree, id_, version, last_updated),
        )
        if before is None:
            rows.create(self._transaction, stored, tree)
        else:
            if self._transaction.noted((stored.type, id_)) is not None:
                self._transaction.send()
            who = self.access.agent.user or self.access.agent.client or self.access.agent.role
            rows.supersede(self._transaction, before, stored, tree, (who, reason))
        self._transaction.note(stored)
        if stored.type == "CareTeam" and patient:
            care.rewrite(self._transaction, {**tree, "id": id_}, patient)
        return Filed(stored, "created" if before is None else "updated")

    def _stands(self, before: Stored, tree: Tree, release_at: int | None, labels: int) -> bool:
        """Tell whether filing would make nothing but another version of the same."""
        is_as_open = before.labels == labels and _same_release(before, release_at, self.now)
        return is_as_open and _same_content(before, tree)

    def audit(self, subtype: str, **told: str) -> None:
        """Leave an entry on the ledger, which stands with what the piece writes."""
        self.entries.append(self._entry(subtype=subtype, **told))

    def attempt(self, act: Callable[[], T]) -> T:
        """Return what *act* returns; where it raises, only what it wrote is undone.

        Its entries are, too: the ledger does not tell of what did not happen.
        """
        told = len(self.entries)
        try:
            with self._transaction.scope():
                return act()
        except BaseException:
            del self.entries[told:]
            raise

    def notice(self, notice: Notice) -> None:
        """Keep *notice* for the patient, in place of an earlier one for the same report."""
        self.withdraw_notice(notice.patient, notice.report)
        self.insert(
            held_notice,
            {
                "bucket": bucket_of(notice.patient),
                "patient": notice.patient,
                "report": notice.report,
                "title": notice.title,
                "category": notice.category,
                "arrived": self.now,
                "opens": notice.opens,
                "contact": notice.contact,
            },
        )

    def withdraw_notice(self, patient: str, report: str) -> None:
        """Take back the notice of *report*: it was released, or it was no result after all."""
        place = {"bucket": bucket_of(patient), "patient": patient, "report": report}
        if self.select(_TOLD, place):
            self.execute(_WITHDRAW, place)

    def select(
        self, statement: Select[Any], parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        """Return the rows of *statement*, as this transaction sees them.

        One that a module made once, and whose *parameters* name the bucket, costs a tenth.
        """
        return self._transaction.select(statement, parameters)

    def insert(self, table: Table, *lines: Mapping[str, Any]) -> None:
        """Insert *lines*, each with a value for every column, into the caller's own *table*.

        They may wait until the transaction ends: a row that is refused then is refused to the
        piece, which is run again for it.
        """
        names = [column.name for column in table.c]
        for line in lines:
            self._transaction.add(table, line["bucket"], [tuple(line[name] for name in names)])

    def execute(
        self,
        statement: Executable,
        parameters: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    ) -> int:
        """Execute *statement* on the caller's own tables; return how many rows it changed."""
        return self._transaction.execute(statement, parameters)


@lru_cache(64)
def _instant(last_updated: int) -> str:
    return instant_text(from_micros(last_updated))


def _body(tree: Tree, id_: str, version: int, last_updated: int) -> bytes:
    own = {"versionId": str(version), "lastUpdated": _instant(last_updated)}
    if "meta" not in tree and "id" not in tree:
        head = {"resourceType": tree["resourceType"], "id": id_, "meta": own | claimed(tree)}
        return json.encode(head | tree)
    sent = tree.get("meta", {})
    source = {"source": sent["source"]} if "source" in sent else {}
    kept = {name: value for name, value in sent.items() if name not in own and name != "profile"}
    rest = {
        name: value for name, value in tree.items() if name not in {"resourceType", "id", "meta"}
    }
    meta = own | source | claimed(tree) | kept
    head = {"resourceType": tree["resourceType"], "id": id_, "meta": meta}
    return json.encode(head | rest)


def _same_release(before: Stored, release_at: int | None, now: int) -> bool:
    """Tell whether nothing changes for the patient: open stays open, held stays held as long."""
    if before.release_at is None or release_at is None:
        return before.release_at is release_at
    return before.release_at == release_at or max(before.release_at, release_at) <= now


def _same_content(before: Stored, tree: Tree) -> bool:
    return before.body == _body(tree, before.id, before.version, before.last_updated)
