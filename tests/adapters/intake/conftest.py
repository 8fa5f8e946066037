"""A hospital that sends: messages as text, answers as bytes."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.reception import receive
from fhir_server.record import Record
from tests.adapters.intake.ward import Ward

Send = Callable[..., bytes]


def oru(
    *,
    control_id: str = "MSG1",
    nhs_number: str = "9990000018",
    birth_date: str = "19550301",
    filler: str = "LAB1",
    value: str = "7.3",
    status: str = "F",
    obx_status: str = "",
    issued: str = "20261124091500",
    code: str = "2857-1^PSA^LN",
    section: str = "CH",
    pid: str = "",
    name: str = "Example^Alan",
    sex: str = "M",
    wants: str = "",
    more: str = "",
) -> str:
    """Return a PSA result as a laboratory sends it, segments ended by CR.

    *pid* stands for the whole PID, *wants* for MSH-15 and MSH-16, *more* for segments at the end.
    """
    asked = f"|||{wants}" if wants else ""
    return "\r".join(
        [
            f"MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|{issued}||ORU^R01^ORU_R01|{control_id}|P|2.5.1{asked}",
            pid or f"PID|1||{nhs_number}^^^NHS^NH||{name}||{birth_date}|{sex}",
            f"ORC|RE|ORD1|{filler}",
            f"OBR|1|ORD1|{filler}|{code}|||20261124083000|||||||||||||||{issued}||{section}|{status}",
            f"OBX|1|NM|{code}||{value}|ug/L|0-6.5|H|||{obx_status or status}|||20261124083000",
            *more.split("\r"),
        ]
    )


@pytest.fixture
def send(record: Record) -> Send:
    """Send a message as the feed given (any on loopback by default); return its answer."""

    def sent(message: str | bytes, feed: Feed = LOOPBACK, **kept: Any) -> bytes:
        raw = message.encode() if isinstance(message, str) else message
        answers = receive(record, (feed,), raw, kept.get("peer", "127.0.0.1")).result(timeout=30)
        return b"".join(answers)

    return sent


@pytest.fixture
def message() -> Callable[..., str]:
    """The maker of messages."""
    return oru


@pytest.fixture
def ward(record: Record) -> Ward:
    """The portal with everybody who looks at it."""
    return Ward(record, oru)
