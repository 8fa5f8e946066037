"""How often one caller may try."""

from auth import throttle
from auth.throttle import Throttle


def test_a_caller_has_to_wait_after_the_limit_and_others_do_not():
    gate = Throttle(limit=3, seconds=60)
    assert [gate.wait("a") for _ in range(3)] == [0, 0, 0]
    assert 0 < gate.wait("a") <= 60
    assert gate.wait("b") == 0


def test_attempts_come_back_evenly(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(throttle.time, "monotonic", lambda: now[0])
    gate = Throttle(limit=3, seconds=60)
    assert [gate.wait("a") for _ in range(4)] == [0, 0, 0, 20]
    now[0] += 19.5
    assert gate.wait("a") == 1
    now[0] += 0.5
    assert [gate.wait("a") for _ in range(2)] == [0, 20]
    now[0] += 1000
    assert [gate.wait("a") for _ in range(4)] == [0, 0, 0, 20]


def test_memory_is_bounded_by_forgetting_who_was_quiet_longest(monkeypatch):
    monkeypatch.setattr(throttle, "REMEMBERED", 2)
    gate = Throttle(limit=1, seconds=60)
    assert [gate.wait(caller) for caller in ("a", "b", "c")] == [0, 0, 0]
    assert gate.wait("c") > 0
    assert gate.wait("a") == 0
