"""A hospital that means it: what was not acknowledged is sent again, until it is.

Each person's messages are sent one after the other, the next when the one before was acknowledged;
those of different people go side by side, some on each connection.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice

from adapters.hl7v2.mllp import Frame, Framer, wrap
from fhir_server.model.identifiers import NhsNumber

RESULTS = 2
"""Results in each message."""
ANSWER_LIMIT = 65_536
REFUSALS = 20_000
"""Answers that ask for a message again, before a hospital gives up."""
PAUSE = 0.02
"""Seconds before a connection sends again what it was asked to send again."""
LONGEST_PAUSE = 0.2
"""The same once it was asked again and again: each time it waits twice as long, up to this."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message: its control id, whom it is about, and what no other message has."""

    control_id: str
    person: str
    raw: bytes
    values: tuple[str, ...]
    accessions: tuple[str, ...]


@dataclass(slots=True)
class Ward:
    """What a hospital sends, person by person, and what came of it.

    It makes messages for as long as it is *open*, until there are *most* of them.
    """

    people: int = 48
    most: int = 1_000_000
    open: bool = True
    sent: dict[str, Sent] = field(default_factory=dict)
    """Every message ever made, in the order in which they were."""
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    otherwise: Counter[str] = field(default_factory=Counter)
    """Answers that were no AA, by their code and the fault's."""
    _numbers: tuple[str, ...] = ()
    _first: dict[int, Sent] = field(default_factory=dict)
    _on_the_way: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._numbers = tuple(islice(nhs_numbers(), self.people))

    def close(self) -> None:
        """Make no more messages; those that were made are still sent."""
        self.open = False

    def has_more(self, people: Sequence[int]) -> bool:
        """Tell whether one of *people* has a message that is to be sent or answered."""
        return self._makes_more or any(person in self._first for person in people)

    def take(self, people: Sequence[int], most: int) -> Iterable[tuple[int, Sent]]:
        """Yield the next message of each of *people* of whom none is on the way, *most* of them."""
        free = (person for person in people if person not in self._on_the_way)
        for person in islice(filter(self._has_next, free), most):
            self._on_the_way.add(person)
            yield person, self._first[person]

    def _has_next(self, person: int) -> bool:
        if person not in self._first and self._makes_more:
            made = message(len(self.sent), self._numbers[person])
            self._first[person] = self.sent[made.control_id] = made
        return person in self._first

    def hear(self, person: int, answer: bytes) -> bool:
        """Note the answer to the message on the way; tell whether it was taken."""
        sent = self._first[person]
        self.lose(person)
        segments = answer.decode().split("\r")
        code, control_id = next(one.split("|")[1:3] for one in segments if one.startswith("MSA|"))
        assert control_id == sent.control_id, "an answer is for the frame of its turn"
        if code == "AA":
            self.acknowledged[control_id] = answer
            del self._first[person]
            return True
        faults = [one.split("|")[3].partition("^")[0] for one in segments if one.startswith("ERR|")]
        self.otherwise[" ".join([code, *faults])] += 1
        assert self.otherwise.total() < REFUSALS, self.otherwise
        return False

    def lose(self, person: int) -> None:
        """Note that there is no message of this person on the way any more."""
        self._on_the_way.discard(person)

    @property
    def _makes_more(self) -> bool:
        return self.open and len(self.sent) < self.most


def nhs_numbers() -> Iterator[str]:
    """Yield the NHS numbers that are nobody's, the first first."""
    for number in range(9990000000, 10**10):
        if parsed := NhsNumber.parse(str(number)):
            yield parsed.digits


def messages(most: int) -> list[Sent]:
    """Return *most* messages, each of an order of its own, for twenty people."""
    people = list(islice(nhs_numbers(), 20))
    return [message(number, people[number % len(people)]) for number in range(most)]


def message(number: int, person: str) -> Sent:
    """Return the message of this number, about the person with this NHS number."""
    control_id, filler = f"M{number:06d}", f"LAB{number:06d}"
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
    raw = "\r".join(segments).encode()
    return Sent(control_id, person, raw, values, (filler, f"O{filler}"))


async def deliver(
    port: int, ward: Ward, *, connections: int = 6, window: int = 4, patience: float = 60.0
) -> None:
    """Send what there is to send, until all of it is acknowledged or all connections have ended.

    Each connection is *window* frames ahead of the answers, and is given up where none comes for
    *patience* seconds.
    """
    async with asyncio.TaskGroup() as group:
        for first in range(connections):
            people = range(first, ward.people, connections)
            group.create_task(_over_one_connection(port, ward, people, (window, patience)))


async def insist(port: int, ward: Ward, *, patience: float = 60.0) -> None:
    """Send what there is to send, connecting anew as often as it takes, until all is acknowledged.

    Everybody whose connection ended connects again by themselves.
    """

    async def one(people: range) -> None:
        while ward.has_more(people):
            await _over_one_connection(port, ward, people, (4, patience))
            await asyncio.sleep(PAUSE)

    async with asyncio.TaskGroup() as group:
        for first in range(6):
            group.create_task(one(range(first, ward.people, 6)))


async def _over_one_connection(
    port: int, ward: Ward, people: range, limits: tuple[int, float]
) -> None:
    window, patience = limits
    unanswered: deque[int] = deque()
    framer = Framer(ANSWER_LIMIT)
    turn = count()
    pause = PAUSE
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return
    try:
        while ward.has_more(people):
            shift = next(turn) % len(people)
            for person, sent in ward.take(
                [*people[shift:], *people[:shift]], window - len(unanswered)
            ):
                unanswered.append(person)
                writer.write(wrap(sent.raw))
            await writer.drain()
            chunk = await asyncio.wait_for(reader.read(65_536), patience)
            if not chunk:
                return
            taken = True
            for event in framer.feed(chunk):
                assert isinstance(event, Frame)
                taken &= ward.hear(unanswered.popleft(), event.payload)
            if taken:
                pause = PAUSE
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
    except (ConnectionError, TimeoutError):
        return
    finally:
        for person in unanswered:
            ward.lose(person)
        writer.close()
