"""A silence is in the log once, and so is its end."""

import logging

from adapters.intake import feed_settings, registry
from portal_api.silence import told
from tests.portal_api.pages.world import FILING, make_world


def test_a_silence_is_told_once_and_so_is_its_end(sqlite_url, tmp_path, caplog) -> None:
    caplog.set_level(logging.WARNING)
    settings = {"name": "north", "expected": {"weekdays": "08-18", "silence_minutes": 30}}
    feed = feed_settings.from_settings(settings)
    for world in make_world(sqlite_url, tmp_path):
        record = world.portal.record
        record.submit(FILING, lambda writer: registry.agree(writer, feed)).result(10)
        assert told(record, frozenset()) == frozenset()
        world.hands.advance(minutes=45)
        silent = told(record, frozenset())
        assert told(record, silent) == silent == {"north"}
        record.submit(FILING, lambda writer: registry.end(writer, "north")).result(10)
        assert told(record, silent) == frozenset()
    assert [one.getMessage() for one in caplog.records] == [
        "feed north is silent: no message in 45 minutes of its hours",
        "feed north is not silent any more",
    ]
