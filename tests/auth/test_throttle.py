"""How often one caller may try."""

import pytest

from auth import throttle
from auth.answers import neighbourhood
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


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_network_of_ipv6_is_one_caller(address, counted_as):
    assert neighbourhood(address) == counted_as
