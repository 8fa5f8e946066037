"""Sending as hospitals do: over MLLP, on connections that stay, one message after the other."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from adapters.intake.sending import code_of, send
from portal_api.demo.clinic import ClinicMessage
from portal_api.demo.messages import oru
from portal_api.demo.orders import Order
from portal_api.settings import Address

_CONNECTIONS = 4
"""Connections of one hospital: what waits together is committed together."""


class NotAccepted(Exception):
    """The portal did not take a message of the demonstration; the text has its answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One message with the answer to it."""

    order: Order
    answer: bytes

    @property
    def code(self) -> str:
        """The acknowledgement code in MSA-1."""
        for line in self.answer.split(b"\r"):
            if line.startswith(b"MSA|"):
                return line.split(b"|")[1].decode("ascii", "replace")
        return ""


def send_all(address: Address, orders: Iterable[Order], sent: Callable[[], None]) -> int:
    """Send *orders*, each patient's in their order; call *sent* after every answer.

    Returns how many were sent. Raises NotAccepted at the first that is not answered with AA.
    """
    lines: dict[tuple[str, int], list[Order]] = defaultdict(list)
    for order in orders:
        lines[order.person.hospital, int(order.person.number) % _CONNECTIONS].append(order)
    with ThreadPoolExecutor(max(len(lines), 1)) as pool:
        work = [pool.submit(_send, address, mine, sent) for mine in lines.values()]
        return sum(one.result() for one in work)


def send_one(address: Address, order: Order) -> Answered:
    """Send one message; whatever the answer is, it comes back."""
    with send(address.host, address.port) as exchange:
        return Answered(order, exchange(oru(order)))


def send_clinic(
    address: Address, messages: Iterable[ClinicMessage], sent: Callable[[], None]
) -> None:
    """Send what clinics send beside results, in order; call *sent* after every answer.

    Raises NotAccepted at the first that is not answered with AA.
    """
    with send(address.host, address.port) as exchange:
        for one in messages:
            _accepted(one.control_id, exchange(one.raw))
            sent()


def _send(address: Address, orders: list[Order], sent: Callable[[], None]) -> int:
    with send(address.host, address.port) as exchange:
        for order in orders:
            _accepted(order.control_id, exchange(oru(order)))
            sent()
    return len(orders)


def _accepted(control_id: str, answer: bytes) -> None:
    if code_of(answer) != "AA":
        text = answer.decode("ascii", "replace").replace("\r", " ")
        raise NotAccepted(f"{control_id} was answered with {text}")
