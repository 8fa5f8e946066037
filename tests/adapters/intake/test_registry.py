"""The agreements with senders: kept, changed, ended; each change on the ledger with its author."""

from dataclasses import replace

from sqlalchemy import select

from adapters.intake import registry
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.tables import feed as table
from tests.adapters.intake.ward import OPERATOR, Ward

LIMS = Feed(name="lims", sources=("10.0.0.0/8",), sending_facility="RXX")


def agree(ward: Ward, feed: Feed) -> None:
    ward.record.submit(OPERATOR, lambda writer: registry.agree(writer, feed)).result(timeout=30)


def end(ward: Ward, name: str) -> bool:
    return ward.record.submit(OPERATOR, lambda writer: registry.end(writer, name)).result(30)


def changes(ward: Ward) -> list[str]:
    return [
        one["entity"][0]["name"] if "name" in one["entity"][0] else str(one["entity"])
        for one in ward.ledger()
        if one["subtype"][0]["code"] == "feed-changed"
    ]


def test_a_feed_is_agreed_on_changed_and_ended(ward: Ward) -> None:
    agree(ward, LIMS)
    agree(ward, Feed(name="another"))
    changed = replace(LIMS, backload=True)
    agree(ward, changed)
    assert registry.agreed(ward.record) == (Feed(name="another"), changed)
    (row,) = ward.record.select(select(table.c.changed_by).where(table.c.name == "lims"))
    assert row.changed_by == "test"
    assert (end(ward, "lims"), end(ward, "lims")) == (True, False)
    assert registry.agreed(ward.record) == (Feed(name="another"),)
    assert len(changes(ward)) == 4
    assert all("feed:" in one for one in changes(ward))


def test_without_any_agreement_only_this_machine_may_send(ward: Ward) -> None:
    assert registry.listening_for(ward.record, loopback=True) == (LOOPBACK,)
    assert registry.listening_for(ward.record, loopback=False) == ()
    agree(ward, LIMS)
    assert registry.listening_for(ward.record, loopback=True) == (LIMS,)


def test_a_door_reads_the_agreements_once_and_again_when_it_is_told_to(ward: Ward) -> None:
    listening = registry.Listening(lambda: registry.agreed(ward.record))
    assert listening() == ()
    agree(ward, LIMS)
    assert listening() == ()
    assert listening.reread() == (LIMS,)
    assert listening() == (LIMS,)
