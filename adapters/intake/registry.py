"""The feeds that are agreed on, kept in the database, changed by pieces with an audit entry."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import delete, insert, select

from adapters.intake import feed_settings
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.inbox import bucket_of_key
from adapters.intake.tables import feed as table
from fhir_server.record import Record, Writer


def agreed(record: Record) -> tuple[Feed, ...]:
    """Return the feeds that are agreed on, by name."""
    rows = record.select(select(table.c.settings).order_by(table.c.name))
    return tuple(feed_settings.decode(bytes(row.settings)) for row in rows)


def named(record: Record, name: str) -> Feed | None:
    """Return the agreement called *name*, None where there is none."""
    rows = record.select(select(table.c.settings).where(table.c.name == name))
    return feed_settings.decode(bytes(rows[0].settings)) if rows else None


def listening_for(
    record: Record, *, loopback: bool, synthetic_only: bool = False
) -> tuple[Feed, ...]:
    """Return the feeds that a listener takes: without any, on loopback, this machine's own.

    *synthetic_only* makes each of them one for synthetic people alone, however it was agreed.
    """
    found = agreed(record) or ((LOOPBACK,) if loopback else ())
    return tuple(replace(feed, synthetic_only=True) for feed in found) if synthetic_only else found


class Listening:
    """The feeds that the doors of this process take, read when first asked for and by `reread`.

    Called for every frame, so it costs nothing; whoever changes an agreement calls `reread`.
    """

    def __init__(self, read: Callable[[], tuple[Feed, ...]]) -> None:
        self._read = read
        self._held: tuple[Feed, ...] | None = None

    def __call__(self) -> tuple[Feed, ...]:
        """Return the feeds as they were read last."""
        return self.reread() if self._held is None else self._held

    def reread(self) -> tuple[Feed, ...]:
        """Read the agreements now, and return them. Raises Unavailable; those known stay then."""
        self._held = self._read()
        return self._held


def bucket(name: str) -> int:
    """Return the bucket whose lock guards the agreement called *name*."""
    return bucket_of_key(f"feed\x1f{name}")


def current(writer: Writer, name: str) -> Feed | None:
    """Return the agreement called *name*, None where there is none."""
    rows = writer.select(select(table.c.settings).where(table.c.name == name))
    return feed_settings.decode(bytes(rows[0].settings)) if rows else None


def agree(writer: Writer, feed: Feed) -> tuple[str, ...]:
    """Put *feed* in place of the one of the same name; return the settings that differ now.

    The caller holds the lock of `bucket`. The ledger names the settings, not their values.
    """
    before = current(writer, feed.name)
    changed = feed_settings.differing(before or Feed(name=feed.name), feed)
    if before == feed:
        return ()
    writer.execute(delete(table).where(table.c.name == feed.name))
    agent = writer.access.agent
    writer.execute(
        insert(table).values(
            name=feed.name,
            settings=feed_settings.encode(feed),
            changed=writer.now,
            changed_by=agent.behind or agent.user or agent.client or agent.role,
        )
    )
    reason = ", ".join(changed) or "agreed"
    writer.audit("feed-changed", entity=f"feed:{feed.name}", reason=reason)
    return changed


def end(writer: Writer, name: str) -> bool:
    """Take the feed away; its messages stay. Tell whether there was one."""
    gone = writer.execute(delete(table).where(table.c.name == name))
    if gone:
        writer.audit("feed-changed", entity=f"feed:{name}", reason="ended")
    return bool(gone)
