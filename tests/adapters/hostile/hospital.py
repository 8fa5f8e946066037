"""A hospital that sends what nobody should, over real sockets, and the portal that it meets.

One listener and one record serve all tests of a module: people, orders and control ids are new for
each message, so that nothing of one test is in the way of another.
"""

import asyncio
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from sqlalchemy import select

from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.mllp import Frame, Framer, wrap
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.listener import Limits, Tally, hang_up
from adapters.intake.tables import inbox
from fhir_server.record import Record
from tests.adapters.intake.line import QUICK, listening
from tests.adapters.intake.ward import Answer, Ward, answer_of

PRIVATE = re.compile(r"(?i)quillf.{1,2}ther|zebedee|9990\d{6}|1955-?03-?01|7\.394")
"""What a message says of its patient, and no log and no answer may: name, number, birth, value."""

FACILITY = "RXX"
PATIENT = replace(QUICK, idle=60.0)
PEOPLE = count(1)


def nhs_number() -> str:
    """Return an NHS number of the range for tests that nobody in this session has had yet."""
    while True:
        digits = f"9990{next(PEOPLE):05}"
        weighted = sum(int(digit) * (10 - place) for place, digit in enumerate(digits))
        check = (11 - weighted % 11) % 11
        if check < 10:
            return f"{digits}{check}"


@dataclass(frozen=True, slots=True)
class Sent:
    """One message, and what it can be found by."""

    raw: bytes
    control_id: str
    nhs_number: str

    @property
    def accepted(self) -> Answer:
        return Answer("AA", self.control_id)

    def refused(self, code: str, hl7: str, name: str, address: str) -> Answer:
        return Answer(code, self.control_id, hl7, name, address)

    def changed(self, old: str, new: str) -> "Sent":
        """Return the message with *new* in place of the first *old*, which it has."""
        assert old.encode() in self.raw
        return replace(self, raw=self.raw.replace(old.encode(), new.encode(), 1))


