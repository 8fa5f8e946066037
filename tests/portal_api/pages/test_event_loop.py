"""Pages search in threads: whoever else is served by the event loop does not wait for them."""

import threading

from sqlalchemy import event


def test_a_search_for_a_page_leaves_the_event_loop_to_others(world) -> None:
    alan = world.browser("alan")
    world.result(world.ids["alan"], "7.3")
    searched: list[bool] = []

    def heard(_connection, _cursor, statement, *_more) -> None:
        if "FROM resource" in statement and "LIMIT" in statement:
            searched.append(threading.current_thread() is threading.main_thread())

    engine = world.portal.record.engines.reader
    event.listen(engine, "before_cursor_execute", heard)
    assert "7.3" in alan.get("/patient").text
    assert (len(searched) > 1, any(searched)) == (True, False)
