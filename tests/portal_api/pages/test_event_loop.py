"""Pages look in threads: whoever else is served by the event loop does not wait for them."""

import threading

import pytest
from sqlalchemy import event


@pytest.mark.parametrize(
    ("who", "page", "looks"),
    [("alan", "/patient", {"resource", "held_notice"}), ("tessa", "/clinician", {"held_notice"})],
)
def test_a_look_for_a_page_leaves_the_event_loop_to_others(world, who, page, looks) -> None:
    asking = world.browser(who)
    world.result(world.ids["alan"], "7.3")
    loops: dict[str, bool] = {}

    def heard(_connection, _cursor, statement, *_more) -> None:
        on_the_loop = threading.current_thread() is threading.main_thread()
        for table in ("resource", "held_notice"):
            if f"FROM {table}" in statement and ("LIMIT" in statement or table != "resource"):
                loops[table] = loops.get(table, False) or on_the_loop

    engine = world.portal.record.engines.reader
    event.listen(engine, "before_cursor_execute", heard)
    assert asking.get(page).status_code == 200
    assert looks <= loops.keys()
    assert not any(loops.values())
