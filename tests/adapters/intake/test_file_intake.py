"""A file of messages is filed as over a socket, however often it comes."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from adapters.hl7v2.header import glimpse
from adapters.hl7v2.mllp import wrap
from adapters.intake.feeds import Feed
from adapters.intake.file_intake import HandedIn, hand_in
from adapters.intake.listener import Answers
from adapters.intake.reception import busy
from fhir_server.clock import now
from tests.adapters.intake.ward import Ward

DROPPED = Feed("dropped", sending_facility="RXX", processing_ids=frozenset({"P"}))
OTHER = Feed("other", sources=("127.0.0.0/8",), sending_facility="RYY")

HandIn = Callable[[bytes], HandedIn]


@pytest.fixture
def engine_name() -> str:
    """One engine will do: nothing here is the database's."""
    return "sqlite"


@pytest.fixture
def handed_in(ward: Ward, tmp_path: Path) -> HandIn:
    """Hand in a file with this content."""

    def hand(content: bytes) -> HandedIn:
        path = tmp_path / "a.hl7"
        path.write_bytes(content)
        return hand_in(ward.record, (DROPPED, OTHER), "dropped", path)

    return hand


def codes(answers: bytes) -> list[bytes]:
    return [line.split(b"|")[1] for line in answers.split(b"\r") if line.startswith(b"MSA|")]


def numbered(ward: Ward, *numbers: int) -> list[bytes]:
    return [ward.message(control_id=f"M{n}", filler=f"L{n}").encode() for n in numbers]


def test_a_message_is_filed_and_answered(ward: Ward, handed_in: HandIn) -> None:
    (message,) = numbered(ward, 1)
    done = handed_in(message)
    assert (done.outcome, codes(done.answers)) == ("taken", [b"AA"])
    row = ward.row("M1")
    came = "127.0.0.1 dropped for dropped"
    assert (row.feed, row.fate, row.peer) == ("dropped", "filed", came)


def test_the_same_file_again_gets_the_same_answers_and_changes_nothing(
    ward: Ward, handed_in: HandIn
) -> None:
    content = b"".join(numbered(ward, 1, 2, 3))
    assert handed_in(content) == handed_in(content)
    assert ward.fates() == ["filed"] * 3
    assert [ward.row(f"M{n}").copies for n in (1, 2, 3)] == [1, 1, 1]


@pytest.mark.parametrize("framed", [False, True])
def test_the_same_message_over_a_socket_is_the_same_message(
    ward: Ward, handed_in: HandIn, framed: bool
) -> None:
    (message,) = numbered(ward, 1)
    answer = ward.raw(message, Feed("dropped", sources=("127.0.0.1",), sending_facility="RXX"))
    assert handed_in(wrap(message) if framed else message).answers == answer
    assert ward.row("M1").copies == 1


def test_many_messages_are_each_answered_in_their_order(ward: Ward, handed_in: HandIn) -> None:
    numbers = range(1, 131)
    done = handed_in(b"".join(numbered(ward, *numbers)))
    lines = [line for line in done.answers.split(b"\r") if line.startswith(b"MSA")]
    assert lines == [b"MSA|AA|M%d" % n for n in numbers]


def test_a_batch_is_answered_with_a_batch(ward: Ward, handed_in: HandIn) -> None:
    done = handed_in(b"BHS|^~\\&|LIMS\r" + b"".join(numbered(ward, 1, 2)) + b"BTS|3\r")
    assert done.answers.startswith(b"BHS|")
    assert done.answers.endswith(b"BTS|2\r")
    assert (done.outcome, codes(done.answers)) == ("taken", [b"AA", b"AA"])
    assert "batch-count" in ward.flags("M1")


@pytest.mark.parametrize(
    ("change", "code", "fate"),
    [
        (("19550301", "10660101"), b"AE", "quarantined"),
        (("|RXX|", "|RYY|"), b"AR", "refused"),
        (("|P|2.5.1", "|T|2.5.1"), b"AR", "refused"),
    ],
)
def test_one_message_that_is_not_taken_makes_the_file_one_to_look_at(
    ward: Ward, handed_in: HandIn, change: tuple[str, str], code: bytes, fate: str
) -> None:
    good, bad = numbered(ward, 1, 2)
    done = handed_in(good + bad.replace(*(word.encode() for word in change)))
    assert (done.outcome, codes(done.answers)) == ("refused", [b"AA", code])
    assert [ward.fate(name)[0] for name in ("M1", "M2")] == ["filed", fate]


def test_a_frame_that_was_cut_off_is_not_taken_for_a_message(ward: Ward, handed_in: HandIn) -> None:
    whole, cut = map(wrap, numbered(ward, 1, 2))
    done = handed_in(whole + cut[:-20])
    assert (done.outcome, codes(done.answers)) == ("refused", [b"AA"])
    assert [ward.fate(name)[0] for name in ("M1", "M2")] == ["filed", "partial"]
    assert handed_in(whole + cut).outcome == "taken"


@pytest.mark.parametrize("content", [b"", b"\r\n\r\n"])
def test_a_file_with_nothing_in_it_is_one_to_look_at(handed_in: HandIn, content: bytes) -> None:
    assert handed_in(content) == HandedIn(b"", "refused")


def test_what_is_no_message_is_refused_and_kept(ward: Ward, handed_in: HandIn) -> None:
    done = handed_in(b"not a message\r")
    assert (done.outcome, codes(done.answers), ward.fates()) == ("refused", [b"AR"], ["refused"])


def test_a_file_that_is_too_large_is_refused_by_its_beginning(
    ward: Ward, handed_in: HandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.intake.file_intake.FILE_LIMIT", 100)
    done = handed_in(numbered(ward, 1)[0])
    assert (done.outcome, codes(done.answers)) == ("refused", [b"AR"])
    assert ward.fate("M1")[:2] == ("refused", "frame-too-large")


def test_where_nothing_can_be_written_the_file_has_to_come_again(
    ward: Ward, handed_in: HandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"".join(numbered(ward, 1, 2))

    def taken(_record: object, _feeds: object, raw: bytes, *_: object) -> "Future[Answers]":
        answered: Future[Answers] = Future()
        answered.set_result(busy(glimpse(raw), now()))
        return answered

    with monkeypatch.context() as patch:
        patch.setattr("adapters.intake.reception.receive", taken)
        assert handed_in(content) == HandedIn(b"", "again")
    assert handed_in(content).outcome == "taken"
