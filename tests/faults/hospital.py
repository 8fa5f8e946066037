"""A hospital that means it: what was not acknowledged is sent again, until it is."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from adapters.hl7v2.mllp import Frame, Framer, wrap
from fhir_server.model.identifiers import NhsNumber

RESULTS = 2
"""Results in each message."""
ANSWER_LIMIT = 65_536
PATIENCE = 20_000
"""Answers that ask for a message again, before a hospital gives up."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message, its control id, and the values in it, which no other message has."""

    control_id: str
    raw: bytes
    values: tuple[str, ...]


@dataclass(slots=True)
class Ward:
    """What waits to be sent, and what came of what was sent."""

    waiting: deque[Sent]
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    otherwise: Counter[str] = field(default_factory=Counter)
    """Answers that were no AA, by their code and the fault's."""

    def hear(self, sent: Sent, answer: bytes) -> None:
        """Note the answer to *sent*; where it says *send again*, that is what will be done."""
        segments = answer.decode().split("\r")
        code, control_id = next(one.split("|")[1:3] for one in segments if one.startswith("MSA|"))
        assert control_id == sent.control_id, "an answer is for the frame of its turn"
        if code == "AA":
            self.acknowledged[control_id] = answer
            return
        faults = [one.split("|")[3].partition("^")[0] for one in segments if one.startswith("ERR|")]
        self.otherwise[" ".join([code, *faults])] += 1
        assert self.otherwise.total() < PATIENCE, self.otherwise
        self.waiting.append(sent)


def messages(count: int) -> list[Sent]:
    """Return *count* messages, each of an order of its own, for twenty people."""
    people = [number for number, _ in zip(nhs_numbers(), range(20), strict=False)]
    return [_message(number, people[number % len(people)]) for number in range(count)]


def nhs_numbers() -> Iterator[str]:
    """Yield the NHS numbers that are nobody's, the first first."""
    for number in range(9990000000, 10**10):
        if parsed := NhsNumber.parse(str(number)):
            yield parsed.digits


def _message(number: int, person: str) -> Sent:
    control_id, filler = f"M{number:05d}", f"LAB{number:05d}"
    values = tuple(f"{number}.{place}0" for place in range(1, RESULTS + 1))
    head = f"MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|20261124091500||ORU^R01^ORU_R01|{control_id}|P|2.5.1"
    order = "2857-1^PSA^LN|||20261124083000|||||||||||||||20261124091500||CH|F"
    results = (
        f"OBX|{place}|NM|{code}||{value}|ug/L|0-6.5|H|||F|||20261124083000"
        for place, (code, value) in enumerate(
            zip(("2857-1^PSA^LN", "10886-0^Free PSA^LN"), values, strict=True), 1
        )
    )
    segments = (
        head,
        f"PID|1||{person}^^^NHS^NH||Example^Person||19550301|M",
        f"ORC|RE|O{filler}|{filler}",
        f"OBR|1|O{filler}|{filler}|{order}",
        *results,
        "",
    )
    return Sent(control_id, "\r".join(segments).encode(), values)


async def deliver(port: int, ward: Ward, *, connections: int = 6, window: int = 8) -> None:
    """Send what waits, *window* frames ahead of the answers, until all is acknowledged or all
    connections have ended."""
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_over_one_connection(port, ward, window))


async def _over_one_connection(port: int, ward: Ward, window: int) -> None:
    unanswered: deque[Sent] = deque()
    framer = Framer(ANSWER_LIMIT)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return
    try:
        while ward.waiting or unanswered:
            for sent in _taken(ward.waiting, window - len(unanswered)):
                unanswered.append(sent)
                writer.write(wrap(sent.raw))
            await writer.drain()
            chunk = await reader.read(65_536)
            if not chunk:
                return
            for event in framer.feed(chunk):
                assert isinstance(event, Frame)
                ward.hear(unanswered.popleft(), event.payload)
    except ConnectionError:
        return
    finally:
        ward.waiting.extend(unanswered)
        writer.close()


def _taken(waiting: deque[Sent], most: int) -> Iterable[Sent]:
    for _ in range(min(most, len(waiting))):
        yield waiting.popleft()
