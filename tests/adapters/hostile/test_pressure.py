"""More than the portal can take: nobody's memory grows, nothing is lost, everybody is answered."""

import threading
import tracemalloc
from dataclasses import replace

from adapters.hl7v2.mllp import wrap
from adapters.intake.at_work import cost
from fhir_server.record import Writer
from tests.adapters.hostile.hospital import PATIENT, Hospital, Sent, Wire, serving
from tests.adapters.intake.ward import OPERATOR, Answer


def large(clinic: Hospital) -> Sent:
    """Return a message of 60,000 bytes, all but a few of them for nobody."""
    return clinic.message(more="ZZZ|" + "x" * 60_000 + "\r")


def test_a_store_that_stands_still_stops_the_reading_of_sockets_and_nothing_is_lost(
    clinic: Hospital,
) -> None:
    room = 3 * cost(61_000)
    limits = replace(PATIENT, at_work=room)
    messages = [[large(clinic) for _ in range(12)] for _ in range(3)]
    go_on, stands = threading.Event(), threading.Event()

    def stall(_: Writer) -> None:
        stands.set()
        assert go_on.wait(60)

    with serving(clinic.record, limits, clinic.agreements) as (tally, port):
        wires = [clinic.connect(port) for _ in messages]
        stalled = clinic.record.submit(OPERATOR, stall)
        assert stands.wait(30)
        senders = [
            threading.Thread(target=send, args=pair) for pair in zip(wires, messages, strict=True)
        ]
        for sender in senders:
            sender.start()
        # Every connection has one message that waits for room; none reads any further.
        clinic.await_(lambda: tally.work.waiting > 3 * 60_000)
        taken = tally.counts["frames"]
        assert tally.work.used <= room
        assert taken == 2 * len(wires)
        assert clinic.record.waiting <= 3
        go_on.set()
        stalled.result(timeout=60)
        told = [[wire.answer() for _ in sent] for wire, sent in zip(wires, messages, strict=True)]
        for sender in senders:
            sender.join(60)
        assert told == [[one.accepted for one in sent] for sent in messages]
        assert (tally.work.used, tally.work.waiting) == (0, 0)
        assert clinic.goes_on(wires[0])
    assert all(clinic.fates(one) == [("filed", "", "")] for sent in messages for one in sent)


def send(wire: Wire, messages: list[Sent]) -> None:
    wire.send(b"".join(wrap(one.raw) for one in messages))


def test_an_endless_frame_takes_no_more_memory_than_a_frame_may_have(clinic: Hospital) -> None:
    limits = replace(PATIENT, frame=300_000)
    sent = clinic.message()
    with serving(clinic.record, limits, clinic.agreements) as (tally, port):
        wire, good = clinic.connect(port), clinic.connect(port)
        tracemalloc.start()
        wire.send(b"\x0b" + sent.raw)
        told: list[Answer] = []
        portion, most = b"X" * 50_000, 0
        try:
            for _ in range(400):
                wire.send(portion)
                most = max(most, tally.held)
        except OSError:
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        told.append(wire.answer())
        assert told == [sent.refused("AR", "102", "frame-too-large", "MSH.1")]
        assert most <= 300_000 + limits.chunk
        assert peak < 20 * 300_000
        assert clinic.goes_on(good)


def test_a_small_message_in_pieces_is_not_cut_off_for_what_another_holds(
    clinic: Hospital,
) -> None:
    sent = clinic.message()
    limits = replace(PATIENT, held=300_000)
    with serving(clinic.record, limits, clinic.agreements) as (tally, port):
        greedy, small = clinic.connect(port), clinic.connect(port)
        greedy.send(b"\x0b" + b"X" * 299_000)
        clinic.await_(lambda: tally.held > 298_000)
        framed = wrap(sent.raw + b"ZZZ|" + b"y" * 3_000)
        small.send(framed[:2_000])
        clinic.await_(lambda: tally.held > 300_000)
        small.send(framed[2_000:3_000])
        clinic.await_(lambda: tally.held > 301_000)
        small.send(framed[3_000:])
        assert small.answer() == sent.accepted
        assert tally.counts["peer-limit"] == 0
        greedy.send(b"X" * 2_000)
        assert greedy.is_closed()
        assert (tally.counts["peer-limit"], clinic.goes_on(small)) == (1, True)