class Wire:
    """A hospital's end of one connection."""

    def __init__(self, port: int, heard: list[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._framer, self._waiting, self._heard = Framer(10_000_000), list[bytes](), heard

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def raw_answer(self) -> bytes:
        while not self._waiting:
            chunk = self.socket.recv(65_536)
            if not chunk:
                raise ConnectionError("the portal hung up")
            events = self._framer.feed(chunk)
            self._waiting += [one.payload for one in events if isinstance(one, Frame)]
        self._heard.append(self._waiting[0])
        return self._waiting.pop(0)

    def answer(self) -> Answer:
        return answer_of(self.raw_answer())

    def tell(self, sent: Sent) -> Answer:
        self.send(wrap(sent.raw))
        return self.answer()

    def is_closed(self) -> bool:
        """Tell whether the portal hung up, and has said nothing before."""
        try:
            return not self._waiting and self.socket.recv(65_536) == b""
        except ConnectionError:
            return True


@dataclass(slots=True)
class Hospital:
    """All that a test needs: connections, messages, and a look at what the portal has."""

    record: Record
    port: int
    tally: Tally
    agreements: list[Feed]
    ward: Ward
    bystander: Wire
    heard: list[bytes] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def connect(self, port: int = 0) -> Wire:
        self.wires.append(Wire(port or self.port, self.heard))
        return self.wires[-1]

    def agree(self, facility: str, dialect: Dialect | None = None, **settings: Any) -> None:
        """Have a feed of its own for messages whose MSH-4 is *facility*."""
        usual = replace(self.agreements[0], name=facility, sending_facility=facility)
        self.agreements.append(replace(usual, dialect=dialect or Dialect(), **settings))

    def message(self, **told: str) -> Sent:
        """Return a good result of somebody new, but for what is *told*."""
        number = f"{next(self._numbers)}"
        control_id = told.pop("control_id", f"H{number}")
        person = told.pop("nhs_number", "") or nhs_number()
        told = {"filler": f"LAB{number}", **told}
        raw = oru(control_id=control_id, nhs_number=person, **told).encode()
        return Sent(raw, control_id, person)

    def goes_on(self, wire: Wire) -> bool:
        """Tell whether this connection, and that of another sender, carry a good message."""
        here, there = self.message(), self.message()
        told = (wire.tell(here), self.bystander.tell(there))
        return told == (here.accepted, there.accepted)

    def others_go_on(self) -> bool:
        """Tell whether another sender's message is answered, and so is one on a new connection."""
        here, there = self.message(), self.message()
        told = (self.connect().tell(here), self.bystander.tell(there))
        return told == (here.accepted, there.accepted)

    def rows(self, control_id: str) -> list[Any]:
        """Return what the inbox has under a control id, oldest first."""
        known = inbox.c.control_id == control_id
        return list(self.record.select(select(inbox).where(known).order_by(inbox.c.received)))

    def fates(self, sent: Sent) -> list[tuple[str, str, str]]:
        """Return fate, code and address of each message under this control id."""
        return [(row.fate, row.code, row.address) for row in self.rows(sent.control_id)]

    def flags(self, sent: Sent) -> list[str]:
        (row,) = self.rows(sent.control_id)
        return row.flags.split("\n") if row.flags else []

    def raw(self, sent: Sent) -> bytes:
        (row,) = self.rows(sent.control_id)
        return bytes(row.raw)

    def known(self, sent: Sent, resource_type: str = "Observation") -> list[Any]:
        """Return what a clinician finds of the patient."""
        if resource_type != "Patient":
            return self.ward.known(resource_type, sent.nhs_number)
        patient = ("_id", self.ward.patient(sent.nhs_number))
        return self.ward.found(self.ward.as_clinician(), "Patient", patient)

    def seen(self, sent: Sent, resource_type: str = "Observation") -> list[Any]:
        """Return what the patient finds."""
        return self.ward.seen(resource_type, sent.nhs_number)

    def about(self, sent: Sent, code: str) -> Any:
        """Return the one Observation of the patient under *code*, as a clinician finds it."""
        (found,) = [
            tree
            for tree in self.known(sent)
            if any(coding.get("code") == code for coding in tree["code"].get("coding", ()))
        ]
        return found

    def await_(self, told: Callable[[], bool]) -> None:
        """Wait until the listener has got so far."""
        pause = threading.Event()
        for _ in range(3000):
            if told():
                return
            pause.wait(0.01)
        raise AssertionError("it did not come to that")


def oru(
    *,
    control_id: str,
    nhs_number: str,
    filler: str,
    facility: str = FACILITY,
    name: str = "Quillfeather^Zebedee",
    birth_date: str = "19550301",
    sex: str = "M",
    pid: str = "",
    code: str = "2857-1^PSA^LN",
    value: str = "7.394",
    status: str = "F",
    obx_status: str = "",
    issued: str = "20261124091500",
    section: str = "CH",
    more: str = "",
) -> str:
    """Return a PSA result as a laboratory sends it; *pid* is the whole PID, *more* its end."""
    gap = "|" * 14
    head = f"MSH|^~\\&|LIMS|{facility}|PORTAL|CMCA|{issued}||ORU^R01^ORU_R01"
    return "\r".join(
        [
            f"{head}|{control_id}|P|2.5.1",
            pid or f"PID|1||{nhs_number}^^^NHS^NH||{name}||{birth_date}|{sex}",
            f"ORC|RE|ORD{filler}|{filler}",
            f"OBR|1|ORD{filler}|{filler}|{code}|||20261124083000|{gap}{issued}||{section}|{status}",
            f"OBX|1|NM|{code}||{value}|ug/L|0-6.5|H|||{obx_status or status}|||20261124083000",
            more,
        ]
    )


@contextmanager
def serving(record: Record, limits: Limits, feeds: list[Feed]) -> Iterator[tuple[Tally, int]]:
    """Give a listener in a thread of its own, which asks *feeds* anew for each frame."""
    ready, told = threading.Event(), list[Any]()

    living: Any = feeds  # asked anew for every frame

    async def serve() -> None:
        stop = asyncio.Event()
        async with listening(record, limits, living) as (_, tally, port):
            told.extend((tally, port, stop, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()
            hang_up(tally)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(30)
    tally, port, stop, loop = told
    try:
        yield tally, port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)


@contextmanager
def hospital(record: Record, limits: Limits = PATIENT, **settings: Any) -> Iterator[Hospital]:
    """Give a hospital that is connected to a listener of *record*."""
    usual = replace(
        LOOPBACK,
        sending_application="LIMS",
        receiving_application="PORTAL",
        receiving_facility="CMCA",
        **settings,
    )
    feeds, heard = [usual], list[bytes]()
    with serving(record, limits, feeds) as (tally, port):
        made = Hospital(record, port, tally, feeds, Ward(record, oru), Wire(port, heard), heard)
        try:
            yield made
        finally:
            for wire in (made.bystander, *made.wires):
                wire.socket.close()


class Logged(logging.Handler):
    """Everything that is logged, however unimportant, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))
