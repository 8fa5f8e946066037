"""A person's messages are filed in the order received, those of many people side by side."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from itertools import islice

from sqlalchemy import select

from adapters.hl7v2.mllp import wrap
from adapters.intake.tables import inbox
from fhir_server.model.identifiers import NhsNumber
from fhir_server.record import Record
from fhir_server.store.tables import audit_entry
from tests.adapters.intake.line import listening

Message = Callable[..., str]
CONNECTIONS, PEOPLE, EACH = 3, 4, 6
NUMBERS = tuple(
    islice(filter(None, (NhsNumber.parse(str(n)) for n in range(9990000000, 10**10))), 12)
)


def as_filed(record: Record) -> dict[str, list[str]]:
    """Return each person's control ids in the order in which the ledger has their filing."""
    made_by = {
        reference: row.control_id
        for row in record.select(select(inbox.c.control_id, inbox.c.made))
        for reference in row.made.split("\n")
        if reference.startswith("DiagnosticReport/")
    }
    entries = select(audit_entry.c.entity).where(audit_entry.c.subtype == "message-filed")
    order = defaultdict[str, list[str]](list)
    for entry in record.select(entries.order_by(audit_entry.c.seq)):
        control_id = made_by[entry.entity]
        order[control_id.partition("-")[0]].append(control_id)
    return order


def messages(message: Message, connection: int) -> list[tuple[str, bytes]]:
    """Return those of one connection: each third from a doctor whom nobody knows yet."""
    sent = []
    for turn in range(EACH):
        for person in range(connection * PEOPLE, (connection + 1) * PEOPLE):
            control_id = f"P{person}-{turn}"
            text = message(
                control_id=control_id,
                nhs_number=NUMBERS[person].digits,
                filler=f"LAB{control_id}",
            )
            if turn % 3 == 0:
                text = text.replace("|CH|F", f"|CH|F{'|' * 7}C{person:04d}{turn}^New^Doctor", 1)
            sent.append((control_id, text.encode()))
    return sent


def test_each_persons_messages_are_filed_in_the_order_received(
    record: Record, message: Message
) -> None:
    batches = [messages(message, connection) for connection in range(CONNECTIONS)]

    async def scene() -> None:
        async with listening(record) as (connect, _, _):
            senders = [await connect() for _ in batches]
            for sender, batch in zip(senders, batches, strict=True):
                sender.writer.write(b"".join(wrap(raw) for _, raw in batch))
            for sender, batch in zip(senders, batches, strict=True):
                for control_id, _ in batch:
                    assert f"MSA|AA|{control_id}".encode() in await sender.answer()

    asyncio.run(scene())
    filed = as_filed(record)
    assert filed == {
        f"P{person}": [f"P{person}-{turn}" for turn in range(EACH)]
        for person in range(CONNECTIONS * PEOPLE)
    }
